"""Fits of light curves in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from . import _core
from .toml_text import toml_of

_STAGES = {"ou": "ou-fit"}
_INPUT = ("epoch_id", "time", "mag", "mag_err")

# Opening a fitter takes milliseconds, so that of each set of options is kept.
_fitters: dict[tuple, _core.Fitter] = {}
_lock = threading.Lock()


def _fitter(model: str, in_rest_frame: bool, options: dict) -> _core.Fitter:
    texts = tuple(sorted((name, toml_of(value)) for name, value in options.items()))
    key = (_STAGES.get(model, model), in_rest_frame, texts)
    with _lock:
        if key not in _fitters:
            _fitters[key] = _core.Fitter(key[0], [*texts, ("rest_frame", toml_of(in_rest_frame))])
        return _fitters[key]


class Prediction(NamedTuple):
    """Of the process at some times: mag, without noise."""

    mean: np.ndarray
    sd: np.ndarray


class LeaveOneOut(NamedTuple):
    """For each epoch, as given: its prediction from all others, and the standard deviation of
    mag - mean (of the prediction, mag_err and jitter); NaN for epochs that took no part."""

    mean: np.ndarray
    sd: np.ndarray


class Fit(Mapping):
    """The fit of one light curve: results by their names in the products, `fit["log_tau"]` or
    `fit.log_tau`; results for each epoch are arrays in the order given. If it failed, numbers are
    NaN and `failure` says why."""

    __slots__ = ("_batch", "_prefix", "_row", "_reason")

    def __init__(self, batch, prefix: str, row: int, reason: str) -> None:
        self._batch, self._prefix, self._row, self._reason = batch, prefix, row, reason

    def __getitem__(self, name: str):
        full = f"{self._prefix}.{name}"
        if full in self._batch.objects:
            value = self._batch.objects[full][self._row]
            return value.item() if getattr(value, "ndim", 1) == 0 else value
        if self._prefix in self._batch and name in self._batch[self._prefix].columns:
            return self._batch[self._prefix][self._row][name]
        if name not in _INPUT and name in self._batch["curve"].columns:
            return self._batch["curve"][self._row][name]
        raise KeyError(f"no result '{name}'; there are: " + ", ".join(self))

    def __getattr__(self, name: str):
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(error.args[0]) from None

    def __iter__(self) -> Iterator[str]:
        start = self._prefix + "."
        yield from (name[len(start) :] for name in self._batch.objects if name.startswith(start))
        if self._prefix in self._batch:
            yield from self._batch[self._prefix].keys()
        yield from (name for name in self._batch["curve"].keys() if name not in _INPUT)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __dir__(self) -> list[str]:
        return sorted([*super().__dir__(), *self])

    @property
    def failure(self) -> str:
        """Why there is no fit, "" if there is one."""
        return self._reason or _core.failure_of(int(self["flags"]))

    @property
    def loo(self) -> LeaveOneOut:
        """What each epoch should be, judged by all others."""
        return LeaveOneOut(self["loo_mean"], self["loo_sd"])

    def predict(self, times) -> Prediction:
        """The light curve at these times (days, observed frame), given all epochs of the fit, with
        the fitted parameters taken as known. Of models with log_sigma, log_tau and mean."""
        kept = "_post" if "log_tau_post" in self else ""  # of the epochs that cleaning has left
        if f"log_tau{kept}" not in self or f"mean{kept}" not in self:
            raise TypeError(f"{self._prefix.split('.')[0]} is no damped random walk; only one predicts")
        curve = self._batch["curve"][self._row]
        epochs = [curve.time, curve.mag, curve.mag_err]
        if kept:
            epochs = [values[self["keep"]] for values in epochs]
        stretch = 1.0 if np.isnan(self["z"]) else 1.0 + self["z"]
        epochs[0] = epochs[0] / stretch
        jitter = np.exp(self[f"log_jitter{kept}"]) if f"log_jitter{kept}" in self else 0.0
        parameters = (self[f"log_sigma{kept}"], self[f"log_tau{kept}"], self[f"mean{kept}"], jitter)
        at = np.asarray(times, dtype=float) / stretch
        mean, sd = _core.predict(*epochs, *parameters, at.ravel())
        return Prediction(mean.reshape(at.shape), sd.reshape(at.shape))

    def __repr__(self) -> str:
        if self.failure:
            return f"<fit by {self._prefix.split('.')[0]}: {self.failure}>"
        shown = {name: self[name] for name in self}
        numbers = {name: v for name, v in shown.items() if isinstance(v, (int, float))}
        return f"<fit by {self._prefix.split('.')[0]}: " + ", ".join(f"{k} {v:.6g}" for k, v in numbers.items()) + ">"


class Fits(Sequence):
    """Fits of a list of light curves: fits[3] is a Fit, fits["log_tau"] the results of all."""

    def __init__(self, batch, prefix: str, reasons: list[str]) -> None:
        self._batch, self._prefix, self._reasons = batch, prefix, reasons

    def __len__(self) -> int:
        return len(self._batch)

    def __getitem__(self, item):
        if isinstance(item, str):
            return self._batch.objects[f"{self._prefix}.{item}"]
        if isinstance(item, slice):
            return [self[i] for i in range(*item.indices(len(self)))]
        row = range(len(self))[item]
        return Fit(self._batch, self._prefix, row, self._reasons[row])

    def __repr__(self) -> str:
        return f"<{len(self)} fits by {self._prefix.split('.')[0]}>"


def _plain(values):
    """Masked values become NaN, so that these epochs take no part."""
    if isinstance(values, np.ma.MaskedArray):
        return np.ma.filled(values.astype(float), np.nan)
    return values


def fit(times, mags, errs, model: str = "ou", *, z: float | None = None, **options) -> Fit:
    """Fits one light curve: days, magnitudes, magnitudes, in any order.

    model: "ou" (damped random walk), or any stage that fits light curves: "ou-loo", "dho",
    "structure-function", ... z: the redshift; results are then in the rest frame, else in the
    observed one. options: those of the stage, see `qsohost inspect ou-fit`: mean="profiled",
    jitter="fit", posterior="quadrature", min_points=5, ...
    """
    fitter = _fitter(model, z is not None, options)
    redshift = float("nan") if z is None else float(z)
    curve = [_plain(times)], [_plain(mags)], [_plain(errs)]
    batch, reasons = fitter.fit(*curve, [redshift], 1)
    return Fit(batch, fitter.prefix, 0, reasons[0])


def fit_many(curves, model: str = "ou", *, z=None, threads: int = 0, **options) -> Fits:
    """Fits many light curves, each (times, mags, errs), on all cores or so many threads.

    z: a redshift for each, or None for the observed frame. The rest is as of fit().
    """
    curves = [tuple(map(_plain, curve)) for curve in curves]
    redshifts = [float("nan")] * len(curves) if z is None else [float(value) for value in z]
    if len(redshifts) != len(curves):
        raise ValueError(f"{len(curves)} light curves, but {len(redshifts)} redshifts; give as many")
    fitter = _fitter(model, z is not None, options)
    times, mags, errs = ([curve[i] for curve in curves] for i in range(3))
    batch, reasons = fitter.fit(times, mags, errs, redshifts, threads)
    return Fits(batch, fitter.prefix, reasons)
