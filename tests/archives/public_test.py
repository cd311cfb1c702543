"""examples/public.toml against simulated archives with every trap and fault: its products are those
of a faultless run, whatever happens to the run, and no archive is asked impolitely."""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import numpy as np
from astropy.io import fits

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(TESTS / "support"))
from chains import QSOHOST, SKYSIM  # noqa: E402

sys.path.append(str(TESTS / "skysim"))
from server import Server  # noqa: E402

CHAIN = TESTS.parent / "examples/public.toml"
FAST = ("--time-scale", 100)
TRAPS = "booleans=t,html-502=0.05,html-200=0.05,pool-empty=0.05,null-500=0.05,see-other=0.3,query-in-url,xmatch-columns"  # fmt: skip
ASKED = ("xmatch", "aip", "irsa", "ztf")


def same(a, b):
    if a.dtype == object:
        return len(a) == len(b) and all(np.array_equal(x, y, equal_nan=x.dtype.kind == "f") for x, y in zip(a, b))
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


class PublicArchives(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="qsohost-public-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.sky = cls.folder / "sky"
        subprocess.run([SKYSIM, "make", cls.sky, "--sources", "120", "--seed", "19", "--neowise"],
                       check=True, capture_output=True)  # fmt: skip
        with Server(cls.sky) as server:
            cls.faultless, counts = cls.folder / "faultless", {}
            code = cls.start(cls.faultless, server).wait(timeout=300)
            assert code == 0, (cls.folder / "log").read_text()

    @classmethod
    def start(cls, run, server, *args):
        options = {
            "crossmatch.url": server.url + "/xmatch/api/v1/sync",
            "crossmatch.block_rows": 50,
            "gaia.url": server.url + "/aip/tap",
            "ztf.url": server.url,
            "neowise.url": server.url + "/TAP",
            **{f"{stage}.confirm_after": 0.05 for stage in ("gaia", "ztf", "neowise")},
            **{f"{stage}.timeout": 5 for stage in ("gaia", "ztf", "neowise")},
            "chain.batch_rows": 20,
        }
        text = CHAIN.read_text().replace('name = "public"\n', 'name = "public"\nbatch_rows = 20\n')
        chain = cls.folder / "public.toml"
        chain.write_text(text)
        del options["chain.batch_rows"]
        with open(cls.folder / "log", "a", encoding="utf-8") as log:
            return subprocess.Popen(
                [QSOHOST, "--chain", chain, "--run-dir", run, *map(str, args),
                 *(word for name, value in options.items() for word in ("--set", f"{name}={value}"))],
                stdout=log, stderr=log, env={**os.environ, "QSOHOST_QUASARS": str(cls.sky / "sdss_dr16q.fits")})  # fmt: skip

    def finish(self, run, server, *args):
        code = self.start(run, server, *args).wait(timeout=600)
        if code == 3:  # an object had a fault at every attempt
            code = self.start(run, server, "--retry-failed").wait(timeout=600)
        self.assertEqual(code, 0, (self.folder / "log").read_text()[-3000:])

    def assert_equal_products(self, run):
        files = sorted(path.name for path in self.faultless.glob("*.fits"))
        self.assertGreater(len(files), 10)
        self.assertEqual(files, sorted(path.name for path in run.glob("*.fits")))
        for name in files:
            with fits.open(self.faultless / name) as a, fits.open(run / name) as b:
                self.assertEqual(a[1].columns.names, b[1].columns.names)
                for column in a[1].columns.names:
                    self.assertTrue(same(a[1].data[column], b[1].data[column]), f"{name} {column}")

    def assert_polite(self, server):
        counts = server.status()
        text = json.dumps(counts, indent=1)
        for service in counts["services"].values():
            self.assertLessEqual(service.get("most in flight", 0), 8, text)
            self.assertLess(service.get("longest GET", 0), 4096, text)
            self.assertEqual(service.get("unfinished jobs", 0), 0, text)
            self.assertEqual(service.get("requests after a 403", 0), 0, text)
            self.assertTrue(all(agent.startswith("qsohost/") for agent in service.get("user agents", [])), text)
        self.assertLessEqual(counts["services"]["xmatch"]["most in flight"], 1, text)

    def test_faults_and_traps_change_nothing(self):
        with Server(self.sky, "--faults", "all=0.05,400=0.01", "--traps", TRAPS, *FAST) as server:
            run = self.folder / "faults"
            self.finish(run, server)
            self.assert_polite(server)
            faults = sum(n for service in server.status()["services"].values()
                         for what, n in service.items() if what.startswith("fault "))  # fmt: skip
            self.assertGreater(faults, 3)
        self.assert_equal_products(run)

    def test_killed_again_and_again_the_products_are_the_same(self):
        rng = random.Random(7)
        run = self.folder / "killed"
        with Server(self.sky, "--throttle", "irsa", "--time-scale", 20) as server:
            kills = 0
            while kills < 6:
                process = self.start(run, server, "--resume")
                try:
                    process.wait(timeout=rng.uniform(0.2, 1))
                    break
                except subprocess.TimeoutExpired:
                    os.kill(process.pid, signal.SIGKILL)
                    process.wait()
                    kills += 1
            self.finish(run, server, "--resume")
            self.assert_polite(server)
        self.assertGreater(kills, 0)
        self.assert_equal_products(run)

    def test_rows_without_a_match_are_counted(self):
        done = subprocess.run([QSOHOST, "status", self.faultless, "--json"], capture_output=True, text=True, check=True)
        with fits.open(self.faultless / "public_catalog.fits") as file:
            matched = len(set(file[1].data["SDSS_NAME"]))
        text = json.dumps(json.loads(done.stdout))
        self.assertIn(f'"no match", "n": {120 - matched}', text.replace('"what": ', ""), text[:3000])


if __name__ == "__main__":
    unittest.main()
