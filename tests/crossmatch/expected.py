"""What a cross-match must give, worked out with astropy by the rules of qsohost/io/crossmatch.hpp."""

import pathlib
import sys

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))


def read(path):
    with fits.open(path, memmap=False) as file:
        return file[1].data, file[1].columns


def sky(table, rows):
    # Their matching trees do not take RA 360 and more, or negative ones, for what they are.
    return SkyCoord(np.mod(table["ra"][rows], 360.0) * u.deg, table["dec"][rows] * u.deg)


def on_sky(table):
    with np.errstate(invalid="ignore"):
        return np.flatnonzero(np.isfinite(table["ra"]) & (np.abs(table["dec"]) <= 90))


def pairs(left, right, radius, take=None, match="all", unique="keep"):
    """Rows of left and right, separations and n_matches, in order; `take`: a mask of left rows."""
    rows = on_sky(left)
    if take is not None:
        rows = rows[take[rows]]
    others = on_sky(right)
    # The first table of search_around_sky is searched for in the second.
    i, k, away, _ = sky(left, rows).search_around_sky(sky(right, others), radius * u.arcsec)[:4]
    i, k = k, i  # astropy: idx into the argument, then into self
    a, b, separation = rows[i], others[k], away.arcsec
    order = np.lexsort((right["source_id"][b], separation, a))
    a, b, separation = a[order], b[order], separation[order]
    _, first, inverse, times = np.unique(
        a, return_index=True, return_inverse=True, return_counts=True
    )
    n_matches = times[inverse]
    keep = np.zeros(len(a), bool) | (match == "all")
    keep[first] = True
    a, b, separation, n_matches = a[keep], b[keep], separation[keep], n_matches[keep]
    order = np.lexsort((a, separation, right["source_id"][b]))
    a, b, separation, n_matches = a[order], b[order], separation[order], n_matches[order]
    _, first, inverse, times = np.unique(
        right["source_id"][b], return_index=True, return_inverse=True, return_counts=True
    )
    keep = np.zeros(len(a), bool) | (unique == "keep")
    if unique == "nearest":
        keep[first] = True
    if unique == "drop":
        keep = times[inverse] == 1
    return a[keep], b[keep], separation[keep], n_matches[keep]


def names(left, right, prefixes=("sdss", "gaia")):
    """(names of left's columns, names of right's columns) in the result."""
    sides = [list(left.names), list(right.names)]
    out = [list(left.names), list(right.names)]
    changed = True
    while changed:
        changed = False
        every = [n.lower() for n in out[0] + out[1]] + ["match_separation", "n_matches"]
        for side in (0, 1):
            for i, name in enumerate(sides[side]):
                is_id = side == 1 and name == "source_id"
                if is_id or out[side][i] != name or every.count(name.lower()) == 1:
                    continue
                out[side][i] = f"{prefixes[side]}_{name}"
                changed = True
    return out


def same(got, wanted):
    if got.dtype.kind in "SU":
        return np.array_equal(np.char.rstrip(got.astype(str)), np.char.rstrip(wanted.astype(str)))
    if got.dtype.kind == "f":
        return got.dtype == wanted.dtype and np.array_equal(got, wanted, equal_nan=True)
    return np.array_equal(got, wanted)
