"""Where the faults happen: a simulated sky, its archives, chains on it, and run directories."""

import contextlib
import functools
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "runs")]
import checks  # noqa: E402
from chains import PATIENCE, QSOHOST, ROOT, SKYSIM  # noqa: E402
from installation import with_storage  # noqa: E402
from postgres import free_port  # noqa: E402

DONE, FAILED, REFUSED, UNSETTLED, INTERRUPTED = 0, 1, 2, 3, 130
# What a run may say to a fault that it cannot get over.
BROKEN = {FAILED, REFUSED}


class Skip(Exception):
    """This machine cannot do it."""


def make_sky(folder, sources, seed):
    command = [SKYSIM, "make", folder, "--sources", sources, "--seed", seed, "--neowise"]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    return folder


def load_sky(folder, dsn):
    """Into a database, as WSDB has it."""
    subprocess.run([SKYSIM, "load", folder, "--dsn", dsn], check=True, capture_output=True)


class Archive:
    """skysim's server, always at the same address: that is in the products."""

    def __init__(self, sky):
        self.sky, self.port, self.process = sky, free_port(), None
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self, *options):
        """With other faults than before, say."""
        self.stop()
        command = [SKYSIM, "serve", self.sky, "--port", self.port, "--time-scale", 100, *options]
        self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on"), f"skysim does not serve at port {self.port}: {line}"

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def faults(self):
        """How many responses were faulty."""
        with urllib.request.urlopen(self.url + "/status", timeout=PATIENCE) as response:
            status = json.load(response)
        counts = [status, *status["services"].values()]
        return sum(n for c in counts for what, n in c.items() if what.startswith("fault ") and n
                   and what != "fault none")  # fmt: skip


class Chain:
    """An example on this sky, and the files of its undisturbed run."""

    def __init__(self, folder, file, settings, env):
        self.folder, self.name, self.env = folder, folder.name, os.environ | env
        folder.mkdir()
        self.words = ["--chain", str(ROOT / "examples" / file), "-j", "2"]
        for name, value in settings.items():
            self.words += ["--set", f"{name}={value}"]
        self.runs = 0

    @functools.cached_property
    def undisturbed(self):
        run = Run(self, "undisturbed", False)
        begin = time.monotonic()
        run.expect(run.start(), {DONE})
        self.seconds = time.monotonic() - begin
        self.bytes = sum(p.stat().st_size for p in run.folder.glob("*.fits"))
        return run.folder

    @functools.cached_property
    def storage_calls(self):
        """How often an undisturbed run changes a file."""
        run, file = Run(self, "counted"), self.folder / "calls"
        run.expect(run.start(storage=f"count {file}"), {DONE})
        run.remove()
        return int(file.read_text())

    def new_run(self):
        assert self.undisturbed
        self.runs += 1
        return Run(self, f"run{self.runs}")


class Run:
    """A run directory. Every start goes on where the last one ended."""

    def __init__(self, chain, name, is_like_undisturbed=True):
        self.chain, self.folder = chain, chain.folder / name
        self.is_like_undisturbed = is_like_undisturbed
        self.log = chain.folder / f"{name}.log"
        self.committed = 0
        self.clean_up = contextlib.ExitStack()

    def start(self, *words, how="--resume", storage=None, limits=None, env=None, prefix=()):
        """storage: see tests/runs/storage_shim.cpp; limits: by number of the resource."""
        env = self.chain.env | (env or {})
        if storage:
            env = with_storage(env, storage)
        command = [*prefix, QSOHOST, *self.chain.words, "--run-dir", self.folder, how, *words]
        return self.launch(command, env, limits)

    def launch(self, command, env=None, limits=None):
        def limit():
            for what, value in (limits or {}).items():
                resource.setrlimit(what, (value, value))

        self.log_begin = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "a") as log:
            process = subprocess.Popen(
                list(map(str, command)), cwd=self.chain.folder, env=env or self.chain.env,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=limit if limits else None,
            )  # fmt: skip
        self.clean_up.callback(process.wait)
        self.clean_up.callback(process.kill)
        return process

    def said(self):
        """By the last one that was started."""
        with open(self.log, errors="replace") as log:
            log.seek(self.log_begin)
            return log.read()

    def expect(self, process, codes):
        """The exit code, one of these; what is there is checked, however it ended."""
        try:
            code = process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"no end after {PATIENCE} s:\n{self.said()[-2000:]}") from None
        assert code in codes, f"exit code {code}, not one of {sorted(codes)}:\n{self.said()[-2000:]}"
        checks.check_on_the_way(self)
        return code

    def send(self, process, number, after):
        """True if the signal came before the end."""
        try:
            process.wait(timeout=after)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            return True
        self.chain.seconds *= 0.8  # the machine is less busy than it was: come earlier next time
        return False

    def interrupt(self, least_batches=1):
        """Ctrl-C when some batches are committed. True if it is not done."""
        process = self.start("--in-flight", "2")
        while process.poll() is None and checks.committed(self) < least_batches:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        return self.expect(process, {DONE, INTERRUPTED}) == INTERRUPTED

    def finish(self):
        """Without faults it comes to its end at once, and is what an undisturbed one is."""
        code = self.expect(self.start(), {DONE, UNSETTLED})
        if code == UNSETTLED:
            self.expect(self.start(how="--retry-failed"), {DONE})
        checks.check_done(self)

    def remove(self):
        self.clean_up.close()  # first: it ends programs and unmounts
        shutil.rmtree(self.folder, ignore_errors=True)
