"""A run that is done, and what became of it since; a run directory by any name."""

import shutil
import unittest

from support import CATALOG, PRODUCTS, RunTest


class Finished(RunTest):
    KEEP = "false"

    def gone(self):
        self.run_chain()
        before = self.files("c.run")
        (self.folder / "c.run" / CATALOG).unlink()
        return before

    def test_a_missing_product_is_reported(self):
        before = self.gone()
        done = self.run_chain("--resume", expect=1)
        self.assertIn(CATALOG, done.said)
        self.assertNotIn("Done:", done.said)
        self.assertEqual({n: before[n] for n in PRODUCTS if n != CATALOG}, self.files("c.run"))
        self.run_chain("--restart")
        self.assert_products()

    def test_a_truncated_product_is_reported(self):
        self.run_chain()
        path = self.folder / "c.run" / CATALOG
        path.write_bytes(path.read_bytes()[:2880])
        done = self.run_chain("--resume", expect=None)
        self.assertRegex(done.said, CATALOG + r"(:| ).*(changed|not there)")

    def test_a_moved_run_is_still_done(self):
        self.run_chain()
        (self.folder / "c.run").rename(self.folder / "moved")
        done = self.run_chain("--resume", run_dir="moved")
        self.assertIn("moved/" + CATALOG, done.said)
        self.assertNotIn("c.run/", done.said)
        self.assertFalse((self.folder / "c.run").exists())

    def test_chunks_that_cannot_be_removed_do_not_undo_a_run(self):
        for n in (1, 2, 3):
            shutil.rmtree(self.folder / "c.run", ignore_errors=True)
            self.run_chain(storage=f"fail {n} unlink chunks")
            self.assert_products()
            self.run_chain("--resume")


class FinishedWithChunks(RunTest):
    def test_a_publication_that_takes_long_is_named(self):
        words = "publication of the products has not returned for 0."
        slow = f"slow 1 rename /{CATALOG}"
        self.assertIn(words, self.run_chain("--stall-timeout", 0.4, storage=slow).stderr)
        self.assertIn(words, self.qsohost("merge", "c.run", "--stall-timeout", 0.4, storage=slow).stderr)
        self.assert_products()

    def test_a_missing_product_is_made_again_from_its_chunks(self):
        self.run_chain()
        before = self.files("c.run")
        for names in ([CATALOG], PRODUCTS):
            for name in names:
                (self.folder / "c.run" / name).unlink()
            self.run_chain("--resume")
            self.assert_same(before, self.files("c.run"))


class RunDirectoryName(RunTest):
    def test_dot_dot_after_a_symlink_is_relative_to_its_target(self):
        (self.folder / "elsewhere/deep").mkdir(parents=True)
        (self.folder / "link").symlink_to(self.folder / "elsewhere/deep")
        self.run_chain(run_dir="link/../x.run")
        self.assertTrue((self.folder / "elsewhere/x.run" / CATALOG).exists())
        self.assertFalse((self.folder / "x.run").exists())
        self.qsohost("merge", "link/../x.run")
        self.assertFalse((self.folder / "x.run").exists())
        self.qsohost("merge", "link/../x.run", "--into", "link/../y.run")
        self.assertTrue((self.folder / "elsewhere/y.run" / CATALOG).exists())


class DamagedLedger(RunTest):
    DAMAGE = {
        "no ledger at all": lambda _: b"something else entirely\n" * 1000,
        "empty": lambda _: b"",
        "cut": lambda content: content[: len(content) // 2],
        "holes": lambda content: content[:4096] + bytes(len(content) - 4096),
    }

    def test_restart_replaces_a_damaged_ledger(self):
        for damage, make in self.DAMAGE.items():
            with self.subTest(damage):
                shutil.rmtree(self.folder / "c.run", ignore_errors=True)
                self.run_chain()
                ledger = self.ledger_file()
                ledger.write_bytes(make(ledger.read_bytes()))
                # What it made is not known any more, so the products stay in the way.
                done = self.run_chain("--restart", expect=(0, 1, 2))
                if done.returncode != 0:
                    self.assertIn("fits", done.said)
                    for product in PRODUCTS:
                        (self.folder / "c.run" / product).unlink()
                    self.run_chain("--restart")
                self.assert_products()


if __name__ == "__main__":
    unittest.main()
