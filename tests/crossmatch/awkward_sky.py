"""A small sky with all that is awkward to cross-match, as columns and as FITS files."""

import numpy as np
from astropy.io import fits

N_LEFT, N_RIGHT = 1200, 3000
FORMATS = {"f8": "D", "f4": "E", "i2": "I", "i4": "J", "i8": "K", "b1": "L"}


def positions(rng):
    """Left and right positions in degrees: clumps across RA 0 and at both poles, where several left
    rows share a right row, and places that are there twice."""
    ra, dec = rng.uniform(0, 360, N_LEFT), np.degrees(np.arcsin(rng.uniform(-1, 1, N_LEFT)))
    for k, centre in enumerate((30.0, 90.0, -90.0)):
        part = slice(150 * k, 150 * (k + 1))
        ra[part] = rng.normal(0, 1e-3, 150) % 360 if k == 0 else rng.uniform(0, 360, 150)
        away = np.abs(rng.normal(0, 1e-3, 150))
        dec[part] = centre + away if k == 0 else np.sign(centre) * (90 - away)
    ra[500:520], dec[500:520] = ra[520:540], dec[520:540]  # two quasars in one place
    near = rng.integers(0, N_LEFT, N_RIGHT)
    away, angle = rng.exponential(0.8, N_RIGHT) / 3600, rng.uniform(0, 2 * np.pi, N_RIGHT)
    right_dec = np.clip(dec[near] + away * np.sin(angle), -90, 90)
    right_ra = (ra[near] + away * np.cos(angle) / np.maximum(np.cos(np.radians(dec[near])), 1e-6)) % 360
    right_ra[:40], right_dec[:40] = ra[500:540], dec[500:540]
    right_ra[40:60], right_dec[40:60] = right_ra[:20], right_dec[:20]
    # The same places, written otherwise; the poles; the ends of the range.
    for a in (ra, right_ra):
        a[::7] -= 360
    ra[600:604], dec[600:604] = [0, 360, -360, 123], [45, 45, 45, 90]
    right_ra[100:104], right_dec[100:104] = [-360, 0, 360, 321], [45, 45, 45, 90]
    return ra, dec, right_ra, right_dec


def columns(rng):
    """Columns of both tables by name. Names meet: without regard to case, by what prefixes make of
    them, and with what a cross-match adds."""
    ra, dec, right_ra, right_dec = positions(rng)
    # No positions: three of each, the first to be NULL in the database.
    ra[700:703], dec[703:706] = np.nan, np.nan
    right_ra[700:703], right_dec[703:706] = np.nan, np.nan
    ra[706], dec[707], right_ra[706], right_dec[707] = 361, 90.5, -360.5, -91
    z = rng.uniform(0, 5, N_LEFT)
    z[::9] = np.nan
    mag = rng.normal(20, 1, (N_LEFT, 5)).astype("f4")
    mag[::11, 2] = np.nan
    left = {
        "Name": np.array([f"q {i}" if i % 50 else "" for i in range(N_LEFT)]),
        "ra": ra, "dec": dec,
        "is_qso_final": rng.integers(0, 2, N_LEFT).astype("i2"),
        "z": z,
        "sdss_z": rng.normal(size=N_LEFT).astype("f4"),
        "mag": mag,
        "n_matches": np.arange(N_LEFT, dtype="i4"),
        "SOURCE_ID": np.arange(N_LEFT, dtype="i8"),
    }  # fmt: skip
    right = {
        "solution": rng.integers(-9, 9, N_RIGHT).astype("i4"),
        "source_id": rng.permutation(N_RIGHT).astype("i8") * 2**50 - 2**60,
        "Ra": right_ra, "dec": right_dec,
        "Z": rng.integers(-5, 5, N_RIGHT).astype("i2"),
        "is_variable": rng.integers(0, 2, N_RIGHT).astype(bool),
        "match_separation": rng.normal(size=N_RIGHT),
        "class": np.array(["star", "quasar x", ""])[rng.integers(0, 3, N_RIGHT)],
    }  # fmt: skip
    return left, right


def form_of(column):
    if column.dtype.kind == "U":
        return "12A"
    width = column.shape[1] if column.ndim > 1 else 1
    return f"{width if width > 1 else ''}{FORMATS[column.dtype.str[1:]]}"


def write_fits(path, table):
    fits.BinTableHDU.from_columns(
        [fits.Column(name, form_of(c), array=c) for name, c in table.items()]
    ).writeto(path)
