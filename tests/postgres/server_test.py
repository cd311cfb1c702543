"""Starts a server and runs the tests of server_test.cpp against it."""

import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
import postgres  # noqa: E402

PROGRAM = os.environ.get("QSO_TEST_POSTGRES", str(ROOT / "build/bin/test_postgres"))


@unittest.skipUnless(postgres.programs(), "no PostgreSQL here")
class Server(unittest.TestCase):
    def test_all(self):
        with postgres.Postgres() as server:
            environment = postgres.Postgres.environment() | {"QSO_TEST_DSN": server.dsn}
            done = subprocess.run([PROGRAM], env=environment, capture_output=True, text=True, timeout=900)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("All tests passed", done.stdout)


if __name__ == "__main__":
    unittest.main()
