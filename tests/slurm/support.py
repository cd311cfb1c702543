"""What tests of shards share: a chain whose stages take as long as it says, and the commands."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib
import warnings

import numpy as np
from astropy.io import fits

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from chains import QSOHOST, SKYSIM, TEST_PLUGINS, ChainTest, wait_until  # noqa: E402, F401

CHAIN = """
[chain]
name = "shards"
batch_rows = 10
plugins = ["{plugins}/plugins/faux.so", "{plugins}/plugins/gate.so"]
[[stage]]
use = "faux-source"
label = "source"
objects = {objects}
can_seek = true
[[stage]]
use = "faux-fetch"
label = "fetch"
ms = {ms}
[[stage]]
use = "faux-fit"
label = "fit"
[[stage]]
use = "fits-sink"
label = "catalog"
[[stage]]
use = "fits-sink"
label = "curves"
what = "faux"
[[stage]]
use = "fits-sink"
label = "fits"
what = "fit"
[[stage]]
use = "gate"
"""


class ShardsTest(ChainTest):
    def write_chain(self, objects=80, ms=0, name="chain"):
        path = self.folder / f"{name}.toml"
        path.write_text(CHAIN.format(plugins=TEST_PLUGINS, objects=objects, ms=ms))
        return path

    def qsohost(self, *args, expect=0, env=None):
        done = subprocess.run([QSOHOST, *map(str, args)], cwd=self.folder, capture_output=True,
                              text=True, timeout=600, env=os.environ | (env or {}))  # fmt: skip
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def shard(self, chain, k, n, into, *args, **more):
        return self.qsohost("--chain", chain, "--shard", f"{k}/{n}", "--run-dir",
                            into / f"shard-{k:03d}", "--resume", *args, **more)  # fmt: skip

    def states(self, into):
        status = json.loads(self.qsohost("status", into, "--json"))
        return [shard["state"] for shard in status["shards"]], status

    def manifest(self, into):
        with open(into / "shards.toml", "rb") as file:
            return tomllib.load(file)

    def assert_same_products(self, merged, whole):
        """Byte for byte, but for dates and the checksums over them."""
        names = sorted(p.name for p in whole.glob("*.fits"))
        self.assertEqual(sorted(p.name for p in merged.glob("*.fits")), names)
        self.assertTrue(names)
        for name in names:
            one, other = (without_dates((folder / name).read_bytes()) for folder in (merged, whole))
            self.assertEqual(len(one), len(other), name)
            self.assertTrue(one == other, name)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                with fits.open(merged / name, memmap=False, checksum=True) as file:
                    file[1].data


def without_dates(data):
    return re.sub(rb"(?:DATE    |CHECKSUM|DATASUM )=.{70}", lambda m: m[0][:8] + b"=" + b" " * 71, data)


def rows(path):
    with fits.open(path, memmap=False) as file:
        return np.array(file[1].data["source_id"]).tolist()
