"""Runs the tests of silence_test.cpp with a network that passes nothing on, and with a server that is stopped.
What they measure begins when the user stops; the time given here is for programs to start."""

import os
import pathlib
import signal
import subprocess
import sys
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
import postgres  # noqa: E402
from proxy import Proxy  # noqa: E402

PROGRAM = os.environ.get("QSO_TEST_POSTGRES", str(ROOT / "build/bin/test_postgres"))


@unittest.skipUnless(postgres.programs(), "no PostgreSQL here")
class Silence(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(postgres.Postgres())

    def run_tests(self, dsn, freeze, thaw):
        environment = postgres.Postgres.environment() | {"QSO_TEST_DSN": dsn}
        process = subprocess.Popen([PROGRAM, "[silence]"], env=environment, text=True, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
        watchdog = threading.Timer(600, process.kill)
        watchdog.start()
        output = ""
        with process:
            for line in process.stdout:
                if action := {"freeze\n": freeze, "thaw\n": thaw}.get(line):
                    action()
                    process.stdin.write("done\n")
                    process.stdin.flush()
                else:
                    output += line
        watchdog.cancel()
        self.assertEqual(process.returncode, 0, output)
        self.assertIn("All tests passed", output)

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
