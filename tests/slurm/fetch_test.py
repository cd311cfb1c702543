"""The archives are asked by one job of a real SLURM, or before any job, and that is interrupted."""

import os
import signal
import subprocess
import unittest

from cluster import ClusterTest
from support import QSOHOST


class FetchTest(ClusterTest):
    def setUp(self):
        super().setUp()
        # An answer takes 0.04 s.
        self.server = self.serve("--throttle", "irsa", "--time-scale", "200")
        self.chain = self.sky_chain(self.server)

    def wait_for_answers(self):
        self.slurm.wait_for(lambda: self.asked(self.server) > 20, "the first answers")

    def assert_finished(self, jobs):
        self.slurm.wait()
        self.assertEqual(self.codes(jobs["merge"]), {"": ("COMPLETED", "0:0")}, self.logs())
        asked = self.asked(self.server)
        whole = self.whole(self.chain)
        self.assertEqual(asked, self.asked(self.server) - asked)  # nothing was asked twice
        self.assert_same_products(self.into / "merged", whole)

    def test_a_fetch_job_that_is_stopped_goes_on(self):
        jobs = self.submit(self.chain, "--shards", 4)
        self.wait_for_answers()
        self.slurm.start("scancel", "--batch", "--signal=TERM", jobs["fetch"])
        self.slurm.wait()
        self.assertEqual(self.codes(jobs["fetch"])[""], ("FAILED", "130:0"), self.logs())
        self.assertFalse(list(self.into.glob("log/*_0.log")))  # the array was taken back
        self.assert_finished(self.submit("--resume"))

    def test_here_and_interrupted(self):
        words = [QSOHOST, "submit", self.chain, "--shards", "4", "--fetch", "here", "--into", self.into]
        process = subprocess.Popen(words, env=self.slurm.environment, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
        self.wait_for_answers()
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        self.assertEqual(process.wait(timeout=100), 130)
        self.assertEqual(self.slurm.queue(), [])
        jobs = self.submit("--resume", "--fetch", "here")
        self.assertNotIn("fetch", jobs)
        self.assert_finished(jobs)


if __name__ == "__main__":
    unittest.main()
