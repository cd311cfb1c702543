"""--retry-failed that is broken off, and what comes after it."""

import json
import shutil
import unittest

import fits_table
from support import CATALOG, CURVES, PRODUCTS, RAW, RunTest
from world import MISSING

FAILED = (RunTest.IDS[1], RunTest.IDS[6])  # one of each batch


class Retry(RunTest):
    KEEP = "false"

    def setUp(self):
        super().setUp()
        for source_id in FAILED:
            self.set_answer(source_id, MISSING)
        self.run_chain(expect=3, run_dir="before.run")
        self.assert_products(run_dir="before.run")
        for source_id in FAILED:
            self.set_answer(source_id, 0)
        self.run_chain(run_dir="whole.run")

    def at_each_moment(self, what, step, check):
        """Breaks off the --retry-failed of copies of the run, each at another call of its storage."""
        self.restore()
        for n in range(1, self.storage_calls("--retry-failed") + 1, step):
            self.restore()
            with self.subTest(f"{what} {n}"):
                self.run_chain("--retry-failed", storage=f"{what} {n}", expect=(0, 1, 2, -9))
                check()

    def restore(self):
        shutil.rmtree(self.folder / "c.run", ignore_errors=True)
        shutil.copytree(self.folder / "before.run", self.folder / "c.run")

    def assert_aligned(self):
        """Whatever batches were done again: they were so in every product."""
        raw = fits_table.read(self.folder / "c.run" / RAW).columns
        with_epochs = [i for i, mjd in zip(raw["source_id"], raw["mjd_g"]) if mjd]
        self.assertEqual(self.ids(CATALOG), with_epochs)
        self.assertEqual(self.ids(CURVES), with_epochs)

    def resume(self):
        done = self.run_chain("--resume", expect=(0, 3))
        self.assert_aligned()
        if done.returncode == 3:  # broken off before anything was begun
            self.run_chain("--retry-failed")
        self.assert_products()
        for name in PRODUCTS:
            ours, whole = (fits_table.read(self.folder / run / name).data for run in ("c.run", "whole.run"))
            self.assertEqual(ours, whole, name)

    def test_killed_at_any_moment_a_resumed_run_gives_aligned_products(self):
        self.at_each_moment("kill", 3, self.resume)

    def test_failed_at_any_moment_a_resumed_run_gives_aligned_products(self):
        self.at_each_moment("fail", 5, self.resume)

    def look(self):
        """At what others see of a run that was broken off."""
        status = json.loads(self.qsohost("status", "c.run", "--json").stdout)
        if status["finished"] or status["products"]:
            self.assert_aligned()
        if self.qsohost("merge", "c.run", expect=None).returncode == 0:
            self.assert_aligned()

    def test_products_of_two_attempts_are_never_merged_nor_listed_as_written(self):
        self.at_each_moment("kill", 4, self.look)


if __name__ == "__main__":
    unittest.main()
