"""Which epochs a chain goes on with: what ztf-files takes of an answer, and the cuts of epoch-quality."""

import json
import unittest

import numpy as np

from support import SHARED, ChainTest, irsa_answer, irsa_row, make_sample, read_table

CASES = SHARED.parent / "cases/files"
CHAIN = """
[chain]
name = "epochs"
[[stage]]
use = "catalog-source"
path = "targets.csv"
[[stage]]
use = "ztf-files"
label = "ztf"
path = "{answers}/{{source_id}}.csv"
{options}
[[stage]]
use = "fits-sink"
label = "raw"
what = "ztf"
path = "raw.fits"
"""
RULES = """
[[stage]]
use = "epoch-quality"
label = "quality"
{options}
[[stage]]
use = "fits-sink"
label = "cut"
what = "ztf"
path = "cut.fits"
"""


class Epochs(ChainTest):
    def counts(self, run, stage):
        told = self.qsohost("status", run, "--json").stdout
        stage = next(s for s in json.loads(told)["stages"] if s["stage"] == stage)
        return {(c["item"], c["what"]): c["n"] for c in stage["counts"]}

    def run_chain(self, text, name="run", expect=0):
        chain = self.write(f"{name}.toml", text)
        done = self.qsohost("--chain", chain, "--run-dir", self.folder / name, expect=expect)
        return self.folder / name, done.stdout + done.stderr


class ZtfAnswers(Epochs):
    """One target at (10, 20)."""

    def take(self, rows, options="", name="run", expect=0):
        self.write("targets.csv", "source_id,ra,dec\n1,10,20\n")
        self.write("irsa/1.csv", irsa_answer(rows))
        run, log = self.run_chain(CHAIN.format(answers="irsa", options=options), name, expect)
        table, _ = read_table(run / "raw.fits")
        return table, self.counts(run, "ztf"), log

    def test_the_nearest_source_of_a_quadrant_unless_the_chain_wants_all(self):
        quasar = [irsa_row(5, 58300 + i, 18, 0.02, dec=20 + 0.1 / 3600) for i in range(3)]
        star = [irsa_row(6, 58300.1 + i, 16, 0.02, dec=20 - 0.9 / 3600) for i in range(4)]
        table, counts, _ = self.take(quasar + star)
        self.assertEqual(list(table["mjd_g"][0]), [58300, 58301, 58302])
        self.assertEqual(counts["ztf.g", "epochs of farther sources"], 4)
        table, counts, _ = self.take(quasar + star, 'objects = "all"', "all")
        self.assertEqual(len(table["mjd_g"][0]), 7)

    def test_repeated_epochs_once_unless_the_chain_keeps_them(self):
        rows = [irsa_row(5, 58300 + i, 18 + i, 0.02) for i in range(3)]
        changed = irsa_row(5, 58301, 15, 0.02)
        table, counts, log = self.take(rows + rows + [changed])
        self.assertEqual(list(table["mag_g"][0]), [18, 19, 20])
        self.assertEqual(counts["ztf.g", "repeated"], 3)
        self.assertEqual(counts["ztf.g", "repeated with other values"], 1)
        self.assertEqual(counts["ztf.g", "epochs added"], 3)
        self.assertIn("repeated", log)
        table, _, _ = self.take(rows + rows + [changed], 'duplicates = "keep"', "keep")
        self.assertEqual(len(table["mag_g"][0]), 7)

    def test_a_missing_value_costs_one_epoch(self):
        rows = [irsa_row(5, 58300 + i, 18 + i, 0.02) for i in range(5)]
        for i, value in enumerate((",0.02,", ",19.000000,", ",58302.0000000,")):
            self.assertIn(value, rows[i])
            rows[i] = rows[i].replace(value, ",null,")
        table, counts, _ = self.take(rows)
        self.assertEqual(list(table["mjd_g"][0]), [58303, 58304])
        self.assertEqual(counts["ztf.g", "without magnitude or error"], 3)

    def test_a_damaged_cell_and_a_julian_date_make_the_object_bad(self):
        good = irsa_row(5, 58300, 18, 0.02)
        _, _, log = self.take([good, irsa_row(5, 58301, 18, "abc")], name="damaged", expect=3)
        self.assertIn("1.csv: line 3: column magerr: 'abc'", log)
        _, _, log = self.take([good, irsa_row(5, 2458301.5, 18, 0.02)], name="jd", expect=3)
        self.assertIn("1.csv: line 3: column mjd: 2458301.5: this looks like JD; MJD is JD - 2400000.5", log)

    @unittest.skipUnless((CASES / "inputs/ztf").is_dir(), f"no cases in {CASES}")
    def test_the_cases(self):
        names = ["z01_ok", "z02_dup_rows", "z08_null_magerr", "z16_jd_in_mjd"]
        self.write("targets.csv", "source_id,ra,dec\n" + "".join(f"{n},150.1,2.2\n" for n in names))
        run, _ = self.run_chain(CHAIN.format(answers=CASES / "inputs/ztf", options=""), expect=3)
        table, _ = read_table(run / "raw.fits")
        self.assertEqual([len(t) for t in table["mjd_g"]], [15, 15, 14, 0])
        self.assertEqual([len(t) for t in table["mjd_r"]], [15, 15, 15, 0])


