// The panels of light curves of the report page: one object at a time, drawn by uPlot. Data and
// controls are markup of the page (light_curves.cpp). Texts go into the page by textContent alone.
(() => {
  'use strict';

  // clang-format off
  const {
    SHAPES, RULE_SHAPES, property, colourOf, ink, element, decode, mark, pen, inside, drawLevel,
    drawFit, drawEpochs, plainNumbers, line, timeAxes, padded, sameOnBothSides, save,
  } = lightCurves;
  // clang-format on

  class Panel {
    constructor(root) {
      this.part = (name) => root.querySelector(`[data-lc="${name}"]`);
      this.root = root;
      this.data = JSON.parse(this.part('data').textContent);
      this.hidden = new Set();  // light curves and rules that the reader switched off
      this.plots = [];
      this.at = 0;
      this.listen();
      for (const object of this.data.objects) element('option', object.id, this.part('list'));
      this.show(0);
    }

    listen() {
      const on = (name, event, what) => this.part(name).addEventListener(event, what);
      on('list', 'change', () => this.show(this.part('list').selectedIndex));
      on('search', 'input', () => this.search(false));
      on('search', 'keydown', (e) => e.key === 'Enter' && this.search(true));
      on('previous', 'click', () => this.step(-1));
      on('next', 'click', () => this.step(1));
      on('worst', 'click', () => this.nextBy('worst', (o) => o.chi2));
      on('removed', 'click', () => this.nextBy('removed', this.removals()));
      on('flagged', 'click', () => this.nextBy('flagged', (o) => (o.flagged ? 1 : 0)));
      on('reset', 'click', () => this.zoom(null, null));
      on('csv', 'click', () => this.saveTable());
      on('png', 'click', () => this.savePicture());
      const again = () => {
        this.writeLegend();
        this.draw();
      };
      matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again);
      new MutationObserver(again).observe(
          document.documentElement, {attributes: true, attributeFilter: ['data-theme']});
      new ResizeObserver(() => this.resize()).observe(this.root);
    }

    get object() { return this.data.objects[this.at]; }

    step(by) {
      const n = this.data.objects.length;
      this.show((this.at + by + n) % n);
    }

    // The object with the largest value, then with the next smaller one, and from the last back to
    // the first. Objects without a value, or with 0, are left out.
    nextBy(name, value) {
      const order = this.data.objects.map((o, i) => [value(o) || 0, i]).filter(([v]) => v > 0);
      order.sort((a, b) => b[0] - a[0] || a[1] - b[1]);
      if (order.length === 0) {
        this.part('status').textContent = 'There is no such object in the sample.';
        return;
      }
      const goesOn = this.rankedBy === name && order[this.rank][1] === this.at;
      this.rank = goesOn ? (this.rank + 1) % order.length : 0;
      this.rankedBy = name;
      this.show(order[this.rank][1]);
    }

    // Epochs removed by fits or, if the sample has none, by all stages.
    removals() {
      const isByFits = this.data.objects.some((o) => o.removed > 0);
      return isByFits ? (o) => o.removed : removedEpochs;
    }

    search(isFinal) {
      const text = this.part('search').value.trim();
      if (text === '') return;
      const found = this.data.objects.findIndex((o) => o.id.startsWith(text));
      const n = this.data.objects.filter((o) => o.id.startsWith(text)).length;
      if (found >= 0 && (isFinal || n === 1))
        this.show(found);
      else
        this.part('status').textContent = `${n} objects of the sample begin with ${text}`;
    }

    show(index) {
      this.at = index;
      this.part('list').selectedIndex = index;
      this.curves = this.object.curves.map((c) => decode(c, this.data.zero));
      const z = this.object.z ? `, z ${this.object.z}` : '';
      this.part('status').textContent = `${index + 1} of ${this.data.objects.length}: ${
          this.object.id}${z}; chosen: ${this.object.why}`;
      this.writeLegend();
      this.writeFacts();
      this.draw();
    }

    // ---- texts

    writeLegend() {
      const legend = this.part('legend');
      legend.replaceChildren();
      for (const curve of this.curves) {
        const kept = curve.epochs.filter((e) => e.rule === null).length;
        this.switchOf(
            curve.group, `${curve.group} (${kept})`, SHAPES[curve.marker], colourOf(curve.colour));
      }
      const counts = new Map();
      for (const e of this.curves.flatMap((c) => c.epochs)) {
        if (e.rule !== null) counts.set(e.rule, (counts.get(e.rule) || 0) + 1);
      }
      for (const [rule, n] of [...counts].sort((a, b) => a[0] - b[0])) {
        this.switchOf(
            rule, `removed, ${this.data.rules[rule]} (${n})`,
            RULE_SHAPES[rule % RULE_SHAPES.length], ink());
      }
    }

    switchOf(key, text, shape, colour) {
      const button = element('button', undefined, this.part('legend'));
      button.type = 'button';
      const canvas = element('canvas', undefined, button);
      canvas.width = canvas.height = 14 * devicePixelRatio;
      const ctx = canvas.getContext('2d');
      pen(ctx, colour, 1.3);
      mark(ctx, shape, canvas.width / 2, canvas.height / 2, 4 * devicePixelRatio);
      button.append(text);
      button.setAttribute('aria-pressed', String(!this.hidden.has(key)));
      button.addEventListener('click', () => {
        if (!this.hidden.delete(key)) this.hidden.add(key);
        button.setAttribute('aria-pressed', String(!this.hidden.has(key)));
        this.draw();
      });
    }

    writeFacts() {
      const facts = this.part('facts');
      facts.replaceChildren();
      if (this.object.fits.length > 0) {
        const table = element('table', undefined, facts);
        const names = [
          'fit', 'light curve', 'epochs', 'removed', '\u03c4 (d)', '\u03c3 (mag)',
          'reduced \u03c7\u00b2', 'flags'
        ];
        const head = element('tr', undefined, element('thead', undefined, table));
        for (const name of names) element('th', name, head);
        const body = element('tbody', undefined, table);
        for (const fit of this.object.fits) {
          const row = element('tr', undefined, body);
          for (const text of fit) element('td', text, row);
        }
      }
      const undrawn =
          this.curves.filter((c) => c.undrawn > 0)
              .map(
                  (c) =>
                      `${c.group}: ${c.undrawn} epochs without a time or magnitude are not drawn`);
      for (const note of [...this.object.notes, ...undrawn]) element('p', note, facts);
    }

    // ---- plots

    isShown(curve, epoch) {
      return !this.hidden.has(curve.group) && (epoch.rule === null || !this.hidden.has(epoch.rule));
    }

    // uPlot has every epoch as a row, and a column for each unit, so that it finds ranges; what is
    // seen is drawn by drawCurves and drawResiduals.
    rows(columnOf, valueOf) {
      const rows = [];
      for (const curve of this.curves) {
        for (const e of curve.epochs) {
          if (this.isShown(curve, e) && valueOf(e) !== null)
            rows.push([e.t, columnOf(curve), valueOf(e)]);
        }
      }
      rows.sort((a, b) => a[0] - b[0]);
      return rows;
    }

    draw() {
      const kept =
          this.plots.length > 0 && this.drawnAt === this.at ? this.plots[0].scales.x : null;
      const [low, high] = kept ? [kept.min, kept.max] : [null, null];
      for (const plot of this.plots) plot.destroy();
      this.plots = [];
      this.drawnAt = this.at;
      const units = [...new Set(this.curves.map((c) => c.unit))];
      const epochs = this.rows((c) => units.indexOf(c.unit), (e) => e.y);
      const residuals = this.rows(() => 0, (e) => (e.rule === null ? e.r : null));
      const isEmpty = epochs.length === 0;
      for (const name of ['plot', 'residuals']) this.part(name).replaceChildren();
      if (isEmpty)
        element('p', 'No epochs to draw.', this.part('plot'));
      else
        this.plots.push(this.plotCurves(units, epochs));
      if (residuals.length > 0)
        this.plots.push(this.plotResiduals(residuals));
      else if (!isEmpty)
        element('p', 'No residuals: no damped random walk was fitted.', this.part('residuals'));
      const describe = `Light curves of ${this.object.id}: ${
          this.curves.map((c) => `${c.group}, ${c.epochs.length} epochs`).join('; ')}`;
      this.part('plot').setAttribute('aria-label', describe);
      this.part('residuals')
          .setAttribute('aria-label', 'Leave-one-out residuals of the same epochs');
      this.zoom(low, high);
    }

    columns(rows, n) {
      const columns = [rows.map((r) => r[0])];
      for (let k = 0; k < n; ++k) columns.push(rows.map((r) => (r[1] === k ? r[2] : null)));
      return columns;
    }

    plotCurves(units, rows) {
      const scales = {x: {time: false}};
      const axes = timeAxes(true);
      units.forEach((unit, k) => {
        const isMag = unit === 'mag';
        scales['y' + k] = {dir: isMag ? -1 : 1, range: (u, low, high) => padded(low, high)};
        axes.push({
          scale: 'y' + k,
          side: k === 0 ? 3 : 1,
          stroke: ink,
          grid: k === 0 ? line : {show: false},
          ticks: line,
          values: plainNumbers,
          label: isMag ? 'magnitude' : unit || 'value',
          labelSize: 20,
          size: 54,
        });
      });
      const draw = (u) => this.drawCurves(u, (curve) => 'y' + units.indexOf(curve.unit));
      return this.plot('plot', scales, axes, this.columns(rows, units.length), draw, 320);
    }

    plotResiduals(rows) {
      const scales = {x: {time: false}, y0: {range: (u, low, high) => sameOnBothSides(low, high)}};
      const axes = [
        ...timeAxes(false), {
          scale: 'y0',
          stroke: ink,
          grid: line,
          ticks: line,
          values: plainNumbers,
          space: 16,
          label: 'residual / \u03c3',
          labelSize: 20,
          size: 54
        }
      ];
      return this.plot(
          'residuals', scales, axes, this.columns(rows, 1), (u) => this.drawResiduals(u), 170);
    }

    plot(name, scales, axes, columns, draw, height) {
      const nothing = {show: true, paths: () => null, points: {show: false}};
      const options = {
        width: this.width(),
        height,
        scales,
        axes,
        series: [{}, ...columns.slice(1).map((c, k) => ({...nothing, scale: 'y' + k}))],
        legend: {show: false},
        cursor: {
          sync: {key: this.root.id},
          points: {show: false},
          drag: {x: true, y: false},
          bind: {dblclick: () => () => this.zoom(null, null)},
        },
        hooks: {
          draw: [draw],
          setScale: [(u, key) => key === 'x' && this.follow(u)],
          setCursor: [(u) => name === 'plot' && this.tell(u)],
        },
      };
      return new uPlot(options, columns, this.part(name));
    }

    width() { return Math.max(240, this.part('plot').clientWidth); }

    resize() {
      for (const u of this.plots) {
        if (u.width !== this.width()) u.setSize({width: this.width(), height: u.height});
      }
    }

    // Both plots show the same times.
    follow(u) {
      const {min, max} = u.scales.x;
      for (const other of this.plots) {
        const x = other.scales.x;
        if (other !== u && (x.min !== min || x.max !== max)) other.setScale('x', {min, max});
      }
    }

    zoom(low, high) {
      if (this.plots.length === 0) return;
      const times = this.plots[0].data[0];
      const [all, last] = padded(times[0], times[times.length - 1]);
      this.plots[0].setScale(
          'x', {min: low === null ? all : low, max: high === null ? last : high});
    }

    drawCurves(u, scaleOf) {
      const isShown = (curve, e) => this.isShown(curve, e);
      inside(u, (ctx) => {
        for (const curve of this.curves) {
          if (curve.fit && !this.hidden.has(curve.group)) drawFit(u, ctx, curve, scaleOf(curve));
        }
        for (const curve of this.curves) {
          drawEpochs(u, ctx, curve, scaleOf(curve), isShown, (e) => e.y, (e) => e.e);
        }
      });
    }

    drawResiduals(u) {
      const isShown = (curve, e) => this.isShown(curve, e);
      // Removed epochs may be far off: the axis is made for those kept.
      const {min, max} = u.scales.y0;
      const atMost = (e) => (e.r === null ? null : Math.max(0.94 * min, Math.min(0.94 * max, e.r)));
      inside(u, (ctx) => {
        pen(ctx, ink(), 1);
        for (const level of [-3, 0, 3]) drawLevel(u, ctx, level, 'y0', level === 0 ? [] : [4, 4]);
        for (const curve of this.curves) {
          drawEpochs(u, ctx, curve, 'y0', isShown, atMost, () => null);
        }
      });
    }

    // What is under the cursor.
    tell(u) {
      const {left, top} = u.cursor;
      if (left === undefined || left < 0 || !u.scales.y0) return;
      const units = [...new Set(this.curves.map((c) => c.unit))];
      let best = null;
      let distance = 15;
      for (const curve of this.curves) {
        const scale = 'y' + units.indexOf(curve.unit);
        for (const e of curve.epochs) {
          if (!this.isShown(curve, e)) continue;
          const d = Math.hypot(u.valToPos(e.t, 'x') - left, u.valToPos(e.y, scale) - top);
          if (d < distance) [best, distance] = [[curve, e], d];
        }
      }
      if (best === null) {
        this.part('reading').textContent = '';
        return;
      }
      const [curve, e] = best;
      const error = e.e === null ? '' : ` \u00b1 ${+ e.e.toPrecision(3)}`;
      const residual = e.r === null ? '' : `, residual ${e.r} \u03c3`;
      const rule = e.rule === null ? '' : `, removed, ${this.data.rules[e.rule]}`;
      this.part('reading').textContent = `${curve.group}: MJD ${e.t.toFixed(3)}, ${
          + e.y.toPrecision(7)}${error} ${curve.unit}${residual}${rule}`;
    }

    // ---- files

    saveTable() {
      const quoted = (v) =>
          (v === null                     ? '' :
               /[",\r\n]/.test(String(v)) ? `"${String(v).replaceAll('"', '""')}"` :
                                            String(v));
      const lines = ['source_id,light_curve,mjd,value,error,unit,removed_by,residual'];
      for (const c of this.curves) {
        for (const e of c.epochs) {
          const rule = e.rule === null ? null : this.data.rules[e.rule];
          lines.push([
            this.object.id, c.group, e.t.toFixed(3), +e.y.toPrecision(9),
            e.e === null ? null : +e.e.toPrecision(4), c.unit, rule, e.r
          ].map(quoted).join(','));
        }
      }
      save(new Blob([lines.join('\n') + '\n'], {type: 'text/csv'}), 'light-curves.csv');
    }

    savePicture() {
      const parts = this.plots.map((u) => u.ctx.canvas);
      if (parts.length === 0) return;
      const canvas = document.createElement('canvas');
      canvas.width = parts[0].width;
      canvas.height = parts.reduce((sum, c) => sum + c.height, 0);
      const ctx = canvas.getContext('2d');
      ctx.fillStyle = property('paper', '#ffffff');
      ctx.fillRect(0, 0, canvas.width, canvas.height);
      let y = 0;
      for (const part of parts) {
        ctx.drawImage(part, 0, y);
        y += part.height;
      }
      canvas.toBlob((blob) => save(blob, 'light-curves.png'));
    }
  }

  function removedEpochs(object) {
    return object.curves.reduce((sum, c) => sum + c.removed.length, 0);
  }

  for (const root of document.querySelectorAll('.lc-panel')) new Panel(root);
})();
