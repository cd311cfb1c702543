"""The archives are asked by one job, in a real SLURM; the tasks of the array send no request."""

import os
import signal
import subprocess
import sys
import unittest

from cluster import ClusterTest
from support import QSOHOST, ROOT, SKYSIM, wait_until

sys.path.append(str(ROOT / "tests/skysim"))
from server import Server  # noqa: E402

CONNECTIONS = 3
CHAIN = """
[chain]
name = "fetched"
batch_rows = 10
[[stage]]
use = "catalog-source"
label = "catalog"
path = "{sky}/targets.csv"
[[stage]]
use = "irsa-ztf"
label = "ztf"
url = "{url}"
query_by = "position"
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
"""


class FetchTest(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sky = cls.slurm.folder / "sky"
        subprocess.run([SKYSIM, "make", cls.sky, "--sources", "120", "--seed", "5", "--answers"],
                       check=True, capture_output=True)  # fmt: skip

    def serve(self, *options):
        server = Server(self.sky, *options)
        server.__enter__()
        self.addCleanup(server.__exit__)
        return server

    def chain_of(self, server):
        path = self.folder / "chain.toml"
        path.write_text(CHAIN.format(sky=self.sky, url=server.url, connections=CONNECTIONS))
        return path

    def asked(self, server):
        return server.status().get("light-curve requests", 0)

    def test_one_client_asks_for_all(self):
        server = self.serve("--time-scale", "100")
        chain = self.chain_of(server)
        jobs = self.submit(chain, "--shards", 8)
        self.slurm.wait()
        self.assertEqual(set(self.codes(jobs["shards"]).values()), {("COMPLETED", "0:0")}, self.logs())
        asked, most = self.asked(server), server.status()["most in flight"]
        self.assertLessEqual(most, CONNECTIONS)
        whole = self.whole(chain)
        self.assertEqual(asked, self.asked(server) - asked)  # no more than a single run
        self.assert_same_products(self.into / "merged", whole)

    def test_a_fetch_job_that_is_stopped_goes_on(self):
        server = self.serve("--throttle", "irsa", "--time-scale", "20")
        chain = self.chain_of(server)
        jobs = self.submit(chain, "--shards", 4)
        wait_until(lambda: self.asked(server) > 40, "the first answers")
        self.slurm.run("scancel", "--batch", "--signal=TERM", jobs["fetch"])
        self.slurm.wait()
        self.assertEqual(self.codes(jobs["fetch"])[""], ("FAILED", "130:0"), self.logs())
        self.assertFalse(list(self.into.glob("log/*_0.log")))  # the array was taken back
        jobs = self.submit("--resume")
        self.slurm.wait()
        self.assertEqual(self.codes(jobs["merge"]), {"": ("COMPLETED", "0:0")}, self.logs())
        self.assert_same_products(self.into / "merged", self.whole(chain))

    def test_here_and_interrupted(self):
        server = self.serve("--throttle", "irsa", "--time-scale", "20")
        chain = self.chain_of(server)
        words = [QSOHOST, "submit", chain, "--shards", "4", "--fetch", "here", "--into", self.into]
        process = subprocess.Popen(words, env=self.slurm.environment, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
        wait_until(lambda: self.asked(server) > 20, "the first answers", process)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        self.assertEqual(process.wait(timeout=100), 130)
        self.assertEqual(self.slurm.queue(), [])
        jobs = self.submit("--resume", "--fetch", "here")
        self.assertNotIn("fetch", jobs)
        self.slurm.wait()
        self.assert_same_products(self.into / "merged", self.whole(chain))


if __name__ == "__main__":
    unittest.main()
