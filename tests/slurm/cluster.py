"""Tests in a real SLURM, of chains whose runs a test can hold between two batches."""

import json
import os
import subprocess
import sys
import unittest

from slurm import Slurm, why_not
from support import ROOT, SKYSIM, TEST_PLUGINS, ShardsTest, wait_until

sys.path.append(str(ROOT / "tests/skysim"))
from server import Server  # noqa: E402

CONNECTIONS = 3
CHAIN = """
[chain]
name = "fetched"
batch_rows = 1
plugins = ["{plugins}/plugins/gate.so"]
[[stage]]
use = "catalog-source"
label = "catalog"
path = "{sky}/targets.csv"
[[stage]]
use = "irsa-ztf"
label = "ztf"
url = "{url}"
query_by = "position"
confirm_after = 0.05
max_connections = {connections}
[[stage]]
use = "ou-fit"
label = "fit"
groups = ["ztf.g", "ztf.r"]
[[stage]]
use = "fits-sink"
label = "curves"
what = "ztf"
[[stage]]
use = "fits-sink"
label = "fits"
what = "fit"
[[stage]]
use = "gate"
"""


@unittest.skipIf(why_not(), why_not())
class ClusterTest(ShardsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.slurm = Slurm()
        cls.slurm.__enter__()
        cls.addClassCleanup(cls.slurm.__exit__)
        cls.sky = cls.slurm.folder / "sky"
        subprocess.run([SKYSIM, "make", cls.sky, "--sources", "160", "--seed", "5", "--answers"],
                       check=True, capture_output=True)  # fmt: skip

    def setUp(self):
        super().setUp()
        self.into = self.folder / "runs"
        # A test that fails leaves no job behind.
        self.addCleanup(self.slurm.cancel_all)

    def serve(self, *options):
        server = Server(self.sky, *options)
        server.__enter__()
        self.addCleanup(server.__exit__)
        return server

    def sky_chain(self, server):
        text = CHAIN.format(sky=self.sky, url=server.url, connections=CONNECTIONS, plugins=TEST_PLUGINS)
        return self.write("chain.toml", text)

    def asked(self, server):
        return server.status().get("light-curve requests", 0)

    def submit(self, *args, **more):
        """The numbers of its jobs: {"fetch": "1", "shards": "2", "merge": "3"}."""
        said = self.qsohost("submit", *args, "--into", self.into, env=self.slurm.environment, **more)
        return dict(line.split(".sbatch: job ") for line in said.splitlines() if ".sbatch: job " in line)

    def whole(self, chain):
        """The run directory of a single run."""
        self.qsohost("--chain", chain, "--run-dir", self.folder / "whole", "-j", 2)
        return self.folder / "whole"

    def logs(self):
        """The shards' first: of a long text, only its begin may be kept."""
        files = sorted(self.into.glob("log/*"), key=lambda p: ("fetch" in p.name, p.name))
        return "\n".join(f"{p.name}:\n{p.read_text()}" for p in files)

    def codes(self, job):
        return {k: (v["JobState"], v["ExitCode"]) for k, v in self.slurm.job(job).items()}

    def gate(self, shard):
        """While it exists, the shard's run waits between two batches, see gate.cpp."""
        return self.into / f"shut-shard-{shard:03d}"

    def shut(self, *shards):
        self.into.mkdir(exist_ok=True)
        for shard in shards:
            self.gate(shard).touch()

    def wait_at_gate(self, shard):
        """Until its run waits there, with the first batch committed; the run's holder."""
        waits = self.into / f"at-shard-{shard:03d}"
        self.slurm.wait_for(waits.exists, f"shard {shard} to be at its gate", on=self.start_those_that_wait)
        waits.unlink()
        self.slurm.wait_for(lambda: self.status()[shard]["objects"] > 0, "the first batch")
        return self.status()[shard]["holder"]

    def start_those_that_wait(self):
        """SLURM starts a requeued task two minutes later; here at once."""
        for line in self.slurm.queue():
            if "BeginTime" in line:
                self.slurm.run("scontrol", "update", f"JobId={line.split()[0]}", "StartTime=now", check=False)

    def status(self):
        return json.loads(self.qsohost("status", self.into, "--json"))["shards"]
