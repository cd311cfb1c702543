"""Runs a file of unittest cases for ctest: exit code 77, which is "skipped", if all were skipped.

    run_tests.py FILE_test.py
"""

import pathlib
import runpy
import sys
import unittest

SKIPPED = 77
results = []


class Program(unittest.TestProgram):
    def __init__(self, *args, **more):
        super().__init__(*args, exit=False, **more)
        results.append(self.result)


def main():
    script = pathlib.Path(sys.argv[1]).resolve()
    sys.argv = [str(script), "-v"]
    sys.path[0] = str(script.parent)
    unittest.main = Program
    runpy.run_path(str(script), run_name="__main__")
    if not results or not all(r.wasSuccessful() for r in results):
        sys.exit(1)
    # Those of a class that is skipped in setUpClass do not count as run.
    if any(r.skipped for r in results) and all(r.testsRun <= len(r.skipped) for r in results):
        sys.exit(SKIPPED)


if __name__ == "__main__":
    main()
