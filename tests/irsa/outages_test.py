"""An archive that is gone, and runs that are killed: nothing is lost, and what was answered is not
asked again."""

import os
import random
import signal
import subprocess
import time
import unittest

from support import FAST, QSOHOST, SCALE, SLOWER, IrsaTest, asked
from server import Server  # found through support


class Outages(IrsaTest):
    def test_a_run_survives_a_restart_of_the_archive(self):
        with Server(self.sky, "--throttle", "irsa", *FAST) as server:
            chain = self.chain("away", server.url, query_by="position", rows=50)
            process = self.start(chain)
            while asked(server) < 30:
                time.sleep(0.05)
            port = server.url.rsplit(":", 1)[1]
        time.sleep(20 if SCALE > 1 else 4)
        self.assertIsNone(process.poll())
        status = self.status(self.folder / "away", "--json")
        self.assertTrue(status["running"])
        refused = subprocess.run([QSOHOST, "--chain", chain, "--run-dir", self.folder / "away", "--resume"],
                                 cwd=self.folder, capture_output=True, text=True, timeout=300)  # fmt: skip
        self.assertEqual(refused.returncode, 2)
        self.assertIn("in use by another qsohost", refused.stderr)
        with Server(self.sky, "--port", port, *FAST):
            self.assertEqual(process.wait(timeout=300), 0, chain.with_suffix(".log").read_text())
        self.assert_right(self.folder / "away")

    def test_an_archive_that_is_gone_is_given_up(self):
        with Server(self.sky, "--throttle", "irsa", *FAST) as server:
            chain = self.chain("gone", server.url, query_by="position", rows=20, patience=3)
            process = self.start(chain)
            while asked(server) < 60:
                time.sleep(0.05)
            before = asked(server)
            port = server.url.rsplit(":", 1)[1]
        self.assertEqual(process.wait(timeout=300), 3)
        run = self.folder / "gone"
        stage = self.ztf(run)
        self.assertGreater(stage["failed"], 0)
        text = self.status(run)
        self.assertIn("finished, some objects unsettled", text)
        self.assertRegex(text, r"qsohost --chain \S+ --run-dir \S+ --retry-failed")
        failed = self.status(run, "--failed", "--json")
        self.assertEqual(len(failed), stage["failed"])
        self.assertTrue(all(f["why"] and f["when"] and f["attempts"] == 1 for f in failed))
        with Server(self.sky, "--port", port) as server:
            self.qsohost(chain, "--retry-failed")
            after = asked(server)
        self.assert_right(run)
        needed = self.objects + 4 * (self.objects - self.found)
        # What was on its way when it went is asked again, and nothing else.
        self.assertLessEqual(before + after, needed + 40)
        again = [x for x in self.status(run, "--matched", "--json") if x["attempts"] == 2]
        self.assertGreaterEqual(len(again), len(failed) - (self.objects - self.found))

    def test_killed_twenty_times_the_products_are_right(self):
        rng = random.Random(3)
        for way, limit in (("position", 20), ("ids", 6)):
            with self.subTest(way), Server(self.sky, "--throttle", "irsa", *SLOWER) as server:
                chain = self.chain("kill_" + way, server.url, query_by=way, rows=30, max_connections=4,
                                   ids_per_request=20)  # fmt: skip
                kills = in_flight = 0
                while kills < limit:
                    process = self.start(chain, "--resume")
                    try:
                        process.wait(timeout=rng.uniform(0.15, 0.9) * SCALE)
                        break
                    except subprocess.TimeoutExpired:
                        process.send_signal(signal.SIGSTOP)  # nothing is asked between look and kill
                        in_flight += server.status()["in flight"]
                        os.kill(process.pid, signal.SIGKILL)
                        process.wait()
                        kills += 1
                run = self.qsohost(chain, "--resume")
                excess = asked(server)
            self.assert_right(run)
            self.assertEqual(kills, limit)
            if way == "position":
                needed = self.objects + 4 * (self.objects - self.found)
                # One more may have been on its way to the server each time.
                self.assertLessEqual(excess - needed, in_flight + kills)


if __name__ == "__main__":
    unittest.main()
