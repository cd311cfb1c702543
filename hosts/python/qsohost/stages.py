"""Stages of a chain written in Python: filters, fitters, sources and fetchers in a script that a
chain names as a plugin, `plugins = ["my_stages.py"]`.

>>> class Amplitude(qsohost.Fitter):
...     '''Half the range of the magnitudes.'''
...     adds = [qsohost.Out("amplitude", unit="mag", help="(max - min) / 2")]
...     def fit(self, curve):
...         return np.ptp(curve.mag) / 2

The stage is called after its class, `use = "amplitude"` (MyFit: "my-fit"), or by `stage_name`. One
batch at a time is in the stages of Python. Arrays of a batch are read-only views on its memory; one
that is kept is safe, but costs a copy of the batch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

REQUIRED: Any = object()  # the default of an option that must be set

_OPTION_TYPES = (bool, int, float, str, Path, list[str], list[float], list[Path])
_DTYPES = {bool: "bool", int: "i64", float: "f64", str: "string"}
_NAMES = ("bool", "i16", "i32", "i64", "f32", "f64", "string")


class BadObject(Exception):
    """Raised for an object that cannot be fitted or read: its outcome, and the run goes on."""


class TryAgain(Exception):
    """Raised by a fetcher: no trustworthy answer now; `--retry-failed` asks again."""


class Option:
    """An option of a stage, as a member of its class: `limit = Option(20.5, "mag", min=0)`; then
    self.limit is the value that the chain sets. Its type is that of the default, or `type`: bool,
    int, float, str, Path, or a list of str, float or Path. REQUIRED: the chain must set it."""

    def __init__(self, default=REQUIRED, unit: str = "", *, type=None, help: str = "", min=None, max=None,
                 choices: Sequence[str] = (), length: int | None = None, affects_results: bool = True) -> None:  # fmt: skip
        self.type = type or _type_of(default)
        if self.type not in _OPTION_TYPES:
            raise TypeError("an option needs a default, or type=, of bool, int, float, str, Path, or a list of "
                            "str, float or Path, as list[float]")  # fmt: skip
        self.default, self.unit, self.help, self.length = default, unit, help, length
        self.min, self.max, self.choices, self.affects_results = min, max, list(choices), affects_results
        self.name = ""

    def __set_name__(self, owner, name: str) -> None:
        self.name = name

    def __get__(self, stage, owner=None):
        if stage is None:
            return self
        if self.name in stage.__dict__:
            return stage.__dict__[self.name]
        if self.default is REQUIRED:
            raise AttributeError(f"option '{self.name}' is required and was not set; set it")
        return self.default

    # Names for the C++ side.
    @property
    def is_required(self) -> bool:
        return self.default is REQUIRED

    @property
    def type_name(self) -> str:
        return self.type.__name__ if isinstance(self.type, type) else f"list {self.type.__args__[0].__name__}"


def _type_of(default):
    if isinstance(default, Path):
        return Path
    if isinstance(default, list) and default:
        inner = {float if isinstance(item, int | float) else _type_of(item) for item in default}
        return list[inner.pop()] if len(inner) == 1 else None
    return type(default)


class In:
    """A column that a stage reads: In("z") of the objects, In("ztf.g", "mag") of epochs. As a
    member, self.z(batch) is its view."""

    def __init__(self, *where: str, unit: str = "", help: str = "") -> None:
        if len(where) not in (1, 2):
            raise TypeError('write In("column"), or In("group", "column")')
        self.group, self.name = where if len(where) == 2 else ("", where[0])
        self.unit, self.help = unit, help

    def __call__(self, batch):
        return batch[self.group][self.name] if self.group else batch[self.name]


class Out:
    """A column that a stage adds. dtype: bool, int, float or str, or i16, i32, f32, ..."""

    def __init__(self, name: str, dtype=float, *, unit: str = "", help: str = "", group: str = "") -> None:
        self.name, self.unit, self.help, self.group = name, unit, help, group
        self.dtype = _DTYPES.get(dtype, dtype)
        if self.dtype not in _NAMES:
            raise TypeError(f"column '{name}': no type {dtype!r}; use bool, int, float, str, or one of " + ", ".join(_NAMES))


class LightCurves:
    """A group of light curves that a source or fetcher adds: LightCurves("mine.g") has the columns
    mjd, mag and mag_err (days, magnitudes); `more` are further ones. Epochs are numbered unless the
    column epoch_id is given."""

    def __init__(self, name: str, *, time: str = "mjd", mag: str = "mag", mag_err: str = "mag_err",
                 time_system: str = "MJD UTC", more: Sequence[Out] = ()) -> None:  # fmt: skip
        self.name, self.time, self.mag, self.mag_err, self.time_system = name, time, mag, mag_err, time_system
        self.survey, _, self.band = name.partition(".")
        self.columns = [
            Out("epoch_id", int, help="position in the light curve", group=name),
            Out(time, unit="d", help="time", group=name),
            Out(mag, unit="mag", help="magnitude", group=name),
            Out(mag_err, unit="mag", help="error of the magnitude", group=name),
            *(Out(out.name, out.dtype, unit=out.unit, help=out.help, group=name) for out in more),
        ]


class Stage:
    """What all stages share. `label`: the stage's name in the chain."""

    stage_name = ""
    label = ""
    needs: Sequence[In] = ()  # columns that it reads, besides members
    adds: Sequence[Out | LightCurves] = ()

    def open(self) -> None:
        """Called before the first batch, when all options are set."""

    def close(self) -> None:
        """Called after the last batch."""

    def inputs(self) -> Iterable[str | Path]:
        """Files that it reads: `--resume` refuses to go on if one has changed."""
        return []

    def ports(self) -> Iterable[In | Out | LightCurves]:
        """Columns that it reads and adds; override where they depend on options."""
        members = (member for _, member in _members(type(self)) if isinstance(member, In))
        return [*members, *self.needs, *self.adds]


