"""Where products go is looked at before the first batch."""

import unittest

from support import CATALOG, RunTest

SINKS = """
[[stage]]
use = "fits-sink"
label = "second"
what = "{what}"
path = "{path}"
"""


class ProductPaths(RunTest):
    def chain(self, path, what="targets"):
        text = (self.folder / "chain.toml").read_text() + SINKS.format(path=path, what=what)
        return self.write("more.toml", text).name

    def assert_refused(self, path, names, code=(1, 2)):
        """Before anything is read, whatever is done."""
        chain = self.chain(path)
        for args in ([], ["--resume"], ["--restart"]):
            with self.subTest(path=path, args=args):
                self.refuse(*args, chain=chain, names=names, expect=code)
                found = self.ledger_file()
                self.assertFalse(found.exists() and self.query("SELECT 1 FROM batch"))

    def test_two_sinks_with_one_file_are_refused_in_whatever_spelling(self):
        (self.folder / "c.run/sub").mkdir(parents=True)
        (self.folder / "link").symlink_to(self.folder / "c.run")
        for path in ("c_catalog.fits", "./{name}_catalog.fits", "sub/../c_catalog.fits",
                     f"{self.folder}/c.run/c_catalog.fits", f"{self.folder}/link/c_catalog.fits",
                     "../c.run//c_catalog.fits"):  # fmt: skip
            self.assert_refused(path, "c_catalog.fits")

    def test_a_product_that_is_an_input_is_refused(self):
        for path in (f"{self.folder}/catalogue.csv", "../catalogue.csv", "../answers/../catalogue.csv"):
            self.assert_refused(path, "catalogue.csv")

    def test_a_product_in_the_hosts_own_folder_is_refused(self):
        for path in (".qsohost/run.db", ".qsohost/lock", ".qsohost/chunks/x.fits", "./.qsohost/mine.fits"):
            self.assert_refused(path, ".qsohost")

    def test_a_file_name_that_is_too_long_is_refused(self):
        self.assert_refused("x" * 300 + ".fits", "xxx")
        # One that only leaves no room for a name beside it, while the product is made, is no reason.
        name = "y" * 240 + ".fits"
        done = self.run_chain(chain=self.chain(name), expect=None)
        if done.returncode == 0:
            self.assertTrue((self.folder / "c.run" / name).exists())
        else:
            self.assertFalse(self.ledger_file().exists() and self.query("SELECT 1 FROM batch"))

    def test_a_chain_name_that_is_too_long_is_refused(self):
        done = self.run_chain("--set", f"chain.name={'n' * 300}", expect=(1, 2))
        self.assertIn("nnn", done.said)
        found = self.ledger_file()
        self.assertFalse(found.exists() and self.query("SELECT 1 FROM batch"))

    def test_a_product_path_that_is_a_folder_is_refused(self):
        (self.folder / "c.run" / "folder.fits").mkdir(parents=True)
        (self.folder / "c.run/folder.fits/mine").write_bytes(b"mine")
        self.assert_refused("folder.fits", "folder.fits")

    def test_a_parent_folder_that_cannot_be_made_is_refused(self):
        (self.folder / "file").write_bytes(b"mine")
        self.assert_refused(f"{self.folder}/file/below.fits", "file")
        self.assert_refused("../file/below.fits", "file")

    def test_a_missing_parent_folder_is_made(self):
        self.run_chain(chain=self.chain("deep/er/t.fits"))
        self.assertEqual(self.ids("deep/er/t.fits"), self.ids(CATALOG))

    def test_sinks_with_different_files_are_accepted(self):
        self.run_chain(chain=self.chain("c_catalog2.fits"))
        self.assertEqual(self.ids("c_catalog2.fits"), self.ids(CATALOG))


if __name__ == "__main__":
    unittest.main()
