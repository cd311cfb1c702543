"""Plots on matplotlib, with the content of the report page: qsohost.plot.light_curve, tau_sigma."""

from __future__ import annotations

from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from . import _core
from .run import Run

# Okabe and Ito: safe for the colour-blind; a marker for each besides.
_STYLES = {"g": ("#009E73", "o"), "r": ("#D55E00", "s"), "i": ("#CC79A7", "^"), "bp": ("#0072B2", "v"),
           "rp": ("#E69F00", "D")}
_OTHER_STYLE = ("#000000", "o")
_GRID = 400  # points of a fitted curve


class Curve(NamedTuple):
    """A light curve to draw, and its fit: (log_sigma, log_tau, mean, jitter, z) or None."""

    group: str
    time: np.ndarray
    mag: np.ndarray
    mag_err: np.ndarray
    kept: np.ndarray
    fit: tuple | None


def _fit_of(get) -> tuple | None:
    """From `get(name)`, which returns a number or None: the fit to the epochs that are left."""
    for end in ("_post", ""):
        values = [get("log_sigma" + end), get("log_tau" + end), get("mean" + end)]
        if None not in values and np.all(np.isfinite(values)):
            log_jitter, z = get("log_jitter" + end), get("z")
            return (*values, 0.0 if log_jitter is None else np.exp(log_jitter), z or 0.0)
    return None


def _curves_of_batch(batch, source_id) -> list[Curve]:
    row = _row_of(batch["source_id"], source_id)
    curves = []
    for name in batch.groups:
        group = batch[name]
        if not group.survey:
            continue
        curve = group[row]
        kept = curve["keep"] if "keep" in group.columns else np.ones(len(curve), bool)
        ends = [c for c in batch.objects if c.endswith(f".{name}.flags")]
        fit = None
        for label in (c.removesuffix("flags") for c in ends):
            fit = fit or _fit_of(lambda n, label=label: _number(batch.objects, label + n, row))
        curves.append(Curve(name, curve.time, curve.mag, curve.mag_err, kept, fit))
    return curves


def _curves_of_run(run: Run, source_id, table: str | None) -> list[Curve]:
    tables = run.tables
    names = [table] if table else list(tables)
    lit = next((t for t in map(tables.__getitem__, names) if _holds(t, source_id)), None)
    if lit is None:
        raise KeyError(f"no product has light curves of {source_id}; there are: " + ", ".join(names))
    row = _row_of(lit["source_id"], source_id)
    fits = [t for t in (tables[name] for name in tables) if "flags" in t and "source_id" in t]
    curves = []
    for group in lit.light_curves:
        time, mag, mag_err = lit.light_curve(group, row)
        fit, kept = None, np.ones(len(time), bool)
        for result in (t for t in fits if t.extension.endswith("." + group)):
            at = np.flatnonzero(result["source_id"] == source_id)
            if len(at) == 0 or fit:
                continue
            fit = _fit_of(lambda n, t=result, at=at: _number(t, n, at[0]))
            if "removed_mjd" in result:
                kept = ~np.isin(time, result["removed_mjd"][at[0]])
        curves.append(Curve(group, time, mag, mag_err, kept, fit))
    return curves


def _holds(table, source_id) -> bool:
    return bool(table.light_curves) and bool(np.any(table["source_id"] == source_id))


def _row_of(ids, source_id) -> int:
    rows = np.flatnonzero(ids == source_id)
    if len(rows) == 0:
        raise KeyError(f"no object {source_id}; choose one of source_id")
    return int(rows[0])


def _number(columns, name: str, row: int):
    return columns[name][row] if name in columns else None


def light_curve(batch_or_run, id, *, table: str | None = None, ax=None):  # noqa: A002
    """The light curves of one object with error bars, epochs that cleaning removed as crosses, and
    where a damped random walk was fitted its mean and standard deviation given the epochs.

    id: source_id. table: of a run, the product that has the light curves, e.g. "raw_ztf_lc"
    (default: the first with this object). Returns the axes.
    """
    if isinstance(batch_or_run, Run):
        curves = _curves_of_run(batch_or_run, id, table)
    else:
        curves = _curves_of_batch(batch_or_run, id)
    ax = ax or plt.subplots(figsize=(9, 5))[1]
    for curve in curves:
        if len(curve.time):
            _draw(ax, curve)
    ax.invert_yaxis()
    ax.set(xlabel="time (d)", ylabel="mag", title=str(id))
    ax.legend()
    return ax


def _draw(ax, curve: Curve) -> None:
    color, marker = _STYLES.get(curve.group.rsplit(".", 1)[-1], _OTHER_STYLE)
    kept = curve.kept
    style = {"fmt": marker, "ms": 3, "lw": 0.8, "color": color}
    label = f"{curve.group}: {np.count_nonzero(kept)} epochs"
    ax.errorbar(curve.time[kept], curve.mag[kept], curve.mag_err[kept], label=label, **style)
    if not np.all(kept):
        label = f"{np.count_nonzero(~kept)} removed"
        ax.plot(curve.time[~kept], curve.mag[~kept], "x", ms=7, color=color, label=label)
    if curve.fit is None:
        return
    log_sigma, log_tau, mean, jitter, z = curve.fit
    stretch = 1 + z
    grid = np.linspace(curve.time.min(), curve.time.max(), _GRID)
    epochs = (curve.time[kept] / stretch, curve.mag[kept], curve.mag_err[kept])
    middle, sd = _core.predict(*epochs, log_sigma, log_tau, mean, jitter, grid / stretch)
    ax.plot(grid, middle, color=color, lw=0.8)
    ax.fill_between(grid, middle - sd, middle + sd, color=color, alpha=0.2, lw=0)


def tau_sigma(run: Run, table: str | None = None, *, ax=None):
    """log10 tau against log10 sigma of a fit, as many as converged; shaded is where tau exceeds a
    tenth of the median baseline and is hardly constrained.

    table: the product, e.g. "loo.ztf.g" (default: the first that has such results). Returns the axes.
    """
    tables = [run.tables[table]] if table else map(run.tables.__getitem__, run.tables)
    for fits in tables:
        end = next((e for e in ("_post", "") if "log_tau" + e in fits and "log_sigma" + e in fits), None)
        if end is not None:
            break
    else:
        raise KeyError("no product has log_tau and log_sigma; add a fitter such as ou-fit to the chain")
    tau, sigma = (fits[name + end] / np.log(10) for name in ("log_tau", "log_sigma"))
    good = np.isfinite(tau) & np.isfinite(sigma)
    ax = ax or plt.subplots(figsize=(6, 5))[1]
    ax.plot(tau[good], sigma[good], "o", ms=3, alpha=0.6, label=f"{fits.extension}: {np.count_nonzero(good)} objects")
    if "baseline" in fits:
        limit = np.log10(0.1 * np.nanmedian(fits["baseline"]))
        ax.axvspan(limit, max(limit, tau[good].max(initial=limit)), color="0.9", zorder=0, label="tau > baseline / 10")
    ax.set(xlabel="log10 tau (d)", ylabel="log10 sigma (mag)")
    ax.legend()
    return ax
