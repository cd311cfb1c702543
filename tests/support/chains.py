"""What tests that run the program share: where it is, running, waiting, killing it, and what it wrote.

No test knows how fast the machine is: it waits for what must come (wait_until), and where a time is a
promise, the bound is far from both what is promised and what a fault would take.
"""

import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import warnings

import numpy as np
from astropy.io import fits

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Told to scripts and programs that a test starts, too.
QSOHOST = os.environ.setdefault("QSOHOST", str(ROOT / "build/bin/qsohost"))
SKYSIM = os.environ.setdefault("SKYSIM", str(ROOT / "build/bin/skysim"))
TEST_PLUGINS = pathlib.Path(os.environ.get("QSOHOST_TEST_PLUGINS", ROOT / "build/tests"))
SHARED = pathlib.Path(os.environ.get("QSO_SHARED_DATA", ROOT / "../shared/data"))
PATIENCE = 300  # seconds, for what must happen at some time


def needs_data(test):
    return unittest.skipUnless(
        (SHARED / "ztf/targets.csv").exists(),
        f"no survey data in {SHARED}; set QSO_SHARED_DATA",
    )(test)


def is_sanitized():
    """Whether the program was built with a sanitizer, whose name then is among its symbols. clang links
    it statically, so that ldd does not tell."""
    program = pathlib.Path(QSOHOST).read_bytes()
    return any(name in program for name in (b"__asan_init", b"__tsan_init"))


def preloaded(env, library):
    """The environment in which the program has this library before all others."""
    # The address sanitizer wants to be the first, which is of no consequence here.
    options = env.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    return env | {"LD_PRELOAD": str(library), "ASAN_OPTIONS": options.lstrip(":")}


def wait_until(condition, what, process=None):
    """Until `condition()` is true, or `process`, if any, has ended."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return
        if process is not None and process.poll() is not None and not condition():
            raise AssertionError(f"the program ended ({process.returncode}) before {what}")
        time.sleep(0.02)
    raise AssertionError(f"waited in vain for {what}")


def interrupt(process):
    """Ctrl-C. Returns when the program has it: two that come at once are one."""

    def is_taken():
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        pending = [line.split()[1] for line in status.splitlines() if line.startswith("ShdPnd:")]
        return not int(pending[0], 16) >> signal.SIGINT - 1 & 1

    process.send_signal(signal.SIGINT)
    wait_until(lambda: process.poll() is not None or is_taken(), "the signal to be taken")


def peak_memory(command, folder):
    """In kB, of a program that must succeed. A small process lies between: what the system says of a
    child of this one counts the pages of this one before the exec."""
    script = (
        "import resource, subprocess, sys\n"
        "code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, *map(str, command)],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


class ChainTest(unittest.TestCase):
    """A temporary folder, and the program."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="qsohost-chain-"))
        self.addCleanup(shutil.rmtree, self.folder, True)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def qsohost(self, *args, expect=0, env=None):
        done = subprocess.run(
            [QSOHOST, *map(str, args)],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={**os.environ, **(env or {})},
            timeout=600,
        )
        if expect is not None:
            self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done

    def launch(self, *args, log="log", env=None):
        """In the background; what it says goes to the file `log`."""
        with open(self.folder / log, "a") as file:
            process = subprocess.Popen(
                [QSOHOST, *map(str, args)], cwd=self.folder, env=env, stdout=file, stderr=file
            )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def peak_memory(self, *args):
        if is_sanitized():
            self.skipTest("a sanitizer needs several times the program's memory")
        return peak_memory([QSOHOST, *args], self.folder)

    def kill_and_resume(self, args, run, seconds):
        """Killed again and again, later and later, until a run comes to its end. `seconds`: what an
        undisturbed one took, of which the first kill leaves a tenth at most."""
        rng, kills = random.Random(5), 0
        for attempt in range(40):
            process = self.launch(*args, "--run-dir", run, "--resume")
            try:
                process.wait(timeout=rng.uniform(0.2, 1) * seconds * min(0.1 + 0.05 * attempt, 0.6))
            except subprocess.TimeoutExpired:
                process.kill()
            if process.wait() != -signal.SIGKILL:
                self.assertEqual(process.returncode, 0, (self.folder / "log").read_text())
                break
            kills += 1
        else:
            self.qsohost(*args, "--run-dir", run, "--resume")
        self.assertGreater(kills, 0)

    def assert_same_files(self, one, other, pattern="*.fits"):
        names = sorted(p.name for p in one.glob(pattern))
        self.assertTrue(names, f"nothing like {pattern} in {one}")
        self.assertEqual(names, sorted(p.name for p in other.glob(pattern)))
        for name in names:
            same = (one / name).read_bytes() == (other / name).read_bytes()
            self.assertTrue(same, f"{name} differs")


def read_table(path):
    """The binary table of a product, every warning (of a checksum, say) an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(path, memmap=False, checksum=True) as file:
            table = file[1].data
            return {name: np.array(table[name], copy=True) for name in table.names}, file[1].header
