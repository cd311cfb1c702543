"""Jobs of the table of objects in runs that are killed: a job is asked for once, whatever happens to
the run, and one that the archive has forgotten is asked for anew."""

import os
import signal
import sqlite3
import time
import unittest

from support import SLOWER, IrsaTest
from server import Server  # found through support


class Jobs(IrsaTest):
    def start_job(self, name, server):
        """A run whose positions go as one job."""
        chain = self.chain(name, server.url, rows=4000, query_by="ids")
        self.options = ("--set", f"catalog.path={self.many_targets()}")
        return chain, self.start(chain, *self.options)

    def kill_when(self, process, is_time):
        deadline = time.monotonic() + 60
        while not is_time():
            self.assertIsNone(process.poll())
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def is_stored(self, chain):
        """The ledger knows where the job is: the archive's counts run ahead of that."""
        ledger = chain.with_suffix("") / ".qsohost/run.db"
        try:
            with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as db:
                return db.execute("SELECT count(*) FROM answer").fetchone()[0] > 0
        except sqlite3.Error:
            return False  # there is no ledger yet, or it is just being written

    def finish(self, chain):
        run = self.qsohost(chain, "--resume", *self.options)
        stage = self.ztf(run)
        self.assertEqual([stage["matched"], stage["failed"]], [4 * self.found, 0])

    def test_a_job_is_not_created_twice_when_killed_while_it_runs(self):
        with Server(self.sky, "--throttle", "irsa", *SLOWER) as server:
            chain, process = self.start_job("executed", server)
            self.kill_when(process, lambda: self.is_stored(chain))
            self.assertNotIn("results", server.status()["services"]["irsa"])
            self.finish(chain)
            counts = server.status()["services"]["irsa"]
        self.assertEqual((counts["jobs"], counts["results"]), (1, 1))

    def test_a_job_is_not_created_twice_when_killed_after_its_result(self):
        with Server(self.sky, "--throttle", "irsa", *SLOWER) as server:
            chain, process = self.start_job("read", server)
            self.kill_when(process, lambda: server.status().get("light-curve requests", 0) > 0)
            self.finish(chain)
            counts = server.status()["services"]["irsa"]
        self.assertEqual((counts["jobs"], counts["results"]), (1, 1))

    def test_a_forgotten_job_is_created_anew_after_one_request(self):
        with Server(self.sky, "--throttle", "irsa", *SLOWER) as server:
            chain, process = self.start_job("forgotten", server)
            self.kill_when(process, lambda: self.is_stored(chain))
            port = server.url.rsplit(":", 1)[1]
        with Server(self.sky, "--port", port) as server:
            self.finish(chain)
            counts = server.status()["services"]["irsa"]
        self.assertEqual((counts["jobs"], counts["results"]), (1, 1))
        self.assertEqual(counts["status 404"], 1)


if __name__ == "__main__":
    unittest.main()
