// What the panels of light curves (light_curves.js) are made of: data, marks on a canvas, axes.
const lightCurves = (() => {
  'use strict';

  const SHAPES =
      ['disc', 'square', 'triangle', 'diamond', 'cross', 'plus', 'circle', 'triangle-down'];
  const RULE_SHAPES = ['cross', 'circle', 'plus', 'open-square', 'open-diamond', 'open-triangle'];
  const FALLBACK =
      ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#b3a300', '#5f6b76'];

  const property = (name, otherwise) =>
      getComputedStyle(document.documentElement).getPropertyValue('--plot-' + name).trim() ||
      otherwise;
  const colourOf = (n) => property('c' + n, FALLBACK[n] || '#5f6b76');
  const ink = () => property('ink', '#1b1f24');
  const gridColour = () => property('grid', '#e2e6ea');

  function element(tag, text, parent) {
    const el = document.createElement(tag);
    if (text !== undefined) el.textContent = text;
    if (parent) parent.append(el);
    return el;
  }

  // ---- data, whose form is told in light_curves_json.hpp

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
      y: curve.fit.y.map(value),
      s: curve.fit.s.map((s) => s * curve.step),
    };
    return {
      group: curve.group,
      unit: curve.unit,
      colour: curve.colour,
      marker: curve.marker,
      undrawn: curve.undrawn,
      epochs,
      fit
    };
  }

  // ---- marks on a canvas

  function mark(ctx, shape, x, y, r) {
    ctx.beginPath();
    if (shape === 'disc' || shape === 'circle')
      ctx.arc(x, y, r, 0, 2 * Math.PI);
    else if (shape.endsWith('square'))
      ctx.rect(x - r, y - r, 2 * r, 2 * r);
    else if (shape.endsWith('diamond'))
      polygon(ctx, x, y, [[0, -1.3 * r], [1.3 * r, 0], [0, 1.3 * r], [-1.3 * r, 0]]);
    else if (shape === 'triangle-down')
      polygon(ctx, x, y, [[0, 1.3 * r], [1.2 * r, -r], [-1.2 * r, -r]]);
    else if (shape.endsWith('triangle'))
      polygon(ctx, x, y, [[0, -1.3 * r], [1.2 * r, r], [-1.2 * r, r]]);
    else {
      const d = shape === 'cross' ? [[1, 1], [1, -1]] : [[1, 0], [0, 1]];
      for (const [dx, dy] of d) {
        ctx.moveTo(x - dx * r, y - dy * r);
        ctx.lineTo(x + dx * r, y + dy * r);
      }
    }
    const isFilled = ['disc', 'square', 'triangle', 'diamond', 'triangle-down'].includes(shape);
    if (isFilled)
      ctx.fill();
    else
      ctx.stroke();
  }

  function polygon(ctx, x, y, corners) {
    corners.forEach(
        ([dx, dy], i) => (i === 0 ? ctx.moveTo(x + dx, y + dy) : ctx.lineTo(x + dx, y + dy)));
    ctx.closePath();
  }

  function pen(ctx, colour, width) {
    ctx.strokeStyle = ctx.fillStyle = colour;
    ctx.lineWidth = width * devicePixelRatio;
  }

  // ---- inside of a plot

  function inside(u, draw) {
    u.ctx.save();
    u.ctx.beginPath();
    u.ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
    u.ctx.clip();
    draw(u.ctx);
    u.ctx.restore();
  }

  // A horizontal line over the whole plot.
  function drawLevel(u, ctx, value, scale, dashes) {
    ctx.setLineDash(dashes);
    const y = u.valToPos(value, scale, true);
    ctx.beginPath();
    ctx.moveTo(u.bbox.left, y);
    ctx.lineTo(u.bbox.left + u.bbox.width, y);
    ctx.stroke();
    ctx.setLineDash([]);
  }

  // Mean, and one and two standard deviations.
  function drawFit(u, ctx, curve, scale) {
    const {t, y, s} = curve.fit;
    const x = t.map((v) => u.valToPos(v, 'x', true));
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

  // Epochs that isShown(curve, epoch); errors are those of kept ones.
  function drawEpochs(u, ctx, curve, scale, isShown, valueOf, errorOf) {
    const {min, max} = u.scales.x;
    const shown = curve.epochs.filter(
        (e) => e.t >= min && e.t <= max && isShown(curve, e) && valueOf(e) !== null);
    pen(ctx, colourOf(curve.colour), 1);
    ctx.globalAlpha = 0.45;
    for (const e of shown) {
      if (errorOf(e) === null || e.rule !== null) continue;
      const x = u.valToPos(e.t, 'x', true);
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
      mark(
          ctx, shape, u.valToPos(e.t, 'x', true), u.valToPos(valueOf(e), scale, true),
          (isKept ? 2 : 3.2) * size);
    }
    ctx.globalAlpha = 1;
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
      for (let month = 0; month < 12 * (last - first + 1); month += step)
        out.push(mjdOf(first, month));
    }
    return out.filter((t) => t >= low && t <= high);
  }

  function dates(u, splits) {
    return splits.map((t) => {
      const day = dateOf(t + 0.5).toISOString();
      return day.slice(5, 7) === '01' ? day.slice(0, 4) : day.slice(0, 7);
    });
  }

  const plainNumbers = (u, splits) => splits.map((v) => String(+v.toFixed(6)));
  const line = {stroke: gridColour, width: 1};

  function timeAxes(isTopShown) {
    const bottom = {
      scale: 'x',
      stroke: ink,
      grid: line,
      ticks: line,
      values: plainNumbers,
      label: 'MJD (d)',
      labelSize: 20,
      size: 34
    };
    const top = {
      scale: 'x',
      side: 0,
      stroke: ink,
      grid: {show: false},
      ticks: line,
      splits: calendar,
      values: dates,
      size: 32
    };
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

  // ---- files

  function save(blob, name) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // clang-format off
  return {
    SHAPES, RULE_SHAPES, property, colourOf, ink, element, decode, mark, pen, inside, drawLevel,
    drawFit, drawEpochs, plainNumbers, line, timeAxes, padded, sameOnBothSides, save,
  };
  // clang-format on
})();