class Filter(Stage):
    """Removes objects or epochs."""

    def apply(self, batch):
        """What stays: a bool for each object, or {group: a bool for each epoch}; None: all."""
        raise NotImplementedError


class Fitter(Stage):
    """Adds results to each light curve of `groups`: object columns "LABEL.GROUP.<name>". Has one
    of the methods fit and fit_batch. With fit, options, flags and further columns are those of the
    fitters in C++ (n_epochs, baseline, flags, ...; rest_frame, min_points)."""

    min_points = 2  # with fit: light curves with fewer usable epochs get a flag instead

    def fit(self, curve):
        """One light curve: arrays curve.time (days from its first epoch, in the frame that
        rest_frame sets), curve.mag, curve.mag_err, of usable epochs in time order; curve.z,
        curve.group, curve.source_id, curve["ra"] of the objects' columns. Returns the results: one
        number, a sequence in the order of `adds`, or a dict; None if the fit did not converge. An
        exception is the object's outcome."""
        raise NotImplementedError

    def fit_batch(self, batch, group):
        """All light curves of a group: group.mag, group.time, group.mag_err are flat, object i has
        the epochs offsets[i] to offsets[i + 1] of group.offsets, as they were fetched. Returns an
        array (objects,) for each column of `adds`: one array, a sequence or a dict. An exception
        stops the run."""
        raise NotImplementedError


class Source(Stage):
    """The objects, and perhaps their light curves."""

    sends_requests = False  # True: it asks archives; --fetch-only and --offline refuse the chain

    def read(self, size: int):
        """The next objects, `size` at most: {column: an array, group of light curves: a list with
        {column: array} for each object}, "source_id" among them; None at the end."""
        raise NotImplementedError


class Fetcher(Stage):
    """Light curves of objects."""

    sends_requests = False  # True: it asks archives; --fetch-only and --offline refuse the chain

    def fetch(self, batch):
        """For each object, in order, {group: {column: array}}, or None if there is nothing, or
        TryAgain(...) or BadObject(...). To raise TryAgain applies to the whole batch; other
        exceptions stop the run."""
        raise NotImplementedError


def _members(cls: type) -> Iterable[tuple[str, Any]]:
    """Of the class and its bases, those of bases first, in the order of definition."""
    found: dict[str, Any] = {}
    for part in reversed(cls.__mro__):
        found.update(vars(part))
    return found.items()


def options_of(cls: type) -> list[Option]:
    return [member for _, member in _members(cls) if isinstance(member, Option)]


def name_of(cls: type) -> str:
    return cls.stage_name or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).replace("_", "-").lower()


def _as_stage(function: Callable, base: type, members: dict[str, Any]) -> Callable:
    members |= {"stage_name": function.__name__.replace("_", "-"), "__doc__": function.__doc__}
    function.qsohost_stage = type(function.__name__, (base,), members | {"__module__": function.__module__})
    return function


class _EpochFilter(Filter):
    groups = Option(type=list[str], help='light curves to look at, e.g. ["ztf.g", "ztf.r"]')
    columns: Sequence[str] = ()
    keep: Callable

    def ports(self):
        return [In(group, column) for group in self.groups for column in self.columns]

    def apply(self, batch):
        return {group: self.keep(batch[group]) for group in self.groups}


def filter(needs: Sequence[str]) -> Callable:
    """Makes a filter of epochs of a function: it gets the group, whose columns `needs` names
    (epochs["mag"]), and returns a bool for each epoch, False: removed.

    >>> @qsohost.filter(needs=["mag"])
    ... def bright(epochs):
    ...     return epochs["mag"] < 20.5
    """
    return lambda function: _as_stage(function, _EpochFilter, {"columns": list(needs), "keep": staticmethod(function)})


def fitter(adds: Sequence[Out | str], min_points: int = 2) -> Callable:
    """Makes a fitter of a function of one light curve, as Fitter.fit without self.

    >>> @qsohost.fitter(adds=["amplitude"])
    ... def amplitude(curve):
    ...     return np.ptp(curve.mag) / 2
    """
    outs = [Out(out) if isinstance(out, str) else out for out in adds]
    members = {"adds": outs, "min_points": min_points}
    return lambda function: _as_stage(function, Fitter, members | {"fit": staticmethod(function)})
