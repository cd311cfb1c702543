"""Runs the tests of silence_test.cpp with a network that passes nothing on, and with a server that is stopped.
What they measure begins when the user stops; the time given here is for programs to start."""

import os
import pathlib
import signal
import unittest

from interruptions import postgres, run_tests
from proxy import Proxy


@unittest.skipUnless(postgres.programs(), "no PostgreSQL here")
class Silence(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(postgres.Postgres())

    def run_tests(self, dsn, freeze, thaw):
        run_tests(self, "[silence]", dsn, {"freeze": freeze, "thaw": thaw})

    def test_network(self):
        proxy = Proxy(self.server.port)
        self.addCleanup(proxy.close)
        dsn = self.server.dsn.replace(f"port={self.server.port}", f"port={proxy.port}")
        self.run_tests(dsn, lambda: setattr(proxy, "paused", True), lambda: setattr(proxy, "paused", False))

    def test_server(self):
        first = self.server.process.pid

        def signal_all(how):
            others = pathlib.Path(f"/proc/{first}/task/{first}/children").read_text().split()
            for pid in (first, *map(int, others)):
                try:
                    os.kill(pid, how)
                except ProcessLookupError:
                    pass  # a session that has just ended

        self.addCleanup(signal_all, signal.SIGCONT)  # else it could not be stopped in order
        self.run_tests(self.server.dsn, lambda: signal_all(signal.SIGSTOP), lambda: signal_all(signal.SIGCONT))


if __name__ == "__main__":
    unittest.main()
