"""What the tests of irsa-ztf share: a sky and what is true of it, its server, and runs of the host.

QSOHOST_IRSA_SOURCES=3000 makes the sky as large; then the tests take minutes.
"""

import json
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

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "skysim"))
ROOT = HERE.parents[1]
QSOHOST = os.environ.setdefault("QSOHOST", str(ROOT / "build/bin/qsohost"))
SKYSIM = os.environ.setdefault("SKYSIM", str(ROOT / "build/bin/skysim"))
os.environ.setdefault("QSOHOST_PLUGIN_PATH", str(ROOT / "build/lib/qsohost/plugins"))
SOURCES = int(os.environ.get("QSOHOST_IRSA_SOURCES", "150"))
SCALE = max(1, SOURCES // 150)
# Of `skysim serve`: a drip of 300 s lasts 3 s, Retry-After is 1 s, and an answer takes 0.08 s.
FAST = ("--time-scale", 100)
SLOWER = ("--time-scale", 20)  # 0.4 s

CHAIN = """
[chain]
name = "irsa"
batch_rows = {rows}
[[stage]]
use = "catalog-source"
label = "catalog"
path = "{targets}"
[[stage]]
use = "{use}"
label = "ztf"
{options}
[[stage]]
use = "fits-sink"
label = "sink"
what = "ztf"
path = "ztf.fits"
"""


def asked_of(counts):
    return counts.get("light-curve requests", 0)


def asked(server):
    return asked_of(server.status())


def read_product(path):
    """Its columns; the checksums must be right."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(path, memmap=False, checksum=True) as file:
            table = file[1].data
            return {name: np.array(table[name], copy=True) for name in table.names}, file[1].header


class IrsaTest(unittest.TestCase):
    """A sky for all tests of a class. `truth`: the product that ztf-files makes of the answers that
    skysim wrote to disk, each position asked on its own."""

    MORE = ""  # options of irsa-ztf in every chain

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="qsohost-irsa-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.sky = cls.folder / "sky"
        subprocess.run([SKYSIM, "make", cls.sky, "--sources", str(SOURCES), "--seed", "5", "--answers"],
                       check=True, capture_output=True)  # fmt: skip
        cls.targets = cls.sky / "targets.csv"
        cls.objects = len(cls.targets.read_text().splitlines()) - 1
        chain = cls.write_chain("truth", "ztf-files", f'path = "{cls.sky}/irsa/{{source_id}}.csv"')
        done = subprocess.run([QSOHOST, "--chain", chain, "--run-dir", cls.folder / "truth"],
                              capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        cls.truth, _ = read_product(cls.folder / "truth/ztf.fits")
        cls.found = sum(any(len(cls.truth[f"mjd_{b}"][i]) for b in "gri") for i in range(cls.objects))

    @classmethod
    def write_chain(cls, name, use, options, rows=500):
        path = cls.folder / f"{name}.toml"
        path.write_text(CHAIN.format(rows=rows, targets=cls.targets, use=use, options=options))
        return path

    def chain(self, name, url, rows=500, **options):
        lines = [f'url = "{url}"', "confirm_after = 0.05", self.MORE]
        lines += [f"{key} = {json.dumps(value)}" for key, value in options.items()]
        return self.write_chain(name, "irsa-ztf", "\n".join(lines), rows)

    def many_targets(self):
        """All targets four times, under ids of their own: more than go in one request."""
        header, *lines = self.targets.read_text().splitlines()
        rest = [line.partition(",")[2] for line in lines] * 4
        path = self.folder / "many.csv"
        path.write_text("\n".join([header] + [f"{i},{x}" for i, x in enumerate(rest)]) + "\n")
        return path

    def start(self, chain, *args):
        """In the background; what it says goes to <chain>.log."""
        log = open(chain.with_suffix(".log"), "a", encoding="utf-8")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            [QSOHOST, "--chain", chain, "--run-dir", chain.with_suffix(""), *map(str, args)],
            cwd=self.folder, stdout=log, stderr=log)  # fmt: skip
        self.addCleanup(process.kill)
        return process

    def qsohost(self, chain, *args, expect=0, timeout=3000):
        """To its end; the run directory."""
        code = self.start(chain, *args).wait(timeout=timeout)
        self.assertEqual(code, expect, chain.with_suffix(".log").read_text())
        return chain.with_suffix("")

    def status(self, run, *args):
        done = subprocess.run([QSOHOST, "status", run, *args], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout) if "--json" in args else done.stdout

    def ztf(self, run):
        return next(s for s in self.status(run, "--json")["stages"] if s["stage"] == "ztf")

    def assert_right(self, run):
        """Every source has exactly the epochs that are true of it, and ended as it should."""
        product, _ = read_product(run / "ztf.fits")
        self.assertEqual(list(product), list(self.truth))
        for name, wanted in self.truth.items():
            for i, cell in enumerate(wanted):
                np.testing.assert_array_equal(product[name][i], cell, f"{name}, row {i}")
        stage = self.ztf(run)
        outcomes = [stage[k] for k in ("matched", "not_found", "failed", "bad")]
        self.assertEqual(outcomes, [self.found, self.objects - self.found, 0, 0])
