"""What the tests of neowise share: a sky with NEOWISE exposures, its server, and runs of the host."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np
from astropy.io import fits

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(TESTS / "support"))
from chains import QSOHOST, SKYSIM, read_table  # noqa: E402

sys.path.append(str(TESTS / "skysim"))
RADIUS = 3  # arcsec
BATCH = 40
SOURCES = 260

CHAIN = """
[chain]
name = "wise"
batch_rows = {rows}
[[stage]]
use = "catalog-source"
label = "catalog"
path = "{targets}"
[[stage]]
use = "neowise"
url = "{url}/TAP"
radius_arcsec = {radius}
{options}
[[stage]]
use = "fits-sink"
label = "raw"
what = "neowise"
{stages}
"""


class NeowiseTest(unittest.TestCase):
    """A sky for all tests of a class. `rows`: of the archive's table, by target."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="qsohost-neowise-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.sky = cls.folder / "sky"
        subprocess.run([SKYSIM, "make", cls.sky, "--sources", str(SOURCES), "--seed", "5", "--neowise"],
                       check=True, capture_output=True)  # fmt: skip
        truth, _ = read_table(cls.sky / "neowise_truth.fits")
        with fits.open(cls.sky / "neowise.fits", memmap=False) as file:
            table = np.array(file[1].data)
        cls.targets = cls.folder / "targets.csv"
        lines = [f"{n},{ra!r},{dec!r}" for n, ra, dec in
                 zip(truth["allwise_cntr"].tolist(), truth["ra"].tolist(), truth["dec"].tolist())]  # fmt: skip
        lines.append("1,10.0,-89.0")  # nothing there
        cls.targets.write_text("\n".join(["source_id,ra,dec", *lines]) + "\n")
        cls.rows = [cls.near(table, *map(float, line.split(",")[1:])) for line in lines]

    @staticmethod
    def near(table, ra, dec):
        """Rows inside the radius, by time."""
        dra = np.radians(table["ra"] - ra) / 2
        ddec = np.radians(table["dec"] - dec) / 2
        h = np.sin(ddec) ** 2 + np.cos(np.radians(dec)) * np.cos(np.radians(table["dec"])) * np.sin(dra) ** 2
        rows = table[2 * np.degrees(np.arcsin(np.sqrt(h))) * 3600 <= RADIUS]
        return rows[np.argsort(rows["mjd"], kind="stable")]

    @staticmethod
    def has_epochs(rows):
        return bool((~np.isnan(rows["w1mpro"])).any() or (~np.isnan(rows["w2mpro"])).any())

    def chain(self, name, url, rows=BATCH, stages="", **options):
        options = {"confirm_after": 0.05, **options}
        path = self.folder / f"{name}.toml"
        lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in options.items())
        path.write_text(CHAIN.format(rows=rows, targets=self.targets, url=url, radius=RADIUS,
                                     options=lines, stages=stages))  # fmt: skip
        return path

    def start(self, chain, *args):
        """In the background; what it says goes to <chain>.log."""
        with open(chain.with_suffix(".log"), "a", encoding="utf-8") as log:
            process = subprocess.Popen(
                [QSOHOST, "--chain", chain, "--run-dir", chain.with_suffix(""), *map(str, args)],
                cwd=self.folder, stdout=log, stderr=log)  # fmt: skip
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def qsohost(self, chain, *args, expect=0):
        """To its end; the run directory."""
        code = self.start(chain, *args).wait(timeout=600)
        self.assertEqual(code, expect, chain.with_suffix(".log").read_text())
        return chain.with_suffix("")

    def status(self, run, *args):
        done = subprocess.run([QSOHOST, "status", run, "--json", *args], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def stage(self, run, name):
        return next(s for s in self.status(run)["stages"] if s["stage"] == name)

    def assert_right(self, run, targets=None):
        """Every target, or the first ones, has exactly the epochs that the sky's table has, and ended
        as it should."""
        wanted = self.rows[:targets]
        product, _ = read_table(run / "wise_neowise_lc.fits")
        self.assertEqual(len(product["source_id"]), len(wanted))
        for i, rows in enumerate(wanted):
            for band in ("w1", "w2"):
                there = rows[~np.isnan(rows[band + "mpro"])]
                for column, of_archive in (("mjd", "mjd"), ("mag", band + "mpro"), ("mag_err", band + "sigmpro"),
                                           ("nb", "nb"), ("qual_frame", "qual_frame")):  # fmt: skip
                    np.testing.assert_array_equal(product[f"{column}_{band}"][i], there[of_archive], f"row {i}")
                for column, of_archive in (("saa_sep", "saa_sep"), ("rchi2", band + "rchi2")):
                    np.testing.assert_allclose(product[f"{column}_{band}"][i], there[of_archive], rtol=1e-6)
        stage = self.stage(run, "neowise")
        outcomes = [stage[k] for k in ("matched", "not_found", "failed", "bad")]
        found = sum(self.has_epochs(rows) for rows in wanted)
        self.assertEqual(outcomes, [found, len(wanted) - found, 0, 0])

    def assert_polite(self, counts):
        self.assertLessEqual(counts["most in flight"], 8)
        self.assertLess(counts.get("longest GET", 0), 4096)
        self.assertTrue(all(agent.startswith("qsohost/") for agent in counts["user agents"]))
        self.assertEqual(counts["unfinished jobs"], 0)


def irsa(server):
    return server.status()["services"]["irsa"]
