"""Objects and light curves in memory as the source of a chain."""

from collections.abc import Mapping, Sequence

import numpy as np

from . import _core

# How the columns of a light curve are called in a chain and its products.
ROLES = ("mjd", "mag", "magerr")
_UNITS = {"ra": "deg", "dec": "deg", "mjd": "d", "mag": "mag", "magerr": "mag"}
# Types that a column can have, and those that become another.
_WIDER = {"int8": "int16", "uint8": "int16", "uint16": "int32", "uint32": "int64", "float16": "float32"}
_TYPES = ("bool", "int16", "int32", "int64", "float32", "float64")


def _column(name: str, values) -> np.ndarray:
    """The values as an array of a type that a column can have."""
    if isinstance(values, np.ma.MaskedArray):
        if values.dtype.kind != "f" and np.ma.is_masked(values):
            raise TypeError(f"{name}: masked values are possible in floats only, where they become NaN")
        values = values.filled(np.nan) if values.dtype.kind == "f" else values.data
    array = np.asarray(values)
    if array.dtype.kind in "USO":
        return array
    kind = array.dtype.newbyteorder("=").name
    kind = _WIDER.get(kind, kind)
    if kind not in _TYPES:
        raise TypeError(f"{name}: values of type {array.dtype} cannot be a column; convert them first")
    return np.ascontiguousarray(array, dtype=kind)


def _epochs_of(curve, group: str, row: int) -> dict[str, np.ndarray]:
    """The columns of one light curve."""
    named = curve if isinstance(curve, Mapping) else dict(zip(ROLES, curve, strict=True))
    columns = {name: _column(f"{group}, object {row}, {name}", values) for name, values in named.items()}
    missing = [name for name in ROLES if name not in columns]
    lengths = {len(values) for values in columns.values()}
    if missing or len(lengths) != 1:
        problem = f"no {missing[0]}" if missing else "columns of different lengths"
        raise ValueError(f"light curve {group} of object {row}: {problem}")
    return columns


def _add_group(maker, group: str, curves: Sequence, time_system: str) -> None:
    survey, _, band = group.partition(".")
    epochs = [_epochs_of(curve, group, row) for row, curve in enumerate(curves)]
    lengths = [len(columns[ROLES[0]]) for columns in epochs]
    maker.add_group(group, survey, band, list(ROLES), time_system, lengths)
    numbers = [np.arange(n, dtype=np.int64) for n in lengths]
    names = list(epochs[0]) if epochs else list(ROLES)
    flat = {name: [columns[name] for columns in epochs] for name in names}
    if "epoch_id" not in flat:
        maker.add_group_column(group, "epoch_id", "", "position in the light curve", _joined(numbers, np.int64))
    for name, parts in flat.items():
        maker.add_group_column(group, name, _UNITS.get(name, ""), name, _joined(parts, np.float64))


def _joined(parts: list[np.ndarray], dtype) -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty(0, dtype)


def from_arrays(
    light_curves: Mapping[str, Sequence] | None = None,
    *,
    source_id=None,
    time_system: str = "MJD UTC",
    units: Mapping[str, str] | None = None,
    **columns,
):
    """Objects in memory, for Chain(..., source=...) whose first stage is `use = "arrays"`.

    light_curves: {"ztf.g": curves}, one curve an object: (mjd, mag, magerr), or a dict with these
    and further columns. Days in `time_system`, magnitudes, magnitudes; masked floats become NaN.
    columns: one value an object: ra=..., dec=... (degrees), z=..., and any others; units: theirs.
    source_id: integers or texts; without them 0, 1, 2, ...

    Everything is copied once. The result is a batch: batch["ztf.g"][0].mag, batch["ra"].
    """
    light_curves = dict(light_curves or {})
    sizes = {name: len(values) for name, values in {**columns, **light_curves}.items()}
    if source_id is not None:
        sizes["source_id"] = len(source_id)
    if len(set(sizes.values())) != 1:
        raise ValueError(f"each must have one entry an object, but their lengths are {sizes}")
    rows = next(iter(sizes.values()))
    ids = np.arange(rows, dtype=np.int64) if source_id is None else _column("source_id", source_id)
    if ids.dtype.kind in "ib":
        ids = ids.astype(np.int64)
    elif ids.dtype.kind == "f":
        raise TypeError("source_id: integers or texts, not floats, which do not hold all digits")
    units = {**_UNITS, **(units or {})}
    maker = _core.BatchMaker(rows)
    maker.add_object_column("source_id", "", "identifier", ids)
    for name, values in columns.items():
        maker.add_object_column(name, units.get(name, ""), name, _column(name, values))
    for group, curves in light_curves.items():
        _add_group(maker, group, curves, time_system)
    return maker.finish()
