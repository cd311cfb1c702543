"""A plugin that crashes is named, and the run knows what it was working on."""

import json
import signal
import subprocess
import unittest

from support import QSOHOST, TEST_PLUGINS, ChainTest, is_sanitized

CHAIN = f"""
[chain]
name = "crash"
batch_rows = 10
plugins = ["{TEST_PLUGINS}/plugins/faux.so"]
[[stage]]
use = "faux-source"
label = "source"
[[stage]]
use = "faux-fetch"
label = "fetch"
[[stage]]
use = "faux-fit"
label = "fit"
[[stage]]
use = "faux-sink"
label = "out"
last = true
"""


@unittest.skipIf(is_sanitized(), "the sanitizer reports crashes itself")
class Crash(ChainTest):
    def setUp(self):
        super().setUp()
        self.chain = self.write("chain.toml", CHAIN)

    def crash(self, number, *args):
        done = self.qsohost("--chain", self.chain, *args, expect=-number)
        self.assertEqual(done.stderr.count("qsohost: "), 1, done.stderr)
        return done.stderr

    def test_a_crash_in_any_role_names_stage_batch_and_object(self):
        for label, use, place in (
            ("source", "faux-source", "batch 5"),
            ("fetch", "faux-fetch", "batch 5, object 58"),
            ("fit", "faux-fit", "batch 5, object 58"),
            ("out", "faux-sink", "batch 5 (objects 51 to 60)"),
        ):
            with self.subTest(label):
                error = self.crash(
                    signal.SIGSEGV, "--restart",
                    "--set", f"{label}.fail_at=58", "--set", f"{label}.fails=segv",
                )  # fmt: skip
                words = (
                    f"segmentation fault (SIGSEGV) in stage '{label}' "
                    f"({use} of plugin faux 1.0.0), {place}\n"
                )
                self.assertIn(words, error)
                self.assertIn(words, self.qsohost("status", "crash.run").stdout)

    def test_every_kind_of_crash_is_named_and_takes_its_usual_course(self):
        for how, number, name in (
            ("segv", signal.SIGSEGV, "segmentation fault (SIGSEGV)"),
            ("abort", signal.SIGABRT, "abort (SIGABRT)"),
            ("fpe", signal.SIGFPE, "arithmetic error (SIGFPE)"),
            ("recursion", signal.SIGSEGV, "segmentation fault (SIGSEGV)"),
        ):
            for threads in (1, 4):
                with self.subTest(f"{how}, {threads} threads"):
                    error = self.crash(
                        number, "--restart", "-j", threads,
                        "--set", "fit.fail_at=58", "--set", f"fit.fails={how}",
                    )  # fmt: skip
                    self.assertIn(f"{name} in stage 'fit' (faux-fit of plugin faux", error)
                    self.assertIn("batch 5, object 58\n", error)

    def test_an_exception_in_a_plugins_thread_is_reported_and_recorded(self):
        args = ["--set", "fit.fail_at=58", "--set", "fit.fails=thread"]
        error = self.qsohost("--chain", self.chain, *args, expect=1).stderr
        self.assertIn("made to fail (std::runtime_error) in a thread that is in no call", error)
        crashes = json.loads(self.qsohost("status", "crash.run", "--json").stdout)["crashes"]
        self.assertEqual(len(crashes), 1)
        self.assertIn("made to fail", crashes[0])

    def test_a_crash_of_a_dry_run_is_reported_too(self):
        error = self.crash(
            signal.SIGABRT, "--dry-run", 100, "--set", "fit.fail_at=58", "--set", "fit.fails=abort"
        )
        self.assertIn("batch 5, object 58\n", error)
        self.assertEqual([p.name for p in self.folder.iterdir()], ["chain.toml"])

    def test_status_shows_the_crash_until_that_batch_is_done(self):
        flag = self.write("flag", "segv")
        args = ["--set", f"fit.crashes_while={flag}"]
        place = "in stage 'fit' (faux-fit of plugin faux 1.0.0), batch 5, object 58"
        self.crash(signal.SIGSEGV, *args)
        error = self.qsohost("--chain", self.chain, *args, "--resume", expect=-signal.SIGSEGV).stderr
        self.assertIn(f"warning: the program ended here before: segmentation fault (SIGSEGV) {place}",
                      error)  # fmt: skip
        status = self.qsohost("status", "crash.run").stdout
        self.assertEqual(status.count(place), 1)
        self.assertIn("left out", status)
        status = json.loads(self.qsohost("status", "crash.run", "--json").stdout)
        self.assertEqual(status["crashes"], [f"segmentation fault (SIGSEGV) {place}"])
        self.assertFalse(status["finished"])
        flag.unlink()
        self.qsohost("--chain", self.chain, *args, "--resume")
        status = json.loads(self.qsohost("status", "crash.run", "--json").stdout)
        self.assertEqual((status["crashes"], status["objects"]), ([], 100))
        self.qsohost("--chain", self.chain, *args, "--run-dir", "whole")
        self.assert_same_files(self.folder / "crash.run", self.folder / "whole", "*.txt")
        self.assertEqual(list((self.folder / "crash.run").glob("*crash*")), [])

    def test_a_lack_of_threads_ends_the_run_with_a_message(self):
        command = [QSOHOST, "--chain", self.chain, "--set", "fetch.lanes=4000"]
        done = subprocess.run(
            ["bash", "-c", 'ulimit -v 4000000; exec "$0" "$@"', *command],
            cwd=self.folder, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        self.assertEqual(done.returncode, 1)
        self.assertIn("the system gives no more threads", done.stderr)
        self.assertIn("--resume", done.stdout)

    def test_a_signal_from_outside_is_not_blamed_on_a_plugin(self):
        process = subprocess.Popen(
            [QSOHOST, "--chain", self.chain, "--set", "fetch.ms=300"],
            cwd=self.folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        ledger = self.folder / "crash.run/.qsohost/run.db"
        while not ledger.exists():
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGSEGV)
        error = process.communicate(timeout=300)[1]
        self.assertEqual(process.returncode, -signal.SIGSEGV)
        self.assertIn("segmentation fault", error)
        self.assertNotIn("object", error.split("segmentation fault")[1])


if __name__ == "__main__":
    unittest.main()
