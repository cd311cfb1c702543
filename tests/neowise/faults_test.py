"""An archive that is faulty, and runs that are killed: every target is right all the same."""

import os
import random
import signal
import subprocess
import unittest

from support import NeowiseTest, irsa
from server import Server  # found through support

FAST = ("--time-scale", 100)  # a drip of 300 s lasts 3 s, Retry-After is 1 s
TARGETS = 100  # of those of the sky
SITE_TRAPS = "html-502=0.05,html-200=0.05,pool-empty=0.05,null-500=0.05,see-other=0.3,query-in-url"


class Faults(NeowiseTest):
    def test_products_are_right_whatever_fails(self):
        for way, targets in (("upload", TARGETS), ("cone", 30)):
            with self.subTest(way), Server(self.sky, "--faults", "all=0.05,400=0.01", "--traps", SITE_TRAPS, *FAST) as server:
                chain = self.chain("faults_" + way, server.url, query_by=way, rows=20, timeout=2)
                run = self.qsohost(chain, "--limit", targets)
                counts = irsa(server)
            self.assert_right(run, targets)
            self.assert_polite(counts)
            self.assertGreater(sum(n for what, n in counts.items() if what.startswith("fault ")), 5)

    def test_answers_cut_at_a_line_end_are_not_believed(self):
        with Server(self.sky, "--faults", "cut-at-line=0.25") as server:
            run = self.qsohost(self.chain("lines", server.url, rows=5), "--limit", TARGETS)
            self.assertGreater(irsa(server)["fault cut-at-line"], 2)
        self.assert_right(run, TARGETS)

    def test_wrong_empty_answers_are_not_believed(self):
        with Server(self.sky, "--faults", "empty=0.2") as server:
            run = self.qsohost(self.chain("empty", server.url, rows=5, confirmations=8), "--limit", TARGETS)
            self.assertGreater(irsa(server)["fault empty"], 2)
        self.assert_right(run, TARGETS)

    def test_a_job_that_never_ends_is_deleted(self):
        with Server(self.sky, "--traps", "stuck-job=1") as server:
            run = self.qsohost(self.chain("stuck", server.url, rows=1000, job_timeout=1))
            counts = irsa(server)
        self.assert_right(run)
        self.assert_polite(counts)
        self.assertEqual((counts["jobs"], counts["deleted jobs"]), (1, 1))

    def test_killed_again_and_again_the_products_are_right(self):
        rng = random.Random(3)
        with Server(self.sky, "--throttle", "irsa", "--time-scale", 20) as server:
            chain = self.chain("killed", server.url, rows=10)
            kills = 0
            while kills < 6:
                process = self.start(chain, "--resume")
                try:
                    process.wait(timeout=rng.uniform(0.1, 0.6))
                    break
                except subprocess.TimeoutExpired:
                    os.kill(process.pid, signal.SIGKILL)
                    process.wait()
                    kills += 1
            run = self.qsohost(chain, "--resume")
            counts = irsa(server)
        self.assert_right(run)
        self.assertGreater(kills, 0)
        # Counts, rows and, as there are targets without rows, what confirms that; at each kill as
        # many as were on their way are asked again.
        self.assertLessEqual(counts["requests"], 3 * -(-len(self.rows) // 10) + 8 * kills)

    def test_an_archive_that_is_gone_leaves_targets_unsettled(self):
        with Server(self.sky) as server:
            self.assertNotIn("rows", irsa(server))
            port = server.url.rsplit(":", 1)[1]
        chain = self.chain("gone", f"http://127.0.0.1:{port}", patience=1)
        run = self.qsohost(chain, expect=3)
        self.assertEqual(self.stage(run, "neowise")["failed"], len(self.rows))
        with Server(self.sky, "--port", port):
            self.qsohost(chain, "--retry-failed")
        self.assert_right(run)


if __name__ == "__main__":
    unittest.main()
