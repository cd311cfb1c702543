"""atlas against a queue that takes its time: kills, resumed runs, limits, tokens."""

import contextlib
import json
import pathlib
import random
import sqlite3
import sys
import time
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from chains import PATIENCE, ChainTest, interrupt, read_table, wait_until  # noqa: E402
from queue_server import TOKEN, Queue, rows  # noqa: E402

OBJECTS = 12
CHAIN = f"""
[chain]
name = "queue"
batch_rows = 5
[[stage]]
use = "catalog-source"
path = "targets.csv"
[[stage]]
use = "atlas"
poll = 0.05
[[stage]]
use = "fits-sink"
what = "atlas"
path = "atlas.fits"
"""


class QueueTest(ChainTest):
    def setUp(self):
        super().setUp()
        self.ras = [150 + k / 10 for k in range(OBJECTS)]
        self.write("chain.toml", CHAIN)
        self.write("token", TOKEN + "\n")
        lines = "".join(f"{k},{ra},2.2\n" for k, ra in enumerate(self.ras))
        self.write("targets.csv", "source_id,ra,dec\n" + lines)

    def args(self, queue, *more, token="file:token"):
        return ("--chain", "chain.toml", "--run-dir", "run", f"--set=atlas.url={queue.url}",
                f"--set=atlas.token={token}", *more)  # fmt: skip

    def stored(self):
        file = self.folder / "run/.qsohost/run.db"
        if not file.exists():
            return 0
        with contextlib.closing(sqlite3.connect(file)) as db, contextlib.suppress(sqlite3.OperationalError):
            return db.execute("SELECT count(*) FROM answer").fetchone()[0]
        return 0

    def status(self):
        done = json.loads(self.qsohost("status", "run", "--json").stdout)
        return next(stage for stage in done["stages"] if stage["stage"] == "atlas")

    def assert_right(self, nothing=()):
        product, _ = read_table(self.folder / "run/atlas.fits")
        columns = ["mjd", "mag", "mag_err", "flux", "flux_err"]
        self.assertEqual(list(product), ["source_id", "ra", "dec"] + [f"{c}_{b}" for b in "co" for c in columns])
        for i, ra in enumerate(self.ras):
            for band in "co":
                table = [row[:5] for row in rows(ra) if row[5] == band and ra not in nothing]
                want = np.array(table, dtype=float).reshape(-1, 5)
                want[want[:, 3] < 0, 1] = np.nan
                for column, values in zip(columns, want.T):
                    got = product[f"{column}_{band}"][i]
                    np.testing.assert_array_equal(got, values.astype(got.dtype), f"{column}_{band}, row {i}")

    def assert_polite(self, queue, tasks=OBJECTS):
        self.assertEqual(queue.breaches, [])
        self.assertLessEqual(queue.most_in_flight, 8)
        self.assertEqual(sorted(queue.positions), sorted(set(queue.positions)))
        self.assertEqual(len(queue.tasks), tasks)
        self.assertEqual(queue.left(), 0)

    def test_every_row_of_every_object(self):
        nothing = self.ras[3:5]
        with Queue(takes=0.5, nothing=nothing) as queue:
            self.qsohost(*self.args(queue))
        self.assert_right(nothing)
        self.assert_polite(queue)
        stage = self.status()
        self.assertEqual([stage[k] for k in ("matched", "not_found", "failed")], [OBJECTS - 2, 2, 0])
        done = self.qsohost("status", "run", "--json", "--not-found").stdout
        self.assertEqual(done.count("No data returned"), 2)

    def test_no_post_before_the_second_that_a_429_named(self):
        with Queue(takes=0.1, throttled=5, wait=2) as queue:
            self.qsohost(*self.args(queue))
        self.assertGreaterEqual(queue.throttles, 2)
        self.assert_right()
        self.assert_polite(queue)

    def kill(self, process):
        process.kill()
        process.wait()

    def test_killed_again_and_again(self):
        """No object gets a second task, and results of tasks that are deleted are not needed again."""
        rng = random.Random(3)
        with Queue(takes=0.6, throttled=7, wait=1) as queue:
            for _ in range(12):
                process = self.launch(*self.args(queue, "--resume"))
                time.sleep(rng.uniform(0.1, 1))
                self.kill(process)
            self.qsohost(*self.args(queue, "--resume"))
        self.assert_right()
        self.assert_polite(queue)

    def test_killed_while_it_is_held(self):
        """The resumed run waits as long as the 429 said, though it has not heard it itself."""
        with Queue(takes=0.1, throttled=3, wait=5) as queue:
            process = self.launch(*self.args(queue))
            wait_until(lambda: queue.throttles == 1 and self.stored() > 0, "a 429", process)
            self.kill(process)
            queue.throttled = 0
            self.qsohost(*self.args(queue, "--resume"))
        self.assert_right()
        self.assert_polite(queue)

    def test_interrupted_while_tasks_wait_in_the_queue(self):
        with Queue(takes=3600) as queue:
            process = self.launch(*self.args(queue))
            wait_until(lambda: len(queue.tasks) == 5, "tasks", process)
            interrupt(process)
            self.assertEqual(process.wait(timeout=PATIENCE), 130)
            queue.takes = 0
            self.qsohost(*self.args(queue, "--resume"))
        self.assert_right()
        self.assert_polite(queue)

    def test_a_task_that_is_never_finished(self):
        """Its object has failed, and --retry-failed goes on with the same task."""
        with Queue(takes=3600) as queue:
            self.qsohost(*self.args(queue, "--set=atlas.task_timeout=1"), expect=3)
            self.assertEqual(self.status()["failed"], OBJECTS)
            queue.takes = 0
            self.qsohost(*self.args(queue, "--retry-failed"))
        self.assert_right()
        self.assert_polite(queue)

    def test_a_server_that_forgets_its_tasks(self):
        with Queue(takes=3600) as queue:
            process = self.launch(*self.args(queue))
            wait_until(lambda: len(queue.tasks) == 5, "tasks", process)
            self.kill(process)
        with Queue(takes=0.1, port=queue.port) as other:
            other.tasks = {k: (0, 0, []) for k in range(100)}
            other.deleted = set(other.tasks)
            self.qsohost(*self.args(other, "--resume"))
        self.assert_right()
        self.assertEqual((other.breaches, other.left()), ([], 0))

    def test_a_wrong_token(self):
        self.write("token", "wr0ng-token\n")
        with Queue() as queue:
            done = self.qsohost(*self.args(queue), expect=1)
            self.assertLessEqual(len(queue.requests), 3)  # one a batch
            self.assertIn("does not know the token", done.stderr)
            self.assertIn("/api-token-auth/", done.stderr)
            self.assertNotIn("wr0ng", done.stderr + done.stdout)
            self.write("token", TOKEN)
            self.qsohost(*self.args(queue, "--resume"))
        self.assert_right()
        self.assert_polite(queue)
        missing = self.qsohost(*self.args(queue, "--restart", token="NOT_THERE"), expect=1)
        self.assertIn("NOT_THERE", missing.stderr)

    def test_the_token_is_in_no_file(self):
        with Queue() as queue:
            self.qsohost(*self.args(queue, "--record=rec"))
        self.assertEqual((self.folder / "run/.qsohost").stat().st_mode & 0o777, 0o700)
        for file in self.folder.rglob("*"):
            if file.is_file() and file.name != "token":
                self.assertNotIn(TOKEN.encode(), file.read_bytes(), file)


if __name__ == "__main__":
    unittest.main()
