"""Shards that are merged: all of them, of one chain and one catalogue, into a folder of their own."""

import fcntl
import shutil
import unittest

from support import CATALOG, PRODUCTS, RunTest


class Merge(RunTest):
    def shards(self, *ranges, args=()):
        """Runs shards (begin, end); end None: to the end of the catalogue. Gives their names."""
        names = []
        for begin, end in ranges:
            name = f"{begin}-{end}.run"
            skip = ["--skip", begin] if begin else []
            limit = ["--limit", end - begin] if end else []
            self.run_chain(*skip, *limit, *args, run_dir=name)
            names.append(name)
        return names

    def merge(self, *runs, into="all.run", args=(), **more):
        return self.qsohost("merge", *runs, *(["--into", into] if into else []), *args, **more)

    def refuse_merge(self, *runs, names, **more):
        before = self.files()
        done = self.merge(*runs, expect=(1, 2), **more)
        for name in [names] if isinstance(names, str) else names:
            self.assertIn(name, done.said)
        self.assert_same(before, self.files())

    def test_merged_shards_equal_the_whole_run(self):
        runs = self.shards((0, 3), (3, 5), (5, None))
        self.merge(*reversed(runs))
        self.assert_products(run_dir="all.run")
        before = self.files("all.run")
        self.merge(*runs)  # again, into the same folder
        self.assert_same(before, self.files("all.run"))

    def test_status_of_merged_products_names_the_runs(self):
        runs = self.shards((0, 3), (3, None))
        self.merge(*runs)
        said = self.qsohost("status", "all.run").stdout
        self.assertIn(f"{len(self.IDS)} of {len(self.IDS)} objects", said)
        for run in runs:
            self.assertIn(str(run), said)

    def test_a_missing_last_shard_is_refused_without_partial(self):
        runs = self.shards((0, 2), (2, 5))
        self.refuse_merge(*runs, names=str(len(self.IDS) - 5))
        self.refuse_merge(runs[0], names=str(len(self.IDS) - 2))
        self.merge(*runs, args=["--partial"])
        self.assert_products(self.IDS[:5], run_dir="all.run")
        # With a limit it is the last one too if nothing comes behind it.
        for end in (8, 9):
            last = self.shards((5, end))
            self.merge(*runs, *last, into=f"to{end}.run")
            self.assert_products(run_dir=f"to{end}.run")

    def test_gaps_and_overlaps_are_refused(self):
        a, b, c, d = self.shards((0, 3), (3, 5), (4, 6), (6, None))
        self.refuse_merge(a, d, names=["4", "6"])
        self.refuse_merge(a, c, d, names="4")
        self.refuse_merge(a, b, c, d, names="5")
        self.refuse_merge(b, c, names="")
        self.refuse_merge(a, d, names=["4", "6"], args=["--partial"])

    def test_shards_of_different_chains_are_refused(self):
        (a,) = self.shards((0, 4))
        (b,) = self.shards((4, None), args=["--set", "ztf.radius_arcsec=1"])
        self.refuse_merge(a, b, names=[a, b])

    def test_shards_of_different_catalogues_are_refused(self):
        (a,) = self.shards((0, 4))
        self.set_rows([99, *self.IDS])
        self.set_answer(99, 0)
        (b,) = self.shards((4, None))
        self.refuse_merge(a, b, names="catalogue.csv")
        self.set_rows(self.IDS)
        self.refuse_merge(a, b, names="catalogue.csv")

    def test_merging_into_another_run_is_refused(self):
        runs = self.shards((0, 4), (4, None))
        self.run_chain(run_dir="other.run")
        for into in ("other.run", *runs):
            self.refuse_merge(*runs, into=into, names=into)
        self.assert_products(run_dir="other.run")
        self.run_chain("--resume", run_dir="other.run")

    def test_merging_into_a_run_in_use_is_refused(self):
        runs = self.shards((0, 4), (4, None))
        self.merge(*runs)
        locks = [p for p in (self.folder / "all.run").rglob("lock")]
        self.assertTrue(locks, "no lock")
        with open(locks[0], "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.refuse_merge(*runs, names="all.run")

    def test_a_run_of_another_format_is_refused(self):
        (a, b) = self.shards((0, 4), (4, None))
        self.query_and_commit(a, "PRAGMA user_version=1")
        for runs, into in (([a, b], "all.run"), ([a], None)):
            self.refuse_merge(*runs, into=into, names=a)

    def query_and_commit(self, run_dir, sql):
        import sqlite3

        db = sqlite3.connect(self.ledger_file(run_dir))
        with db:
            db.execute(sql)
        db.close()

    def test_a_single_run_makes_its_products_again(self):
        self.run_chain()
        before = self.files("c.run")
        (self.folder / "c.run" / CATALOG).unlink()
        self.merge("c.run", into=None)
        self.assert_same(before, self.files("c.run"))
        self.run_chain("--resume")

    def test_a_single_run_is_merged_into_another_folder(self):
        self.run_chain()
        self.merge("c.run", into="other")
        for product in PRODUCTS:
            self.assertEqual(self.ids(product, "other"), self.ids(product))

    def test_a_merge_that_is_killed_is_done_again(self):
        runs = self.shards((0, 4), (4, None))
        file = self.folder / "calls"
        self.merge(*runs, into="count.run", storage=f"count {file}")
        for n in range(1, int(file.read_text()), 7):
            shutil.rmtree(self.folder / "all.run", ignore_errors=True)
            with self.subTest(n):
                self.merge(*runs, storage=f"kill {n}", expect=-9)
                self.merge(*runs)
                self.assert_products(run_dir="all.run")
                left = {p.name for p in (self.folder / "all.run").iterdir()} - {".qsohost"}
                self.assertEqual(left, set(PRODUCTS))


if __name__ == "__main__":
    unittest.main()
