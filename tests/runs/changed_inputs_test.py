"""A run goes on only with the inputs that it began with, unless changes are accepted."""

import os
import shutil
import unittest

import numpy as np
from astropy.io import fits

from support import CATALOG, PRODUCTS, RAW, RunTest
from world import MISSING

OTHER = 99

FITS_CHAIN = """[chain]
name = "c"
batch_rows = 4
[[stage]]
use = "{use}"
label = "source"
{options}
[[stage]]
use = "fits-sink"
label = "A"
keep_chunks = true
"""


class ChangedCatalogue(RunTest):
    def setUp(self):
        super().setUp()
        self.world.answers[OTHER] = 0
        self.world.write_answer(OTHER)

    def break_off(self, **more):
        """After the first of two batches."""
        shutil.rmtree(self.folder / "count.run", ignore_errors=True)
        calls = self.storage_calls(run_dir="count.run", **more)
        for n in range(calls // 2, calls, 4):
            shutil.rmtree(self.folder / "c.run", ignore_errors=True)
            self.run_chain(storage=f"kill {n}", expect=-9, **more)
            if self.query("SELECT count(*) FROM batch") == [(1,)]:
                return
        self.fail("it cannot be broken off between two batches")

    CHANGES = {
        "an object less": RunTest.IDS[1:],
        "an object more": [OTHER, *RunTest.IDS],
        "another order": RunTest.IDS[::-1],
        "another object": [OTHER, *RunTest.IDS[1:]],
        "more at the end": [*RunTest.IDS, OTHER],
    }

    def test_resume_refuses_a_changed_catalogue_and_names_it(self):
        self.break_off()
        for change, ids in self.CHANGES.items():
            with self.subTest(change):
                self.set_rows(ids)
                self.refuse("--resume", names="catalogue.csv", expect=2)
        self.set_rows(self.IDS)
        self.run_chain("--resume")
        self.assert_products()

    def test_resume_refuses_a_catalogue_of_the_same_size_and_time(self):
        self.break_off()
        path = self.folder / "catalogue.csv"
        stat = path.stat()
        path.write_text(path.read_text().replace("10,20", "20,10"))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        self.refuse("--resume", names="catalogue.csv", expect=2)

    def test_a_catalogue_that_was_only_touched_is_the_same(self):
        self.break_off()
        shutil.copyfile(self.folder / "catalogue.csv", self.folder / "copy.csv")
        os.replace(self.folder / "copy.csv", self.folder / "catalogue.csv")
        self.run_chain("--resume")
        self.assert_products()

    def test_retry_failed_refuses_a_changed_catalogue(self):
        self.set_answer(self.IDS[2], MISSING)
        self.run_chain(expect=3)
        self.set_answer(self.IDS[2], 0)
        self.set_rows(self.IDS[1:])
        self.refuse("--retry-failed", names="catalogue.csv", expect=2)

    def test_accepted_changes_lose_nobody_and_double_nobody(self):
        for change, ids in self.CHANGES.items():
            with self.subTest(change):
                self.set_rows(self.IDS)
                self.break_off()
                committed = set(self.IDS[:4])
                self.set_rows(ids)
                done = self.run_chain("--resume", "--accept-changed-inputs")
                for product in PRODUCTS:
                    self.assertEqual(sorted(self.ids(product)), sorted(committed | set(ids)), product)
                self.assert_products(self.ids(RAW))
                if committed - set(ids):
                    self.assertIn("are in no input any more, and stay", done.said)
                self.run_chain("--resume")

    def test_a_retry_with_accepted_changes_leaves_others_as_they_were(self):
        for gone in (self.IDS[0], self.IDS[6]):
            shutil.rmtree(self.folder / "c.run", ignore_errors=True)
            self.set_rows(self.IDS)
            self.set_answer(self.IDS[2], MISSING)
            self.run_chain(expect=3)
            self.set_answer(self.IDS[2], 0)
            self.set_rows([i for i in self.IDS if i != gone] + [OTHER])
            done = self.run_chain("--retry-failed", "--accept-changed-inputs", expect=(0, 3))
            for product in PRODUCTS:
                found = self.ids(product)
                self.assertEqual(len(found), len(set(found)), product)
                # A batch that cannot be done again as it was stays as it is.
                stays = {self.IDS[2]} if done.returncode == 3 and product != RAW else set()
                self.assertEqual({*self.IDS, OTHER} - stays, set(found), product)
            self.assertEqual(done.returncode, 3 if gone in self.IDS[:4] else 0)

    def test_accept_changed_inputs_without_an_earlier_run_is_refused(self):
        for args in ([], ["--restart"]):
            self.run_chain(*args, "--accept-changed-inputs", expect=2)


class ChangedTables(RunTest):
    """Sources that read FITS tables."""

    USED = (*RunTest.USED, "fits-crossmatch", "lightcurve-source")

    def table(self, name, ids, **columns):
        columns = {"source_id": np.array(ids, np.int64), "ra": np.array(ids, float) / 10,
                   "dec": np.zeros(len(ids)), **columns}  # fmt: skip
        codes = {"i": "K", "f": "D"}
        made = [fits.Column(n, codes[v.dtype.kind], array=v) for n, v in columns.items()]
        fits.BinTableHDU.from_columns(made).writeto(self.folder / name, overwrite=True)

    def check(self, use, options, file, change):
        chain = self.folder / f"{use}.toml"
        chain.write_text(FITS_CHAIN.format(use=use, options=options))
        shutil.rmtree(self.folder / "count.run", ignore_errors=True)
        calls = self.storage_calls(chain=chain.name, run_dir="count.run")
        self.run_chain(chain=chain.name, storage=f"kill {calls * 3 // 4}", expect=-9)
        whole = (self.folder / file).read_bytes()
        change()
        self.refuse("--resume", chain=chain.name, names=file, expect=2)
        (self.folder / file).write_bytes(whole)
        self.run_chain("--resume", chain=chain.name)

    def test_resume_refuses_a_changed_fits_catalogue(self):
        self.table("t.fits", range(1, 13))
        self.check("catalog-source", 'path = "t.fits"', "t.fits",
                   lambda: self.table("t.fits", range(2, 13)))  # fmt: skip

    def test_resume_refuses_a_change_of_either_side_of_a_cross_match(self):
        options = 'left = "l.fits"\nright = "r.fits"\nradius_arcsec = 1.0\nwhere = ""\nprefixes = ["l", "r"]'
        for side in ("l.fits", "r.fits"):
            shutil.rmtree(self.folder / "c.run", ignore_errors=True)
            for name in ("l.fits", "r.fits"):
                self.table(name, range(1, 13))
            with self.subTest(side):
                self.check("fits-crossmatch", options, side, lambda: self.table(side, range(1, 12)))

    def test_resume_refuses_changed_light_curve_files(self):
        self.run_chain(run_dir="curves")
        shutil.copy(self.folder / "curves" / RAW, self.folder / "curves.fits")
        shutil.copy(self.folder / "curves" / CATALOG, self.folder / "other.fits")
        self.set_rows(self.IDS[1:])
        self.run_chain(run_dir="others")
        self.check("lightcurve-source", 'paths = ["curves.fits"]', "curves.fits",
                   lambda: shutil.copy(self.folder / "others" / RAW, self.folder / "curves.fits"))  # fmt: skip


if __name__ == "__main__":
    unittest.main()