class EpochQuality(Epochs):
    def sample(self):
        make_sample(self.folder / "sky", 40, seed=2)
        (self.folder / "targets.csv").symlink_to("sky/targets.csv")
        return CHAIN.format(answers="sky/irsa", options="")

    def test_what_numpy_keeps_of_every_light_curve(self):
        rules = """
groups = ["ztf.g", "ztf.r"]
time_range = [58500, 59500]
max_mag_err = 0.1
[[stage.rule]]
column = "catflags"
bits_clear = 32768
[[stage.rule]]
column = "chi"
min = 0.6
max = 1.4
groups = ["ztf.r"]
"""
        run, _ = self.run_chain(self.sample() + RULES.format(options=rules))
        raw, _ = read_table(run / "raw.fits")
        cut, _ = read_table(run / "cut.fits")
        counts = self.counts(run, "quality")
        left = failed = 0
        for i in range(len(raw["source_id"])):
            np.testing.assert_array_equal(cut["mjd_i"][i], raw["mjd_i"][i])
            for b in "gr":
                mjd, error, chi = (np.asarray(raw[f"{c}_{b}"][i]) for c in ("mjd", "magerr", "chi"))
                is_good_error = (error > 0) & (error <= np.float32(0.1))
                keep = (mjd >= 58500) & (mjd <= 59500) & is_good_error
                keep &= (np.asarray(raw[f"catflags_{b}"][i]) & 32768) == 0
                if b == "r":
                    keep &= (chi >= np.float32(0.6)) & (chi <= np.float32(1.4))
                for c in ("mjd", "mag", "chi"):
                    np.testing.assert_array_equal(cut[f"{c}_{b}"][i], np.asarray(raw[f"{c}_{b}"][i])[keep])
                left += keep.sum()
                failed += (~is_good_error).sum()
        self.assertGreater(left, 500)
        self.assertGreater(failed, 50)
        told = [counts[f"ztf.{b}", "failed max_mag_err"] for b in "gr"]
        self.assertEqual(sum(told), failed)
        self.assertEqual(sum(counts[f"ztf.{b}", "epochs kept"] for b in "gr"), left)
        self.assertNotIn(("ztf.g", "failed 0.6 <= chi <= 1.4"), counts)
        self.assertGreater(counts["ztf.r", "failed 0.6 <= chi <= 1.4"], 0)

    def test_a_column_that_is_not_there_is_found_by_check(self):
        rule = '[[stage.rule]]\ncolumn = "airmas"\nmax = 1.8\n'
        chain = self.write("chain.toml", self.sample() + RULES.format(options=rule))
        done = self.qsohost("--chain", chain, "--check", expect=2)
        self.assertRegex(done.stderr, r"chain.toml:\d+:\d+: .*rule 1: light curve 'ztf.g' has no column 'airmas'")
        self.assertIn("did you mean 'airmass'", done.stderr)

    def test_a_column_that_a_file_lacks_is_found_at_opening(self):
        run, _ = self.run_chain(self.sample())
        source = f'[chain]\nname = "again"\n[[stage]]\nuse = "lightcurve-source"\npaths = ["{run}/raw.fits"]\n'
        rule = '[[stage.rule]]\ncolumn = "seeing"\nmax = 3\n'
        chain = self.write("again.toml", source + RULES.format(options=rule))
        self.qsohost("--chain", chain, "--check")
        done = self.qsohost("--chain", chain, "--run-dir", self.folder / "again", expect=2)
        self.assertIn("light curve 'ztf.g' has no column 'seeing'", done.stderr)


if __name__ == "__main__":
    unittest.main()
