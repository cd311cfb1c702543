"""Archives that go away, runs that are stopped, and answers that outlive both."""

import random
import subprocess
import threading
import time
import unittest

from servers import PATIENCE, Archive, HttpTest, interrupt, wait_until


def slowly(seconds):
    def handle(_handler, _source, _times):
        time.sleep(seconds)

    return handle


class Outages(HttpTest):
    def test_a_run_survives_a_restart_of_the_archive(self):
        with Archive(slowly(0.02)) as archive:
            self.chain(archive.url, objects=300)
            process = self.start()
            wait_until(lambda: len(archive.asked) >= 60, "60 requests", process)
        wait_until(lambda: "gives no good answer any more" in self.log(), "its end", process)
        with Archive(port=archive.port) as back:
            self.assertEqual(process.wait(timeout=PATIENCE), 0, self.log())
        self.assert_whole(300)
        self.assertIn("answers again", self.log())
        # Those that were on their way when it went may be asked twice.
        self.assertLess(sum(archive.asked.values()) + sum(back.asked.values()), 340)

    def test_an_archive_that_is_gone_is_given_up_and_retry_failed_asks_for_the_rest(self):
        with Archive(slowly(0.02)) as archive:
            self.chain(archive.url, objects=300, rows=30)
            process = self.start("--set", "echo.patience_ms=3000")
            wait_until(lambda: len(archive.asked) >= 100, "100 requests", process)
        self.assertEqual(process.wait(timeout=PATIENCE), 3, self.log())
        self.assertIn("is given up for this run: no good answer from", self.log())
        self.assertIn("--retry-failed", self.log())
        self.assertGreater(self.stored(), 0)
        had = sum(bool(line.split()[1:]) for line in self.product().splitlines())
        self.assertGreaterEqual(had, 100 - archive.most_in_flight)
        with Archive(port=archive.port) as back:
            process = self.start("--set", "echo.patience_ms=3000", "--retry-failed")
            self.assertEqual(process.wait(timeout=PATIENCE), 0, self.log())
        self.assert_whole(300)
        self.assertEqual(sum(back.asked.values()), 300 - had)
        self.assertEqual(self.stored(), 0)

    def test_an_archive_that_never_answers_is_given_up(self):
        with Archive() as archive:
            pass
        self.run_chain(archive.url, patience_ms=1500, objects=40, expect=3)
        self.assert_whole(40, without=range(41))

    def test_responses_survive_being_killed_again_and_again(self):
        rng = random.Random(3)
        kills = 0
        with Archive(slowly(0.03)) as archive:
            self.chain(archive.url, objects=400, rows=20)
            for _ in range(20):
                process = self.start("--resume")
                try:
                    process.wait(timeout=rng.uniform(0.1, 0.6))
                    break
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    kills += 1
            self.assertEqual(self.start("--resume").wait(timeout=PATIENCE), 0, self.log())
        self.assert_whole(400)
        self.assertGreater(kills, 3)
        # Lost are those in flight, and those that were answered and not stored yet; had nothing been
        # kept, it would be all of the batches under way.
        lost = sum(archive.asked.values()) - 400
        self.assertLessEqual(lost, 2 * kills * archive.most_in_flight)

    def test_responses_survive_a_second_interrupt(self):
        """After the first one the batch goes on, which would take minutes."""
        one = ("--set", "echo.max_connections=1")
        with Archive(lambda _h, source, _t: time.sleep(0.5) if source > 20 else None) as archive:
            self.chain(archive.url, objects=320, rows=320)
            process = self.start(*one)
            wait_until(lambda: len(archive.asked) > 20, "20 answers", process)
            interrupt(process)
            wait_until(lambda: len(archive.asked) > 23, "more answers", process)
            self.assert_ends(process, within=30)
        had = self.stored()
        self.assertGreaterEqual(had, 20)
        with Archive(port=archive.port) as back:
            self.assertEqual(self.start("--resume", *one).wait(timeout=PATIENCE), 0, self.log())
        self.assert_whole(320)
        self.assertEqual(sum(back.asked.values()), 320 - had)

    def test_two_runs_at_once_in_two_directories(self):
        with Archive(slowly(0.01)) as archive:
            self.chain(archive.url, objects=150)
            runs = [self.start(run=name) for name in ("one", "two")]
            for process in runs:
                self.assertEqual(process.wait(timeout=PATIENCE), 0)
        for name in ("one", "two"):
            self.assertEqual(self.product(name), self.expected(150))
        self.assertEqual(set(archive.asked.values()), {2})

    def test_a_second_run_in_one_directory_is_refused(self):
        is_over = threading.Event()
        with Archive(lambda *_: is_over.wait(PATIENCE) and None) as archive:
            self.chain(archive.url, objects=100)
            first = self.start("--set", f"echo.timeout_ms={1000 * PATIENCE}")
            wait_until(lambda: archive.asked, "a request", first)
            second = self.start("--resume", run="run")
            self.assertNotEqual(second.wait(timeout=PATIENCE), 0)
            self.assertIn("in use by another qsohost", self.log())
            is_over.set()
            self.assertEqual(first.wait(timeout=PATIENCE), 0)

    def test_max_connections_is_obeyed(self):
        with Archive(slowly(0.02)) as archive:
            self.run_chain(archive.url, objects=100, max_connections=3)
        self.assertLessEqual(archive.most_in_flight, 3)


class Recordings(HttpTest):
    def test_a_replay_sends_no_requests_and_names_what_is_missing(self):
        with Archive(lambda h, s, t: h.send("no", 503) or False if t == 1 else None) as archive:
            self.run_chain(archive.url, "--record", "recorded")
        asked = sum(archive.asked.values())
        self.run_chain(archive.url, "--restart", "--replay", "recorded")
        self.assert_whole(10)
        self.assertEqual(sum(archive.asked.values()), asked)
        done = self.run_chain(
            archive.url, "--restart", "--replay", "recorded", objects=11, expect=1
        )
        self.assertIn(f"holds no answer to GET {archive.url}/curve/11", done.stderr)

    def test_a_replay_without_a_recording_is_refused(self):
        done = self.run_chain("http://127.0.0.1:1", "--replay", "nowhere", expect=2)
        self.assertIn("nowhere/answers.db", done.stderr)

    def test_a_recording_in_the_place_of_a_file_is_refused(self):
        (self.folder / "notes").write_text("mine")
        done = self.run_chain("http://127.0.0.1:1", "--record", "notes", expect=2)
        self.assertIn("notes: the folder of a recording cannot be made: ", done.stderr)
        self.assertIn("check the path", done.stderr)
        self.assertEqual((self.folder / "notes").read_text(), "mine")

    def test_a_dry_run_requests_its_objects_and_leaves_no_files(self):
        with Archive() as archive:
            self.run_chain(archive.url, "--dry-run", "5")
        self.assertEqual(sum(archive.asked.values()), 5)
        self.assertFalse((self.folder / "run").exists())


if __name__ == "__main__":
    unittest.main()
