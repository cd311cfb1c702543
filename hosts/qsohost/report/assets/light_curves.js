// The panels of light curves of the report page: one object at a time, drawn by uPlot. Data and
// controls are markup of the page (light_curves.cpp); the data's form is told in
// light_curves_json.hpp. Texts go into the page by textContent alone.
(() => {
  "use strict";

  const SHAPES = ["disc", "square", "triangle", "diamond", "cross", "plus", "circle", "triangle-down"];
  const RULE_SHAPES = ["cross", "circle", "plus", "open-square", "open-diamond", "open-triangle"];
  const FALLBACK = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#b3a300", "#5f6b76"];

  const property = (name, otherwise) =>
    getComputedStyle(document.documentElement).getPropertyValue("--plot-" + name).trim() || otherwise;
  const colourOf = (n) => property("c" + n, FALLBACK[n] || "#5f6b76");
  const ink = () => property("ink", "#1b1f24");
  const gridColour = () => property("grid", "#e2e6ea");

  function element(tag, text, parent) {
    const el = document.createElement(tag);
    if (text !== undefined) el.textContent = text;
    if (parent) parent.append(el);
    return el;
  }

  // ---- data

  // Differences in 0.001 d as MJD.
  function mjds(differences, zero) {
    let sum = 0;
    return differences.map((d) => zero + (sum += d) / 1000);
  }

  // One light curve: epochs as objects, and the fitted curve.
  function decode(curve, zero) {
    const removed = new Map(curve.removed);
    const times = mjds(curve.t, zero);
    const value = (y) => curve.zero + y * curve.step;
    const epochs = times.map((t, i) => ({
      t,
      y: value(curve.y[i]),
      e: curve.e[i] === null ? null : curve.e[i] * curve.step,
      r: curve.r && curve.r[i] !== null ? curve.r[i] / 100 : null,
      rule: removed.has(i) ? removed.get(i) : null,
    }));
    const fit = curve.fit && {
      stage: curve.fit.stage,
      t: mjds(curve.fit.t, zero),
      y: curve.fit.y.map((y) => (y === null ? null : value(y))),
      s: curve.fit.s.map((s) => s * curve.step),
    };
    return { group: curve.group, unit: curve.unit, colour: curve.colour, marker: curve.marker, undrawn: curve.undrawn, epochs, fit };
  }

  // ---- marks on a canvas

  function mark(ctx, shape, x, y, r) {
    ctx.beginPath();
    if (shape === "disc" || shape === "circle") ctx.arc(x, y, r, 0, 2 * Math.PI);
    else if (shape.endsWith("square")) ctx.rect(x - r, y - r, 2 * r, 2 * r);
    else if (shape.endsWith("diamond")) polygon(ctx, x, y, [[0, -1.3 * r], [1.3 * r, 0], [0, 1.3 * r], [-1.3 * r, 0]]);
    else if (shape === "triangle-down") polygon(ctx, x, y, [[0, 1.3 * r], [1.2 * r, -r], [-1.2 * r, -r]]);
    else if (shape.endsWith("triangle")) polygon(ctx, x, y, [[0, -1.3 * r], [1.2 * r, r], [-1.2 * r, r]]);
    else {
      const d = shape === "cross" ? [[1, 1], [1, -1]] : [[1, 0], [0, 1]];
      for (const [dx, dy] of d) {
        ctx.moveTo(x - dx * r, y - dy * r);
        ctx.lineTo(x + dx * r, y + dy * r);
      }
    }
    const isFilled = ["disc", "square", "triangle", "diamond", "triangle-down"].includes(shape);
    if (isFilled) ctx.fill();
    else ctx.stroke();
  }

  function polygon(ctx, x, y, corners) {
    corners.forEach(([dx, dy], i) => (i === 0 ? ctx.moveTo(x + dx, y + dy) : ctx.lineTo(x + dx, y + dy)));
    ctx.closePath();
  }

  function pen(ctx, colour, width) {
    ctx.strokeStyle = ctx.fillStyle = colour;
    ctx.lineWidth = width * devicePixelRatio;
  }

  // ---- axes

  const mjdOf = (year, month) => Date.UTC(year, month, 1) / 86400000 + 40587;
  const dateOf = (mjd) => new Date((mjd - 40587) * 86400000);

  // Beginnings of years, or of months when less than two years are shown.
  function calendar(u, axis, low, high) {
    const first = dateOf(low).getUTCFullYear();
    const last = dateOf(high).getUTCFullYear();
    const room = Math.max(2, Math.floor(u.width / 90));
    const out = [];
    if (high - low > 730) {
      const step = Math.ceil((last - first + 1) / room);
      for (let year = first; year <= last + 1; year += step) out.push(mjdOf(year, 0));
    } else {
      const step = Math.max(1, Math.ceil((high - low) / 30 / room));
      for (let month = 0; month < 12 * (last - first + 1); month += step) out.push(mjdOf(first, month));
    }
    return out.filter((t) => t >= low && t <= high);
  }

  function dates(u, splits) {
    return splits.map((t) => {
      const day = dateOf(t + 0.5).toISOString();
      return day.slice(5, 7) === "01" ? day.slice(0, 4) : day.slice(0, 7);
    });
  }

  const plainNumbers = (u, splits) => splits.map((v) => String(+v.toFixed(6)));
  const line = { stroke: gridColour, width: 1 };

  function timeAxes(isTopShown) {
    const bottom = { scale: "x", stroke: ink, grid: line, ticks: line, values: plainNumbers, label: "MJD (d)", labelSize: 20, size: 34 };
    const top = { scale: "x", side: 0, stroke: ink, grid: { show: false }, ticks: line, splits: calendar, values: dates, size: 32 };
    return isTopShown ? [bottom, top] : [bottom];
  }

  function padded(low, high) {
    if (low === null || high === null) return [0, 1];
    const pad = 0.07 * (high - low) || 0.1;
    return [low - pad, high + pad];
  }

  function sameOnBothSides(low, high) {
    const most = 1.1 * Math.max(4, Math.abs(low || 0), Math.abs(high || 0));
    return [-most, most];
  }

  // ---- a panel

  class Panel {
    constructor(root) {
      this.part = (name) => root.querySelector(`[data-lc="${name}"]`);
      this.root = root;
      this.data = JSON.parse(this.part("data").textContent);
      this.hidden = new Set(); // light curves and rules that the reader switched off
      this.plots = [];
      this.at = 0;
      this.listen();
      for (const object of this.data.objects) element("option", object.id, this.part("list"));
      this.show(0);
    }

    listen() {
      const on = (name, event, what) => this.part(name).addEventListener(event, what);
      on("list", "change", () => this.show(this.part("list").selectedIndex));
      on("search", "input", () => this.search(false));
      on("search", "keydown", (e) => e.key === "Enter" && this.search(true));
      on("previous", "click", () => this.step(-1));
      on("next", "click", () => this.step(1));
      on("worst", "click", () => this.nextBy("worst", (o) => o.chi2));
      on("removed", "click", () => this.nextBy("removed", (o) => o.removed || removedEpochs(o)));
      on("flagged", "click", () => this.nextBy("flagged", (o) => (o.flagged ? 1 : 0)));
      on("reset", "click", () => this.zoom(null, null));
      on("csv", "click", () => this.saveTable());
      on("png", "click", () => this.savePicture());
      const again = () => this.draw();
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
      new MutationObserver(again).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
      new ResizeObserver(() => this.resize()).observe(this.root);
    }

    get object() {
      return this.data.objects[this.at];
    }

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
        this.part("status").textContent = "There is no such object in the sample.";
        return;
      }
      const goesOn = this.rankedBy === name && order[this.rank][1] === this.at;
      this.rank = goesOn ? (this.rank + 1) % order.length : 0;
      this.rankedBy = name;
      this.show(order[this.rank][1]);
    }

    search(isFinal) {
      const text = this.part("search").value.trim();
      if (text === "") return;
      const found = this.data.objects.findIndex((o) => o.id.startsWith(text));
      const n = this.data.objects.filter((o) => o.id.startsWith(text)).length;
      if (found >= 0 && (isFinal || n === 1)) this.show(found);
      else this.part("status").textContent = `${n} objects of the sample begin with ${text}`;
    }

    show(index) {
      this.at = index;
      this.part("list").selectedIndex = index;
      this.curves = this.object.curves.map((c) => decode(c, this.data.zero));
      const z = this.object.z ? `, z ${this.object.z}` : "";
      this.part("status").textContent = `${index + 1} of ${this.data.objects.length}: ${this.object.id}${z}; chosen: ${this.object.why}`;
      this.writeLegend();
      this.writeFacts();
      this.draw();
    }

    // ---- texts

    writeLegend() {
      const legend = this.part("legend");
      legend.replaceChildren();
      for (const curve of this.curves) {
        const kept = curve.epochs.filter((e) => e.rule === null).length;
        this.switchOf(curve.group, `${curve.group} (${kept})`, SHAPES[curve.marker], colourOf(curve.colour));
      }
      const counts = new Map();
      for (const e of this.curves.flatMap((c) => c.epochs)) {
        if (e.rule !== null) counts.set(e.rule, (counts.get(e.rule) || 0) + 1);
      }
      for (const [rule, n] of [...counts].sort((a, b) => a[0] - b[0])) {
        this.switchOf(rule, `removed, ${this.data.rules[rule]} (${n})`, RULE_SHAPES[rule % RULE_SHAPES.length], ink());
      }
    }

    switchOf(key, text, shape, colour) {
      const button = element("button", undefined, this.part("legend"));
      button.type = "button";
      const canvas = element("canvas", undefined, button);
      canvas.width = canvas.height = 14 * devicePixelRatio;
      const ctx = canvas.getContext("2d");
      pen(ctx, colour, 1.3);
      mark(ctx, shape, canvas.width / 2, canvas.height / 2, 4 * devicePixelRatio);
      button.append(text);
      button.setAttribute("aria-pressed", String(!this.hidden.has(key)));
      button.addEventListener("click", () => {
        if (!this.hidden.delete(key)) this.hidden.add(key);
        button.setAttribute("aria-pressed", String(!this.hidden.has(key)));
        this.draw();
      });
    }

    writeFacts() {
      const facts = this.part("facts");
      facts.replaceChildren();
      if (this.object.fits.length > 0) {
        const table = element("table", undefined, facts);
        const names = ["fit", "light curve", "epochs", "removed", "\u03c4 (d)", "\u03c3 (mag)", "reduced \u03c7\u00b2", "flags"];
        const head = element("tr", undefined, element("thead", undefined, table));
        for (const name of names) element("th", name, head);
        const body = element("tbody", undefined, table);
        for (const fit of this.object.fits) {
          const row = element("tr", undefined, body);
          for (const text of fit) element("td", text, row);
        }
      }
      const undrawn = this.curves.filter((c) => c.undrawn > 0).map((c) => `${c.group}: ${c.undrawn} epochs without a time or magnitude are not drawn`);
      for (const note of [...this.object.notes, ...undrawn]) element("p", note, facts);
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
          if (this.isShown(curve, e) && valueOf(e) !== null) rows.push([e.t, columnOf(curve), valueOf(e)]);
        }
      }
      rows.sort((a, b) => a[0] - b[0]);
      return rows;
    }

    draw() {
      const kept = this.plots.length > 0 && this.drawnAt === this.at ? this.plots[0].scales.x : null;
      const [low, high] = kept ? [kept.min, kept.max] : [null, null];
      for (const plot of this.plots) plot.destroy();
      this.plots = [];
      this.drawnAt = this.at;
      const units = [...new Set(this.curves.map((c) => c.unit))];
      const epochs = this.rows((c) => units.indexOf(c.unit), (e) => e.y);
      const residuals = this.rows(() => 0, (e) => e.r);
      const isEmpty = epochs.length === 0;
      for (const name of ["plot", "residuals"]) this.part(name).replaceChildren();
      if (isEmpty) element("p", "No epochs to draw.", this.part("plot"));
      else this.plots.push(this.plotCurves(units, epochs));
      if (residuals.length > 0) this.plots.push(this.plotResiduals(residuals));
      else if (!isEmpty) element("p", "No residuals: no damped random walk was fitted.", this.part("residuals"));
      const describe = `Light curves of ${this.object.id}: ${this.curves.map((c) => `${c.group}, ${c.epochs.length} epochs`).join("; ")}`;
      this.part("plot").setAttribute("aria-label", describe);
      this.part("residuals").setAttribute("aria-label", "Leave-one-out residuals of the same epochs");
      this.zoom(low, high);
    }

    columns(rows, n) {
      const columns = [rows.map((r) => r[0])];
      for (let k = 0; k < n; ++k) columns.push(rows.map((r) => (r[1] === k ? r[2] : null)));
      return columns;
    }

    plotCurves(units, rows) {
      const scales = { x: { time: false } };
      const axes = timeAxes(true);
      units.forEach((unit, k) => {
        const isMag = unit === "mag";
        scales["y" + k] = { dir: isMag ? -1 : 1, range: (u, low, high) => padded(low, high) };
        axes.push({
          scale: "y" + k, side: k === 0 ? 3 : 1, stroke: ink, grid: k === 0 ? line : { show: false }, ticks: line,
          values: plainNumbers, label: isMag ? "magnitude" : unit || "value", labelSize: 20, size: 54,
        });
      });
      const draw = (u) => this.drawCurves(u, (curve) => "y" + units.indexOf(curve.unit));
      return this.plot("plot", scales, axes, this.columns(rows, units.length), draw, 320);
    }

    plotResiduals(rows) {
      const scales = { x: { time: false }, y0: { range: (u, low, high) => sameOnBothSides(low, high) } };
      const axes = [...timeAxes(false), { scale: "y0", stroke: ink, grid: line, ticks: line, values: plainNumbers, label: "residual / \u03c3", labelSize: 20, size: 54 }];
      return this.plot("residuals", scales, axes, this.columns(rows, 1), (u) => this.drawResiduals(u), 170);
    }

    plot(name, scales, axes, columns, draw, height) {
      const nothing = { show: true, paths: () => null, points: { show: false } };
      const options = {
        width: this.width(), height, scales, axes,
        series: [{}, ...columns.slice(1).map((c, k) => ({ ...nothing, scale: "y" + k }))],
        legend: { show: false },
        cursor: { sync: { key: this.root.id }, points: { show: false }, drag: { x: true, y: false } },
        hooks: {
          draw: [draw],
          setScale: [(u, key) => key === "x" && this.follow(u)],
          setCursor: [(u) => name === "plot" && this.tell(u)],
        },
      };
      return new uPlot(options, columns, this.part(name));
    }

    width() {
      return Math.max(240, this.part("plot").clientWidth);
    }

    resize() {
      for (const u of this.plots) {
        if (u.width !== this.width()) u.setSize({ width: this.width(), height: u.height });
      }
    }

    // Both plots show the same times.
    follow(u) {
      const { min, max } = u.scales.x;
      for (const other of this.plots) {
        const x = other.scales.x;
        if (other !== u && (x.min !== min || x.max !== max)) other.setScale("x", { min, max });
      }
    }

    zoom(low, high) {
      if (this.plots.length === 0) return;
      const times = this.plots[0].data[0];
      const [all, last] = padded(times[0], times[times.length - 1]);
      this.plots[0].setScale("x", { min: low === null ? all : low, max: high === null ? last : high });
    }

    inside(u, draw) {
      u.ctx.save();
      u.ctx.beginPath();
      u.ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
      u.ctx.clip();
      draw(u.ctx);
      u.ctx.restore();
    }

    drawCurves(u, scaleOf) {
      this.inside(u, (ctx) => {
        const shown = this.curves.filter((c) => !this.hidden.has(c.group));
        for (const curve of shown) if (curve.fit) this.drawFit(u, ctx, curve, scaleOf(curve));
        for (const curve of shown) this.drawEpochs(u, ctx, curve, scaleOf(curve), (e) => e.y, (e) => e.e);
      });
    }

    drawResiduals(u) {
      this.inside(u, (ctx) => {
        pen(ctx, ink(), 1);
        for (const level of [-3, 0, 3]) {
          ctx.setLineDash(level === 0 ? [] : [4, 4]);
          const y = u.valToPos(level, "y0", true);
          ctx.beginPath();
          ctx.moveTo(u.bbox.left, y);
          ctx.lineTo(u.bbox.left + u.bbox.width, y);
          ctx.stroke();
        }
        ctx.setLineDash([]);
        for (const curve of this.curves) this.drawEpochs(u, ctx, curve, "y0", (e) => e.r, () => null);
      });
    }

    drawFit(u, ctx, curve, scale) {
      const { t, y, s } = curve.fit;
      const x = t.map((v) => u.valToPos(v, "x", true));
      const at = (n) => y.map((v, i) => u.valToPos(v + n * s[i], scale, true));
      pen(ctx, colourOf(curve.colour), 1.4);
      for (const n of [2, 1]) {
        const low = at(-n);
        const high = at(n);
        ctx.globalAlpha = 0.13;
        ctx.beginPath();
        x.forEach((v, i) => ctx.lineTo(v, low[i]));
        for (let i = x.length - 1; i >= 0; --i) ctx.lineTo(x[i], high[i]);
        ctx.fill();
      }
      ctx.globalAlpha = 0.9;
      ctx.beginPath();
      at(0).forEach((v, i) => ctx.lineTo(x[i], v));
      ctx.stroke();
      ctx.globalAlpha = 1;
    }

    drawEpochs(u, ctx, curve, scale, valueOf, errorOf) {
      const { min, max } = u.scales.x;
      const shown = curve.epochs.filter((e) => e.t >= min && e.t <= max && this.isShown(curve, e) && valueOf(e) !== null);
      pen(ctx, colourOf(curve.colour), 1);
      ctx.globalAlpha = 0.45;
      for (const e of shown) {
        if (errorOf(e) === null || e.rule !== null) continue;
        const x = u.valToPos(e.t, "x", true);
        ctx.beginPath();
        ctx.moveTo(x, u.valToPos(valueOf(e) - errorOf(e), scale, true));
        ctx.lineTo(x, u.valToPos(valueOf(e) + errorOf(e), scale, true));
        ctx.stroke();
      }
      const size = devicePixelRatio;
      for (const e of shown) {
        const isKept = e.rule === null;
        ctx.globalAlpha = isKept ? 0.9 : 0.75;
        ctx.lineWidth = (isKept ? 1 : 1.2) * size;
        const shape = isKept ? SHAPES[curve.marker] : RULE_SHAPES[e.rule % RULE_SHAPES.length];
        mark(ctx, shape, u.valToPos(e.t, "x", true), u.valToPos(valueOf(e), scale, true), (isKept ? 2 : 3.2) * size);
      }
      ctx.globalAlpha = 1;
    }

    // What is under the cursor.
    tell(u) {
      const { left, top } = u.cursor;
      if (left === undefined || left < 0 || !u.scales.y0) return;
      const units = [...new Set(this.curves.map((c) => c.unit))];
      let best = null;
      let distance = 15;
      for (const curve of this.curves) {
        const scale = "y" + units.indexOf(curve.unit);
        for (const e of curve.epochs) {
          if (!this.isShown(curve, e)) continue;
          const d = Math.hypot(u.valToPos(e.t, "x") - left, u.valToPos(e.y, scale) - top);
          if (d < distance) [best, distance] = [[curve, e], d];
        }
      }
      if (best === null) {
        this.part("reading").textContent = "";
        return;
      }
      const [curve, e] = best;
      const error = e.e === null ? "" : ` \u00b1 ${+e.e.toPrecision(3)}`;
      const residual = e.r === null ? "" : `, residual ${e.r} \u03c3`;
      const rule = e.rule === null ? "" : `, removed, ${this.data.rules[e.rule]}`;
      this.part("reading").textContent = `${curve.group}: MJD ${e.t.toFixed(3)}, ${+e.y.toPrecision(7)}${error} ${curve.unit}${residual}${rule}`;
    }

    // ---- files

    saveTable() {
      const quoted = (v) => (v === null ? "" : /[",\r\n]/.test(String(v)) ? `"${String(v).replaceAll('"', '""')}"` : String(v));
      const lines = ["source_id,light_curve,mjd,value,error,unit,removed_by,residual"];
      for (const c of this.curves) {
        for (const e of c.epochs) {
          const rule = e.rule === null ? null : this.data.rules[e.rule];
          lines.push([this.object.id, c.group, e.t.toFixed(3), +e.y.toPrecision(9), e.e === null ? null : +e.e.toPrecision(4), c.unit, rule, e.r].map(quoted).join(","));
        }
      }
      save(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }), "light-curves.csv");
    }

    savePicture() {
      const parts = this.plots.map((u) => u.ctx.canvas);
      if (parts.length === 0) return;
      const canvas = document.createElement("canvas");
      canvas.width = parts[0].width;
      canvas.height = parts.reduce((sum, c) => sum + c.height, 0);
      const ctx = canvas.getContext("2d");
      ctx.fillStyle = property("paper", "#ffffff");
      ctx.fillRect(0, 0, canvas.width, canvas.height);
      let y = 0;
      for (const part of parts) {
        ctx.drawImage(part, 0, y);
        y += part.height;
      }
      canvas.toBlob((blob) => save(blob, "light-curves.png"));
    }
  }

  function removedEpochs(object) {
    return object.curves.reduce((sum, c) => sum + c.removed.length, 0);
  }

  function save(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  for (const root of document.querySelectorAll(".lc-panel")) new Panel(root);
})();
