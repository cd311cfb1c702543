"""Runs the tests of ends.cpp: sessions and servers that are killed, users that stop. What they measure
begins then; the time given here is for servers to start."""

import os
import signal
import time
import unittest

from interruptions import postgres, run_tests


@unittest.skipUnless(postgres.programs(), "no PostgreSQL here")
class Ends(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(postgres.Postgres())

    def kill(self, what):
        if what == "server":
            self.server.stop(signal.SIGKILL)
        else:
            os.kill(int(what), signal.SIGKILL)

    def restart(self):
        for _ in range(100):  # sessions that have not yet seen that it died keep it from starting
            try:
                if self.server.process is None:
                    self.server.start()
                self.server.query("SELECT 1")  # one that recovers from a killed session says no
                return
            except AssertionError:
                if self.server.process is not None and self.server.process.poll() is not None:
                    self.server.stop()
                time.sleep(0.1)
        self.fail("the server does not come back")

    def test_all(self):
        run_tests(self, "[ends]", self.server.dsn, {"kill": self.kill, "restart": self.restart})


if __name__ == "__main__":
    unittest.main()
