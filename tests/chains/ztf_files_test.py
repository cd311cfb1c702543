"""examples/ztf-files.toml on real answers of IRSA, against an independent count in numpy."""

import csv
import unittest

import numpy as np

from support import ROOT, SHARED, ChainTest, needs_data, read_table

CHAIN = ROOT / "examples/ztf-files.toml"
COLUMNS = ["mjd", "mag", "magerr", "catflags", "sharp", "chi", "limitmag", "airmass"]


def read_answer(source_id):
    with open(SHARED / "ztf/irsa" / f"{source_id}.csv") as file:
        return list(csv.DictReader(file))


def is_good(row):
    value = {k: np.float32(row[k]) for k in ("sharp", "chi", "airmass")}
    return (
        int(row["catflags"]) == 0
        and abs(value["sharp"]) < np.float32(0.25)
        and np.float32(0.5) <= value["chi"] <= np.float32(1.5)
        and value["airmass"] < np.float32(1.8)
    )


@needs_data
class ZtfFiles(ChainTest):
    def run_chain(self, name, *args):
        run_dir = self.folder / name
        done = self.qsohost("--chain", CHAIN, "--run-dir", run_dir, *args)
        return run_dir, done.stdout

    def test_products_hold_what_the_answers_hold(self):
        run_dir, report = self.run_chain("run")
        with open(SHARED / "ztf/targets.csv") as file:
            ids = [int(row["source_id"]) for row in csv.DictReader(file)]
        raw, header = read_table(run_dir / "ztf-files_raw_ztf_lc.fits")
        cleaned, _ = read_table(run_dir / "ztf-files_cleaned_ztf_lc.fits")
        after, _ = read_table(run_dir / "ztf-files_loo_cleaned_ztf_lc.fits")
        self.assertEqual(header["CHAIN"], "ztf-files")
        names = ["source_id", "ra", "dec"] + [f"{c}_{b}" for b in "gri" for c in COLUMNS]
        self.assertEqual(list(raw), names)
        self.assertEqual(list(cleaned), [n for n in names if not n.endswith("_i")])
        for table in (raw, cleaned, after):
            self.assertEqual(list(table["source_id"]), ids)

        total = 0
        for i, source_id in enumerate(ids):
            answer = read_answer(source_id)
            for band in "gr":
                rows = [r for r in answer if r["filtercode"] == "z" + band]
                good = [r for r in rows if is_good(r)]
                total += len(rows)
                for table, expected in ((raw, rows), (cleaned, good)):
                    mjd = np.array([float(r["mjd"]) for r in expected])
                    mag = np.array([r["mag"] for r in expected], dtype=np.float32)
                    np.testing.assert_array_equal(table[f"mjd_{band}"][i], mjd)
                    np.testing.assert_array_equal(table[f"mag_{band}"][i], mag)
        self.assertEqual(total, 26984)
        self.assertIn("26,984", report)

    def test_the_epochs_that_loo_removed_are_gone_and_no_others(self):
        run_dir, _ = self.run_chain("run")
        before, _ = read_table(run_dir / "ztf-files_cleaned_ztf_lc.fits")
        after, _ = read_table(run_dir / "ztf-files_loo_cleaned_ztf_lc.fits")
        removed_in_all = 0
        for band in "gr":
            loo, _ = read_table(run_dir / f"ztf-files_loo_ztf_{band}.fits")
            self.assertEqual(set(loo["band"]), {band})
            self.assertEqual(list(loo["source_id"]), list(before["source_id"]))
            for i, source_id in enumerate(loo["source_id"]):
                removed = list(loo["removed_mjd"][i])
                removed_in_all += len(removed)
                self.assertEqual(len(removed), loo["n_removed"][i])
                left = list(before[f"mjd_{band}"][i])
                answer = read_answer(source_id)
                for mjd, epoch_id in zip(removed, loo["removed_epoch_id"][i]):
                    left.remove(mjd)
                    self.assertEqual(float(answer[epoch_id]["mjd"]), mjd)
                    self.assertEqual(answer[epoch_id]["filtercode"], "z" + band)
                self.assertEqual(left, list(after[f"mjd_{band}"][i]))
        self.assertGreater(removed_in_all, 0)

    def test_threads_and_batches_do_not_change_a_byte(self):
        one, _ = self.run_chain("one", "-j1")
        two, _ = self.run_chain("two", "-j2", "--in-flight", "1")
        self.assert_same_files(one, two)


if __name__ == "__main__":
    unittest.main()
