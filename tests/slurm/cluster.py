"""Tests in a real SLURM."""

import json
import os
import unittest

from slurm import Slurm, why_not
from support import ShardsTest, wait_until


@unittest.skipIf(why_not(), why_not())
class ClusterTest(ShardsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.slurm = Slurm()
        cls.slurm.__enter__()
        cls.addClassCleanup(cls.slurm.__exit__)

    def setUp(self):
        super().setUp()
        self.into = self.folder / "runs"
        # A test that fails leaves no job behind.
        self.addCleanup(self.slurm.run, "scancel", "--user", str(os.getuid()), check=False)

    def submit(self, *args, **more):
        """The numbers of its jobs: {"fetch": "1", "shards": "2", "merge": "3"}."""
        said = self.qsohost("submit", *args, "--into", self.into, env=self.slurm.environment, **more)
        return dict(line.split(".sbatch: job ") for line in said.splitlines() if ".sbatch: job " in line)

    def whole(self, chain):
        """The run directory of a single run."""
        self.qsohost("--chain", chain, "--run-dir", self.folder / "whole")
        return self.folder / "whole"

    def logs(self):
        return "\n".join(f"{p.name}:\n{p.read_text()}" for p in sorted(self.into.glob("log/*")))

    def codes(self, job):
        return {k: (v["JobState"], v["ExitCode"]) for k, v in self.slurm.job(job).items()}

    def pid(self, shard):
        """Of the qsohost that works on it."""
        status = json.loads(self.qsohost("status", self.into, "--json"))
        return status["shards"][shard]["holder"]["pid"]

    def wait_for_state(self, shard, state):
        wait_until(lambda: self.states(self.into)[0][shard] == state, f"shard {shard} {state}")
