"""atlas against `skysim serve`: products against atlas.fits, traps, faults, kills, manners."""

import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "skysim")]
from chains import SKYSIM, ChainTest, read_table  # noqa: E402
from server import Server  # noqa: E402

TOKEN = "skysim-atlas-token"
FAST = ("--time-scale", 300)
COLUMNS = {"mjd": "MJD", "mag": "m", "mag_err": "dm", "flux": "uJy", "flux_err": "duJy",
           "err": "err", "chi_n": "chi/N", "x": "x", "y": "y", "maj": "maj", "min": "min", "phi": "phi",
           "apfit": "apfit", "mag5sig": "mag5sig", "sky": "Sky"}  # fmt: skip
CHAIN = """
[chain]
name = "skysim"
batch_rows = 25
[[stage]]
use = "catalog-source"
path = "targets.csv"
[[stage]]
use = "atlas"
poll = 0.05
[[stage]]
use = "fits-sink"
what = "atlas"
path = "atlas.fits"
columns = {columns}
"""


class SkysimTest(ChainTest):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="qsohost-atlas-")
        cls.addClassCleanup(folder.cleanup)
        cls.sky = pathlib.Path(folder.name) / "sky"
        make = [SKYSIM, "make", cls.sky, "--sources", "60", "--seed", "7", "--atlas"]
        subprocess.run(make, check=True, capture_output=True)
        made, _ = read_table(cls.sky / "atlas.fits")
        # Beside the quasars, two places where the archive has nothing.
        nowhere = [(10.0, -80.0), (200.5, -80.0)]
        cls.places = list(zip(made["ra"], made["dec"])) + nowhere
        with Server(cls.sky) as server:
            cls.truth = [cls.measure(server, *place) for place in cls.places]
        cls.empty = [i for i, rows in enumerate(cls.truth) if not rows]

    @staticmethod
    def measure(server, ra, dec):
        """The rows that the service has of a place: a dictionary each."""

        def ask(url, **form):
            data = urllib.parse.urlencode(form).encode() if form else None
            headers = {"Authorization": f"Token {TOKEN}"}
            return urllib.request.urlopen(urllib.request.Request(url, data, headers)).read().decode()

        form = {"ra": f"{ra:.7f}", "dec": f"{dec:.7f}", "mjd_min": 57200, "use_reduced": "true"}
        queue = f"{server.url}/forcedphot/queue/"
        task = json.loads(ask(queue, **form))
        while not task["finishtimestamp"]:
            task = json.loads(ask(f"{queue}{task['id']}/"))
        if task["error_msg"]:
            return []
        names, *lines = ask(task["result_url"]).splitlines()
        return [dict(zip(names.removeprefix("###").split(), line.split())) for line in lines]

    def setUp(self):
        super().setUp()
        self.write("token", TOKEN)
        lines = "".join(f"{k},{ra!r},{dec!r}\n" for k, (ra, dec) in enumerate(self.places))
        self.write("targets.csv", "source_id,ra,dec\n" + lines)
        self.write("chain.toml", CHAIN.format(columns=json.dumps(list(COLUMNS))))

    def args(self, server, *more, run="run"):
        return ("--chain", "chain.toml", "--run-dir", run, f"--set=atlas.url={server.url}/forcedphot",
                "--set=atlas.token=file:token", *more)  # fmt: skip

    def outcomes(self):
        stages = json.loads(self.qsohost("status", "run", "--json").stdout)["stages"]
        stage = next(s for s in stages if s["stage"] == "atlas")
        return [stage[k] for k in ("matched", "not_found", "failed", "bad")]

    def assert_right(self):
        product, _ = read_table(self.folder / "run/atlas.fits")
        for i, rows in enumerate(self.truth):
            for band in "co":
                chosen = [row for row in rows if row["F"] == band]
                for name, archive in COLUMNS.items():
                    got = product[f"{name}_{band}"][i]
                    want = np.array([row[archive] for row in chosen], dtype=float)
                    if name == "mag":
                        want[[float(row["m"]) < 0 for row in chosen]] = np.nan
                    np.testing.assert_array_equal(got, want.astype(got.dtype), f"{name}_{band}, row {i}")
        found = len(self.places) - len(self.empty)
        self.assertEqual(self.outcomes(), [found, len(self.empty), 0, 0])

    def assert_polite(self, server, left=0, kills=0):
        """What a killed run has not noted, a 429 or a look at a task, is not known to the next one."""
        counts = server.status()["services"]["atlas"]
        self.assertLessEqual(counts["POSTs before the second that a 429 named"], kills)
        self.assertEqual(counts["POSTs without mjd_min"], 0)
        self.assertEqual(counts["tasks left"], left)
        self.assertLessEqual(counts["most in flight"], 8)
        if kills == 0:
            self.assertGreaterEqual(counts.get("shortest wait between looks (ms)", 300), 300)
        self.assertTrue(all(agent.startswith("qsohost/") for agent in counts["user agents"]), counts)
        return counts

    def test_products_are_what_the_archive_has(self):
        with Server(self.sky, *FAST) as server:
            self.qsohost(*self.args(server))
            counts = self.assert_polite(server)
        self.assertEqual(counts["tasks"], len(self.places))
        self.assert_right()
        # Among them fluxes below zero, which stay, and exposures of errors, which a filter takes.
        rows = [row for rows in self.truth for row in rows]
        self.assertGreater(sum(float(row["uJy"]) < 0 for row in rows), 0)
        self.assertEqual({row["F"] for row in rows}, {"c", "o"})
        self.assertGreaterEqual(len(self.empty), 2)

    def test_traps(self):
        with Server(self.sky, *FAST, "--traps", "atlas-429=0.2,atlas-error=0.1") as server:
            self.qsohost(*self.args(server))
            counts = self.assert_polite(server)
        self.assertGreater(counts["status 429"], 3)
        self.assertGreater(counts["tasks"], len(self.places))
        self.assert_right()

    def test_every_fault_and_kills(self):
        """5 % of every fault, and kills at any moment: the products of a faultless run. A POST whose
        answer is lost is sent again, and the task that it has made is found in the list and deleted."""
        rng = random.Random(2)
        with Server(self.sky, *FAST, "--faults", "all=0.05,400=0.01", "--traps", "atlas-429=0.05") as server:
            for _ in range(4):
                process = self.launch(*self.args(server, "--resume"))
                time.sleep(rng.uniform(0.5, 6))
                process.kill()
                process.wait()
            if self.qsohost(*self.args(server, "--resume"), expect=None).returncode == 3:
                # An object had a fault at every attempt.
                self.qsohost(*self.args(server, "--retry-failed"))
            counts = self.assert_polite(server, kills=4)
        self.assertGreaterEqual(counts["tasks"], len(self.places))
        self.assertEqual(counts["tasks"], counts["deleted tasks"])
        self.assert_right()

    def test_tasks_that_never_begin(self):
        with Server(self.sky, *FAST, "--traps", "atlas-stuck=0.1") as server:
            self.qsohost(*self.args(server, "--set=atlas.task_timeout=10"), expect=3)
            matched, not_found, failed, bad = self.outcomes()
            self.assertEqual((matched + not_found + failed, bad), (len(self.places), 0))
            self.assertGreater(failed, 0)
            self.assert_polite(server, left=failed)


if __name__ == "__main__":
    unittest.main()
