"""What the host did not make stays as it is, whatever it is called and wherever it lies."""

import shutil
import unittest

from support import CATALOG, PRODUCTS, RunTest

MINE = b"of the user's own\n"
NAMES = (
    "received/mine.fits", "chunks/raw/mine.fits", "merging/mine", "notes.txt", "lock",
    "c_catalog.fits.part", ".c_catalog.fits.0123456789abcdef.part", "run-id",
)  # fmt: skip


class OthersFiles(RunTest):
    def put(self, path):
        path = self.folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(MINE)
        return path

    def assert_mine(self, *paths):
        for path in paths:
            self.assertTrue(path.exists(), f"{path} is gone")
            self.assertEqual(path.read_bytes(), MINE, path)

    def test_a_users_files_in_the_run_directory_are_kept(self):
        for run_dir in ("c.run", "."):
            mine = [self.put(f"{run_dir}/{name}") for name in NAMES]
            for args in ([], ["--resume"], ["--restart"], ["--retry-failed"], ["--restart"]):
                self.run_chain(*args, run_dir=run_dir)
                self.assert_mine(*mine)
            self.qsohost("merge", run_dir)
            self.assert_mine(*mine)
            self.assert_products(run_dir=run_dir)

    def test_restart_without_a_run_keeps_a_users_files(self):
        mine = [self.put(f"c.run/{name}") for name in NAMES]
        self.run_chain("--restart")
        self.assert_mine(*mine)

    def test_merge_keeps_a_users_files(self):
        self.run_chain("--limit", 4, run_dir="a.run")
        self.run_chain("--skip", 4, run_dir="b.run")
        mine = [self.put(f"all.run/{name}") for name in NAMES]
        self.qsohost("merge", "a.run", "b.run", "--into", "all.run")
        self.assert_mine(*mine)
        self.assert_products(run_dir="all.run")

    def test_no_temporary_files_are_left_beside_products(self):
        self.run_chain()
        top = {p.name for p in (self.folder / "c.run").iterdir()}
        self.assertEqual(top, {".qsohost", *PRODUCTS})

    def test_restart_of_a_copy_leaves_the_products_of_the_original(self):
        self.run_chain(run_dir="old run")
        before = self.files("old run")
        shutil.copytree(self.folder / "old run", self.folder / "new")
        self.run_chain("--restart", run_dir="new")
        self.assert_same(before, self.files("old run"))
        self.assert_products(run_dir="new")

    def test_restart_of_a_moved_run_leaves_the_products_of_its_successor(self):
        self.run_chain(run_dir="a.run")
        (self.folder / "a.run").rename(self.folder / "b.run")
        self.run_chain(run_dir="a.run")
        before = self.files("a.run")
        self.run_chain("--restart", run_dir="b.run")
        self.assert_same(before, self.files("a.run"))
        self.assert_products(run_dir="b.run")

    def test_resuming_a_copy_leaves_the_original(self):
        self.run_chain("--limit", 4, run_dir="a.run")
        shutil.copytree(self.folder / "a.run", self.folder / "b.run")
        for product in PRODUCTS:
            (self.folder / "b.run" / product).unlink()
        before = self.files("a.run")
        self.run_chain("--limit", 4, "--resume", run_dir="b.run")
        self.assert_same(before, self.files("b.run"))
        self.assert_same(before, self.files("a.run"))

    def test_a_product_outside_belongs_to_the_run_that_wrote_it(self):
        out = self.folder / "out/raw.fits"
        absolute = ["--set", f"raw.path={out}"]
        self.run_chain(*absolute, run_dir="a.run")
        whole = out.read_bytes()
        shutil.copytree(self.folder / "a.run", self.folder / "b.run")
        for run_dir, args in (("b.run", ["--restart"]), ("b.run", ["--resume"]), ("c.run", [])):
            self.run_chain(*absolute, *args, run_dir=run_dir, expect=None)
            self.assertEqual(out.read_bytes(), whole, f"{run_dir} {args}")
        refused = self.run_chain(*absolute, run_dir="d.run", expect=(1, 2))
        self.assertIn(str(out), refused.said)
        self.run_chain(*absolute, "--restart", run_dir="a.run")
        self.assertTrue(out.exists())

    def test_a_copy_leaves_what_the_original_is_writing_outside(self):
        out = self.folder / "out/raw.fits"
        absolute = ["--set", f"raw.path={out}"]
        self.run_chain(*absolute, run_dir="a.run")
        calls = self.storage_calls(*absolute, "--restart", run_dir="a.run")
        for n in range(calls, 0, -1):
            self.run_chain(*absolute, "--restart", run_dir="a.run", storage=f"kill {n}", expect=(0, -9))
            parts = list(out.parent.glob(".*.part"))
            if parts:
                break
        self.assertTrue(parts, "no moment at which the product was being written")
        shutil.copytree(self.folder / "a.run", self.folder / "b.run")
        for args in (["--resume"], ["--restart"]):
            self.run_chain(*absolute, *args, run_dir="b.run", expect=None)
            self.assertTrue(parts[0].exists(), f"{args} of a copy removed it")

    def test_a_users_file_in_the_place_of_a_product_is_refused(self):
        mine = self.put(f"c.run/{CATALOG}")
        self.refuse(names=CATALOG)
        self.refuse("--restart", names=CATALOG)
        mine.unlink()
        self.run_chain("--resume")
        self.put(f"c.run/{CATALOG}")
        for args, expect in ((["--resume"], None), (["--retry-failed"], None), (["--restart"], (1, 2))):
            done = self.run_chain(*args, expect=expect)
            self.assertIn(CATALOG, done.said)
            self.assert_mine(mine)
        self.qsohost("merge", "c.run", expect=(1, 2))
        self.assert_mine(mine)

    def test_folders_that_are_not_the_hosts_are_refused(self):
        self.put("c.run/.qsohost/mine")  # no mark in it
        self.put("old.run/run.db")  # as it was laid out before
        for run_dir in ("c.run", "old.run"):
            for args in ([], ["--resume"], ["--restart"], ["--retry-failed"]):
                before = sorted(p for p in self.folder.rglob("*"))
                self.run_chain(*args, run_dir=run_dir, expect=(1, 2))
                self.assertEqual(before, sorted(p for p in self.folder.rglob("*")))
        self.assert_mine(self.folder / "c.run/.qsohost/mine", self.folder / "old.run/run.db")


if __name__ == "__main__":
    unittest.main()
