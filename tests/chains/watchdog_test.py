"""A stage that does not return is named; what a run does is told on demand, and kept in a log file."""

import re
import signal
import unittest
from datetime import datetime, timezone

from support import TEST_PLUGINS, ChainTest, interrupt, wait_until

CHAIN = f"""
[chain]
name = "watched"
batch_rows = 10
plugins = ["{TEST_PLUGINS}/plugins/faux.so"]
[[stage]]
use = "faux-source"
label = "source"
[[stage]]
use = "faux-fetch"
label = "fetch"
[[stage]]
use = "faux-sink"
label = "out"
last = true
"""
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
SLOW = ("--limit", "20", "--set", "fetch.ms=2000")  # the second batch takes two seconds


class Watchdog(ChainTest):
    def setUp(self):
        super().setUp()
        self.chain = self.write("chain.toml", CHAIN)

    def said(self):
        return (self.folder / "log").read_text()

    def launch_until(self, words, *args):
        process = self.launch("--chain", self.chain, *args)
        wait_until(lambda: re.search(words, self.said()), words, process)
        return process

    def test_a_call_that_takes_long_is_named_once_for_each_period(self):
        done = self.qsohost("--chain", self.chain, *SLOW, "--stall-timeout", "0.8")
        named = re.findall(
            r"warning: stage 'fetch', batch 1 \(10 objects, 11 to 20\) has not returned for", done.stderr
        )
        self.assertEqual(len(named), 2, done.stderr)
        self.assertIn("Done: 20 objects", done.stdout)

    def test_no_call_is_named_without_a_timeout(self):
        for timeout in ("0", "600"):
            done = self.qsohost("--chain", self.chain, *SLOW, "--stall-timeout", timeout, "--restart")
            self.assertNotIn("has not returned", done.stderr)

    def test_a_second_interrupt_says_who_is_awaited(self):
        process = self.launch_until("has not returned", "--set", "fetch.ms=3000", "--stall-timeout", "0.3")
        interrupt(process)
        self.assertNotIn("awaited", self.said())
        interrupt(process)
        words = r"awaited: stage 'fetch', batch 1 \(10 objects, 11 to 20\), for \d"
        wait_until(lambda: re.search(words, self.said()), words, process)
        self.assertEqual(process.wait(), 130)

    def test_a_signal_asks_for_a_table(self):
        process = self.launch_until("has not returned", "--set", "fetch.ms=1500", "--stall-timeout", "0.2",
                                    "--log-level", "warning", "-j", "2")  # fmt: skip
        process.send_signal(signal.SIGUSR1)
        wait_until(lambda: "Calls that have not returned" in self.said(), "the table", process)
        table = self.said()
        self.assertRegex(table, r"\n\d+ batches in flight \(limit \d+\), 2 compute threads\n")
        self.assertRegex(table, r"\n  stage +role +batches +objects +objects/s +busy s\n")
        self.assertRegex(table, r"\n  fetch +Fetcher +\d+ +\d+ ")
        self.assertRegex(table, r"\n  stage 'fetch', batch \d+ \(10 objects, \d+ to \d+\), for ")
        process.kill()


class LogFile(ChainTest):
    def setUp(self):
        super().setUp()
        self.chain = self.write("chain.toml", CHAIN)

    def lines(self):
        lines = (self.folder / "run.log").read_text().splitlines()
        for line in lines:
            self.assertRegex(line, rf"^{TIME} (debug|info|warning|error) \S")
        return [line.split(" ", 1)[1] for line in lines]

    def run_logged(self, *args, **more):
        return self.qsohost("--chain", self.chain, "--log-file", "run.log", *args, **more)

    def test_messages_are_there_with_beginning_and_end(self):
        done = self.run_logged(*SLOW, "--stall-timeout", "0.8", "--log-level", "error")
        self.assertNotIn("has not returned", done.stderr)
        lines = self.lines()
        self.assertRegex(lines[0], r"^info qsohost \S+, process \d+: chain .*chain\.toml, run directory ")
        self.assertRegex(lines[-1], r"^info done: 20 objects, 20 of them now, in ")
        self.assertTrue([x for x in lines if x.startswith("warning stage 'fetch', batch 1")], lines)

    def test_times_are_in_utc(self):
        self.run_logged(env={"TZ": "Asia/Tokyo"})
        written = datetime.fromisoformat((self.folder / "run.log").read_text().split()[0])
        self.assertLess(abs((datetime.now(timezone.utc) - written).total_seconds()), 3600)

    def test_a_large_file_is_put_aside(self):
        for _ in range(5):
            with open(self.folder / "run.log", "w") as file:
                file.truncate(16 << 20)
            self.run_logged("--restart")
        self.lines()
        old = sorted(path.name for path in self.folder.glob("run.*.log"))
        self.assertEqual(old, ["run.1.log", "run.2.log", "run.3.log"])

    def test_what_failed_is_there_and_the_next_run_adds_to_it(self):
        self.run_logged("--set", "fetch.fail_at=13", "--set", "fetch.fails=std", expect=1)
        self.assertRegex(self.lines()[-1], r"^error failed: .*made to fail")
        before = len(self.lines())
        self.run_logged("--resume", expect=2)
        lines = self.lines()[before:]
        self.assertRegex(lines[-1], r"^error run directory .* another chain \(- then, \+ now\):\\n  - ")

    def test_control_characters_are_written_out(self):
        self.chain.write_text(CHAIN.replace('label = "fetch"', 'label = "fetch"\nfail_at = 13\nfails = "escape"'))
        self.run_logged(expect=1)
        text = (self.folder / "run.log").read_bytes()
        self.assertIn(rb"red \u001b[31m, bell \u0007, next\nline", text)
        self.assertNotIn(b"\x1b", text)
        self.lines()

    def test_a_file_that_cannot_be_opened(self):
        (self.folder / "file").write_text("")
        done = self.qsohost("--chain", self.chain, "--log-file", "file/run.log", expect=2)
        self.assertIn("--log-file", done.stderr)
        self.assertFalse((self.folder / "watched.run").exists())

    def test_a_full_disk_ends_no_run(self):
        done = self.qsohost("--chain", self.chain, "--log-file", "/dev/full")
        self.assertIn("Done: 100 objects", done.stdout)
        self.assertEqual(done.stderr.count("the log is not complete"), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()
