"""What the tests of skysim share: making a sky, reading its tables."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import warnings

import numpy as np
from astropy.io import fits
from astropy.table import Table

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from chains import is_sanitized  # noqa: E402, F401

QSOHOST = os.environ.get("QSOHOST", str(ROOT / "build/bin/qsohost"))
SKYSIM = os.environ.get("SKYSIM", str(ROOT / "build/bin/skysim"))
COLUMNS = ROOT / "hosts/skysim/columns"
CATALOGUES = ("sdss_dr16q", "gaia_source")
TABLES = (*CATALOGUES, "gaia_epoch", "ztf_objects", "ztf_light_curves", "truth", "dr16q_prop", "quaia")


def skysim(*args, expect=0):
    done = subprocess.run([SKYSIM, *map(str, args)], capture_output=True, text=True, timeout=600)
    assert done.returncode == expect, done.stdout + done.stderr
    return done


class SkyTest(unittest.TestCase):
    """A sky for all tests of a class: `sky` is its folder."""

    MAKE = ("--sources", "200", "--seed", "7")

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="skysim-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.sky = cls.folder / "sky"
        skysim("make", cls.sky, *cls.MAKE)


def read_table(path):
    """The table of a file; wrong checksums and whatever astropy complains of are errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(path, memmap=False, checksum=True) as file:
            data = file[1].data
            columns = {name: np.array(data[name], copy=True) for name in data.names}
            return Table(columns, copy=False), file[1].header


def column_list(table):
    lines = (COLUMNS / f"{table}.tsv").read_text().splitlines()[1:]
    return [line.split("\t") for line in lines]


def flat(cells):
    return np.concatenate([np.asarray(c) for c in cells])


def separation(ra1, dec1, ra2, dec2):
    """arcsec, of small angles"""
    dra = (np.asarray(ra1) - ra2 + 180) % 360 - 180
    return 3600 * np.hypot(dra * np.cos(np.radians(dec2)), np.asarray(dec1) - dec2)


def pairs_within(left, right, radius):
    """Rows (i, j) of two tables that are at most `radius` arcsec apart, by brute force in dec."""
    order = np.argsort(right["dec"])
    decs = np.asarray(right["dec"])[order]
    first = np.searchsorted(decs, left["dec"] - radius / 3600, "left")
    last = np.searchsorted(decs, left["dec"] + radius / 3600, "right")
    pairs = []
    for i in np.flatnonzero(last > first):
        for j in order[first[i]:last[i]]:
            if separation(left["ra"][i], left["dec"][i], right["ra"][j], right["dec"][j]) <= radius:
                pairs.append((i, j))
    return np.array(pairs, dtype=int).reshape(-1, 2)
