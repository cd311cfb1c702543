"""Runs tests of test_postgres that ask for something to be done meanwhile: see interruptions.hpp."""

import os
import pathlib
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
import postgres  # noqa: E402

PROGRAM = os.environ.get("QSO_TEST_POSTGRES", str(ROOT / "build/bin/test_postgres"))


def run_tests(test, tag, dsn, actions):
    """`actions`: functions by the first word of a line; they get the words after it."""
    environment = postgres.Postgres.environment() | {"QSO_TEST_DSN": dsn}
    process = subprocess.Popen([PROGRAM, tag], env=environment, text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    watchdog = threading.Timer(600, process.kill)
    watchdog.start()
    output = ""
    with process:
        for line in process.stdout:
            word, *rest = line.split() or [""]
            if action := actions.get(word):
                action(*rest)
                process.stdin.write("done\n")
                process.stdin.flush()
            else:
                output += line
    watchdog.cancel()
    test.assertEqual(process.returncode, 0, output)
    test.assertIn("All tests passed", output)
