"""Archives that send Retry-After, or are not there: every wait has an end, and Ctrl-C is obeyed."""

import os
import re
import threading
import time
import unittest
from email.utils import formatdate

from servers import PATIENCE, TEST_PLUGINS, Archive, HttpTest, interrupt, preloaded, wait_until


def late_and_refused(value, date=None):
    """The first request is answered late, the second is refused with `value`; all others are
    answered. `date`: what the archive's clock says."""
    asked = []
    lock = threading.Lock()

    def handle(handler, _source, _times):
        with lock:
            asked.append(time.monotonic())
            place = len(asked)
        if date:
            handler.date_time_string = lambda: date
        if place == 1:
            time.sleep(0.5)
        if place == 2:
            return handler.send("wait", 429, Retry_After=value) or False
        return None

    return handle, asked


class Waiting(HttpTest):
    def test_a_retry_after_that_is_too_long_is_limited(self):
        far = formatdate(time.time() + 86400 * 365, usegmt=True)
        for value in ("1900000000", str(2**62), str(2**63 - 1), str(2**63), far):
            with self.subTest(value):
                handle, asked = late_and_refused(value)
                with Archive(handle) as archive:
                    begin = time.monotonic()
                    done = self.run_chain(archive.url, "--restart", objects=40, patience_ms=6000)
                self.assertLess(time.monotonic() - begin, 60)
                self.assert_whole(40)
                # Half of the patience; two at most were on their way.
                self.assertLessEqual(sum(t < asked[1] + 2.8 for t in asked), 4)
                logged = re.findall(r"127\.0\.0\.1:\d+ asks to wait .* UTC", done.stderr)
                self.assertEqual(len(logged), 1, done.stderr)

    def test_a_retry_after_in_the_past_does_not_wait(self):
        for value in ("-5", "-9223372036854775809", formatdate(0, usegmt=True)):
            with self.subTest(value):
                handle, _ = late_and_refused(value)
                with Archive(handle) as archive:
                    begin = time.monotonic()
                    self.run_chain(archive.url, "--restart", objects=40)
                self.assertLess(time.monotonic() - begin, 30)  # half of the patience
                self.assert_whole(40)

    def test_a_retry_after_follows_the_clock_of_the_archive(self):
        hours = 6 * 3600
        for off in (hours, -hours):
            with self.subTest(off):
                there = time.time() + off
                handle, asked = late_and_refused(
                    formatdate(there + 3, usegmt=True), formatdate(there, usegmt=True)
                )
                with Archive(handle) as archive:
                    begin = time.monotonic()
                    self.run_chain(archive.url, "--restart", objects=40)
                self.assertLess(time.monotonic() - begin, 30)
                self.assertLessEqual(sum(t < asked[1] + 2 for t in asked), 4)
                self.assert_whole(40)

    def test_a_late_good_answer_does_not_make_the_wait_endless(self):
        def handle(handler, source, _times):
            if source == 1:
                return time.sleep(1)
            return handler.send("wait", 429, Retry_After=1900000000) or False

        with Archive(handle) as archive:
            begin = time.monotonic()
            done = self.run_chain(archive.url, objects=20, patience_ms=3000, expect=3)
        self.assertLess(time.monotonic() - begin, 60)
        self.assertIn("is given up for this run: no good answer from", done.stderr)
        self.assert_whole(20, without=range(2, 21))

    def wait_and_interrupt(self, archive, *args):
        """While the run waits for the archive, which it would do for a minute."""
        process = self.start(*args)
        wait_until(lambda: archive.is_waited_for, "the archive is waited for", process)
        time.sleep(0.5)
        self.assertIsNone(process.poll(), self.log())
        self.assert_ends(process, within=25)

    def assert_done_by_resume(self, archive, answered):
        """Nothing was said of objects that nobody asked about."""
        self.assertIn("left for --resume", self.log())
        with Archive(port=archive.port) as back:
            self.assertEqual(self.start("--resume").wait(timeout=PATIENCE), 0, self.log())
        self.assert_whole(60)
        self.assertEqual(sorted(back.asked), [s for s in range(1, 61) if s not in answered])

    def test_interrupt_during_a_retry_after(self):
        answered = set()

        def handle(handler, source, _times):
            if len(answered) < 10:
                return answered.add(source)
            archive.is_waited_for = True
            return handler.send("wait", 503, Retry_After=86400) or False

        with Archive(handle) as archive:
            archive.is_waited_for = False
            self.chain(archive.url, objects=60, rows=20)
            self.wait_and_interrupt(archive)
        self.assert_done_by_resume(archive, answered)

    def test_interrupt_while_the_archive_is_gone(self):
        answered = set()

        def handle(handler, source, _times):
            if len(answered) < 10:
                return answered.add(source)
            archive.is_waited_for = True
            handler.close_connection = True
            return False  # nothing, and the connection ends

        with Archive(handle) as archive:
            archive.is_waited_for = False
            self.chain(archive.url, objects=60, rows=20)
            self.wait_and_interrupt(archive)
        self.assert_done_by_resume(archive, answered)

    def test_a_first_interrupt_does_not_wait_for_an_archive_that_says_nothing(self):
        """It takes connections and never answers; the time-out of a request is two minutes."""
        hang = threading.Event()
        with Archive(lambda *_: hang.wait(PATIENCE) and None) as archive:
            self.chain(archive.url, objects=40)
            process = self.start()
            wait_until(lambda: archive.asked, "a request", process)
            self.assert_ends(process, within=40)
            hang.set()

    def test_batches_that_do_not_wait_are_finished(self):
        """The first Ctrl-C finishes what is under way, if the archive answers."""

        def handle(_handler, _source, _times):
            time.sleep(0.1)

        with Archive(handle) as archive:
            self.chain(archive.url, objects=400, rows=100)
            process = self.start("-j", 1)
            wait_until(lambda: len(archive.asked) >= 20, "20 requests", process)
            interrupt(process)
            process.wait(timeout=PATIENCE)
            self.assertNotIn("left for --resume", self.log())
            self.assertEqual(self.stored(), 0)  # every batch that had begun is done

    def test_second_interrupt_ends_at_once(self):
        hang = threading.Event()
        with Archive(lambda *_: hang.wait(PATIENCE) and None) as archive:
            self.chain(archive.url, objects=40)
            process = self.start()
            wait_until(lambda: archive.asked, "a request", process)
            self.assert_second_interrupt(process)
            hang.set()

    def test_second_interrupt_while_a_name_is_looked_up(self):
        self.chain("http://archive.example", objects=40)
        slow = TEST_PLUGINS / "plugins/preload/slow-names.so"
        self.assertTrue(slow.exists())
        lookup = self.folder / "lookup"
        process = self.start(env=preloaded(os.environ, slow) | {"QSOHOST_TEST_LOOKUP": str(lookup)})
        wait_until(lookup.exists, "the name is looked up", process)
        self.assert_second_interrupt(process)

    def assert_second_interrupt(self, process):
        interrupt(process)
        self.assertIsNone(process.poll(), self.log())
        self.assert_ends(process, within=25)


if __name__ == "__main__":
    unittest.main()
