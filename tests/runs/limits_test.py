"""A run that meets a limit of the system: memory, the size of files, open files. It says which and what
to do, and goes on once there is more."""

import re
import resource
import shutil
import subprocess
import unittest

from support import RunTest  # noqa: I001: it finds the module below
from chains import is_sanitized


class Limits(RunTest):
    def limited(self, limit, value, *args):
        """A run under this limit. It may succeed, but must not be ended by a signal."""
        most = resource.getrlimit(limit)[1]
        done = subprocess.run(
            [self.program, "--chain", "chain.toml", "-j", "2", "--run-dir", "c.run", *args],
            cwd=self.folder, capture_output=True, text=True, timeout=600,
            preexec_fn=lambda: resource.setrlimit(limit, (value, most)),
        )  # fmt: skip
        self.assertIn(done.returncode, (0, 1, 2), done.stdout + done.stderr)
        return done

    def scan(self, limit, values, words):
        """Under each of the limits; afterwards without any. Gives how many runs failed."""
        failed = 0
        for value in values:
            with self.subTest(value):
                shutil.rmtree(self.folder / "c.run", ignore_errors=True)
                done = self.limited(limit, value)
                if done.returncode != 0:
                    failed += 1
                    self.assertRegex(done.stderr, words)
                    started = (self.folder / "c.run/.qsohost/run.db").exists()
                    # An object whose file could not be opened has failed.
                    self.run_chain(*(["--retry-failed"] if started else []))
                self.assert_products()
        return failed


class FileSize(Limits):
    def test_a_file_that_becomes_too_large_is_named(self):
        words = r"(?s)(run\.db|\.fits|\.part|run-id|lock|holder|log).*File too large"
        kib = [1, 8, 16, 40, 44, 60, 100, 1000]
        failed = self.scan(resource.RLIMIT_FSIZE, [1024 * k for k in kib], words)
        self.assertGreater(failed, 2)
        self.assertLess(failed, len(kib))


@unittest.skipIf(is_sanitized(), "a sanitizer needs files for its own checks")
class OpenFiles(Limits):
    def test_that_no_more_files_may_be_open_is_said(self):
        words = r"(?s)(/|lib\w+).*([Tt]oo many open files|no more threads|unable to open)"
        failed = self.scan(resource.RLIMIT_NOFILE, range(4, 30, 2), words)
        self.assertGreater(failed, 2)


@unittest.skipIf(is_sanitized(), "a sanitizer needs terabytes of addresses")
class Memory(Limits):
    def test_too_little_memory_is_said(self):
        """Address space, of which libraries and the stacks of threads take most."""
        mib = range(60, 400, 20)
        words = re.compile(r"out of memory|no more threads|cannot allocate memory", re.IGNORECASE)
        failed = self.scan(resource.RLIMIT_AS, [m << 20 for m in mib], words)
        self.assertGreater(failed, 0)


if __name__ == "__main__":
    unittest.main()
