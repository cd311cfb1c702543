"""Shards and resumed runs of a source that can seek: the same products, and rows before are not read."""

import random
import signal
import subprocess
import time
import unittest

import numpy as np
from astropy.io import fits

from support import QSOHOST, ChainTest, read_table

ROWS = 60
CHAIN = """
[chain]
name = "seek"
batch_rows = 2
[[stage]]
use = "lightcurve-source"
label = "curves"
paths = ["curves.fits"]
[[stage]]
use = "fits-sink"
label = "raw"
what = "ztf"
columns = ["mjd", "mag", "magerr"]
keep_chunks = true
"""


class Seek(ChainTest):
    def setUp(self):
        super().setUp()
        self.chain = self.write("chain.toml", CHAIN)
        self.make_curves("curves.fits")

    def make_curves(self, name, bad_row=None):
        """The arrays of a bad row are of different lengths, which is found when it is read."""
        rng = np.random.default_rng(5)
        lengths = rng.integers(0, 9, ROWS)
        arrays = {}
        for k, column in enumerate(("mjd_g", "mag_g", "magerr_g")):
            longer = [k if row == bad_row else 0 for row in range(ROWS)]
            arrays[column] = [rng.uniform(1, 2, n + m) for n, m in zip(lengths, longer)]
        columns = [
            fits.Column("source_id", "K", array=np.arange(1, ROWS + 1)),
            fits.Column("ra", "D", unit="deg", array=np.arange(ROWS) + 0.5),
            fits.Column("dec", "D", unit="deg", array=np.arange(ROWS) / 2),
            *(fits.Column(name, "PD()", array=np.array(a, dtype=object)) for name, a in arrays.items()),
        ]
        fits.BinTableHDU.from_columns(columns).writeto(self.folder / name)

    def run_dir(self, name, *args, **more):
        return self.qsohost("--chain", self.chain, "--run-dir", name, *args, **more)

    def assert_same_tables(self, one, other):
        (a, header), (b, _) = (read_table(self.folder / d / "seek_ztf_lc.fits") for d in (one, other))
        self.assertEqual(list(a), list(b))
        self.assertEqual((header["TIMESYS"], header["TREFPOS"], header["MJDREF"]), ("UTC", "TOPOCENTER", 0))
        for name, column in a.items():
            self.assertEqual(len(column), len(b[name]))
            for x, y in zip(column, b[name]):
                np.testing.assert_array_equal(x, y)

    def test_merged_shards_equal_the_whole_run(self):
        self.run_dir("whole")
        self.run_dir("a", "--limit", 7)
        self.run_dir("b", "--skip", 7, "--limit", 30)
        self.run_dir("c", "--skip", 37)
        self.qsohost("merge", "a", "b", "c", "--into", "merged")
        self.assert_same_tables("whole", "merged")

    def test_rows_before_a_shard_are_not_read(self):
        self.make_curves("bad.fits", bad_row=4)
        (self.folder / "bad.fits").replace(self.folder / "curves.fits")
        self.assertIn("row 5", self.run_dir("whole", expect=1).stderr)
        self.run_dir("shard", "--skip", 5)
        table, _ = read_table(self.folder / "shard/seek_ztf_lc.fits")
        self.assertEqual(list(table["source_id"]), list(range(6, ROWS + 1)))

    def test_a_killed_run_resumes_to_the_same_tables(self):
        begin = time.monotonic()
        self.run_dir("whole")
        seconds = time.monotonic() - begin
        rng = random.Random(3)
        kills = 0
        for _ in range(30):
            process = subprocess.Popen(
                [QSOHOST, "--chain", self.chain, "--run-dir", "run", "--resume"],
                cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            try:
                self.assertEqual(process.wait(timeout=rng.uniform(0.1, 0.6) * seconds), 0)
                break
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                kills += 1
        else:
            self.run_dir("run", "--resume")
        self.assertGreater(kills, 0)
        self.assert_same_files(self.folder / "whole", self.folder / "run")


if __name__ == "__main__":
    unittest.main()
