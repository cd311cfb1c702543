"""Files that users have, each with a trouble that people report: the value is right, or the file is
refused with its name, the place, the cause and what to do. The inputs are those of shared/cases/files."""

import pathlib
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from chains import SHARED, ChainTest, np, read_table  # noqa: E402

CASES = SHARED.resolve().parent / "cases/files"
INPUTS = CASES / "inputs"
IDS = [1237650371555231745, 6917528997577384321, 100000000000000003]


@unittest.skipUnless(INPUTS.exists(), f"no cases in {CASES}; set QSO_SHARED_DATA")
class CaseTest(ChainTest):
    def run_chain(self, chain, *more, expect=0, **env):
        return self.qsohost("--chain", CASES / chain, "--run-dir", self.folder / "run", *more,
                            expect=expect, env={k: str(v) for k, v in env.items()})  # fmt: skip

    def product(self, name):
        return read_table(self.folder / "run" / f"c_{name}.fits")[0]

    def catalogue(self, file, *more):
        """The product of a catalogue, and what the program said besides."""
        done = self.run_chain("catalogue.toml", *more, FILE=f"inputs/{file}")
        return self.product("catalog"), done.stderr

    def refused(self, file, *words, chain="catalogue.toml", variable="FILE", more=()):
        done = self.run_chain(chain, *more, expect=1, **{variable: f"inputs/{file}"})
        self.assertIn(file, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertNotIn("bad_alloc", done.stderr)

    def curves(self, file, *more):
        done = self.run_chain("lightcurve.toml", *more, FILE=f"inputs/{file}")
        return self.product("ztf_lc"), done.stderr

    def assert_sky(self, table, rows=3):
        self.assertEqual(list(table["source_id"]), IDS[:rows])
        np.testing.assert_allclose(table["ra"], [10.5, 200.125, 359.75][:rows], rtol=1e-6)
        np.testing.assert_allclose(table["dec"], [-1.25, 33, 0.5][:rows], rtol=1e-6)


class ArraysAndScalars(CaseTest):
    def test_empty_arrays_where_a_position_is_wanted(self):
        self.refused("position_arrays_empty.fits", "'ra'", "arrays")

    def test_arrays_where_a_position_is_wanted(self):
        self.refused("position_arrays.fits", "'ra'", "arrays")

    def test_texts_in_arrays_by_tdim(self):
        for file, column, want in [("text_array_tdim.fits", None, ["ab", "cd", "ef"]),
                                   ("text_array_table.fits", None, ["PIPE", "VI", "DR7"])]:  # fmt: skip
            with self.subTest(file):
                table, _ = self.catalogue(file, "--restart")
                arrays = [v for v in table.values() if v.ndim == 2]
                self.assertEqual([[t.strip() for t in a[0]] for a in arrays], [want])

    def test_a_text_with_tdim_of_one_axis_stays_a_text(self):
        table, _ = self.catalogue("text_casjobs_tdim.fits")
        self.assertEqual([t.strip() for t in table["class"]], ["QSO", "GALAXY", "STAR"])

    def test_a_shape_goes_along(self):
        table, _ = self.catalogue("two_dimensional.fits")
        shapes = [v.shape[1:] for v in table.values() if v.ndim == 3]
        self.assertEqual(shapes, [(2, 3)])

    def test_light_curves_in_arrays_of_fixed_width(self):
        table, _ = self.curves("lightcurve_fixed_width.fits")
        whole, _ = self.curves("lightcurve_upper_case.fits", "--restart")
        self.assertEqual([len(m) for m in table["mjd_g"]], [len(m) for m in whole["mjd_g"]])
        for a, b in zip(table["mag_g"], whole["mag_g"]):
            np.testing.assert_array_equal(a, b)


class Digits(CaseTest):
    def test_integers_beyond_64_bits_keep_every_digit(self):
        for file in ("specobjid.csv", "uint64.fits"):
            with self.subTest(file):
                table, _ = self.catalogue(file, "--restart")
                texts = [str(t).strip() for v in table.values() for t in v]
                self.assertIn("12895678123456789013", texts)
                self.assertIn("299567812345678901", texts)

    def test_an_integer_column_with_nan_stays_integer(self):
        table, _ = self.catalogue("gaia_id_with_nan.csv", "--set", "cat.id=name")
        self.assertIn(6917528997577384321, list(table["gaia_id"]))
        self.assertEqual(table["gaia_id"].dtype.kind, "i")

    def test_an_identifier_with_an_exponent(self):
        self.refused("id_exponent.csv", "line 2", "1.23765E18")

    def test_digits_declared_as_text_keep_their_zeros(self):
        for file in ("char_id.vot", "zero_id.csv"):
            with self.subTest(file):
                table, _ = self.catalogue(file, "--restart")
                self.assertEqual(table["source_id"][0].strip(), "0012")

    def test_blanks_at_the_end_make_no_other_identifier(self):
        self.refused("id_trailing_blank.csv", "ABC", "line 2", "line 4")

    def test_texts_here_and_integers_there_are_one_identifier(self):
        done = self.run_chain(
            "lightcurve.toml", "--set", f'lc.catalog="{INPUTS}/catalogue_integer_id.fits"',
            FILE="inputs/lightcurve_text_id.fits")  # fmt: skip
        self.assertNotIn("not in the catalogue", done.stderr)


class Units(CaseTest):
    def test_positions_in_radians(self):
        for file, rows in [("radians.fits", 3), ("radians.tbl", 2)]:
            with self.subTest(file):
                table, _ = self.catalogue(file, "--restart")
                self.assert_sky(table, rows)

    def test_a_crossmatch_in_radians(self):
        for left in ("left_radians.fits", "left.fits"):
            with self.subTest(left):
                self.run_chain("crossmatch.toml", "--restart", "--set", 'crossmatch.where=""',
                               LEFT=f"inputs/{left}")  # fmt: skip
                self.assertEqual(len(self.product("catalog")["source_id"]), 4)

    def test_times_in_seconds(self):
        table, _ = self.curves("lightcurve_seconds.fits")
        days, _ = self.curves("lightcurve_upper_case.fits", "--restart")
        for a, b in zip(table["mjd_g"], days["mjd_g"]):
            np.testing.assert_allclose(a, b - 58300, atol=1e-6)


class MissingValues(CaseTest):
    def test_null_dashes_and_exponents_with_d(self):
        for file in ("z_NULL.csv", "z_NULL.vot", "z_dashes.csv", "z_fortran.csv"):
            with self.subTest(file):
                table, said = self.catalogue(file, "--restart")
                self.assertEqual(table["z"].dtype.kind, "f", said)
        self.assertFalse(np.isnan(table["z"]).all())


class NamesOfColumns(CaseTest):
    def test_two_columns_of_one_name(self):
        self.refused("two_ra.fits", "'ra'", "2 times", more=("--set", 'cat.columns=["z"]'))

    def test_upper_case(self):
        table, _ = self.curves("lightcurve_upper_case.fits")
        self.assertTrue(all(len(t) > 0 for t in table["mjd_g"]))


class TextsThatAreNotAscii(CaseTest):
    def test_latin1_in_a_votable(self):
        table, said = self.catalogue("latin1.vot")
        self.assertEqual(str(table["name"][0]).strip(), "M?ller")
        self.assertIn("'name'", said)


class SeveralTables(CaseTest):
    def test_the_column_is_in_another_hdu(self):
        self.refused("catalogue_in_hdu2.fits", "CATALOG", "hdu")
        table, _ = self.catalogue("catalogue_in_hdu2.fits", "--restart", "--set", "cat.hdu=CATALOG")
        self.assert_sky(table)

    def test_one_band_an_hdu(self):
        _, said = self.curves("lightcurve_g_and_r_hdus.fits")
        self.assertIn("2 tables", said)
        self.assertIn("'R'", said)

    def test_one_band_a_table_of_a_votable(self):
        self.run_chain("ztf.toml", expect=3)
        table = self.product("ztf_lc")
        row = list(np.char.strip(table["source_id"].astype(str))).index("z31d_vot_two")
        self.assertGreater(len(table["mjd_g"][row]), 0)
        self.assertEqual(len(table["mjd_r"][row]), 15)


class LightCurves(CaseTest):
    def curve(self, name, band="g"):
        table = self.product("ztf_lc")
        row = list(np.char.strip(table["source_id"].astype(str))).index(name)
        return table[f"mjd_{band}"][row]

    def test_answers_of_the_archive(self):
        self.run_chain("ztf.toml", expect=3)
        good = self.curve("z01_ok")
        with self.subTest("each row twice"):
            np.testing.assert_array_equal(self.curve("z02_dup_rows"), good)
        with self.subTest("one error is null"):
            self.assertEqual(len(self.curve("z08_null_magerr")), len(good) - 1)
        with self.subTest("JD where MJD belongs"):
            said = self.qsohost("status", self.folder / "run", "--failed").stdout
            self.assertIn("z16_jd_in_mjd", said)
            self.assertIn("JD", said)

    def test_one_row_an_epoch(self):
        self.refused("lightcurve_row_per_epoch.fits", "[[stage.band]]", "band_column",
                     chain="lightcurve.toml")  # fmt: skip


class FormsOfTables(CaseTest):
    def test_forms_that_are_read(self):
        for file in ("catalogue.csv.gz", "text_table.fits", "binary2.vot", "semicolon.csv",
                     "commented_header.csv", "astropy_default.ecsv", "blank_before_quote.csv"):  # fmt: skip
            with self.subTest(file):
                table, _ = self.catalogue(file, "--restart")
                self.assertEqual(table["source_id"][0], IDS[0])

    def test_a_table_without_rows(self):
        table, _ = self.catalogue("header_only.csv")
        self.assertEqual(len(table["source_id"]), 0)

    def test_a_compressed_table(self):
        self.refused("catalogue.fits.fz", "compressed", "funpack")

    def test_a_web_page(self):
        self.refused("html_names_votable.csv", "HTML")

    def test_utf_16(self):
        self.refused("utf16.csv", "UTF-16", "UTF-8")

    def test_a_folder_is_one_object_not_the_run(self):
        self.run_chain("answers.toml", expect=3)
        said = self.qsohost("status", self.folder / "run", "--failed").stdout
        self.assertIn("is a folder", said)
        self.assertNotIn("ok.csv", said)

    def test_bits_are_left_out(self):
        done = self.run_chain("crossmatch.toml", "--set", 'crossmatch.where=""', "--set",
                              f'crossmatch.right="{INPUTS}/right_bits.fits"', LEFT="inputs/left.fits")  # fmt: skip
        self.assertIn("'bits' is left out", done.stderr)


class Limits(CaseTest):
    def test_more_columns_than_fits_can_hold(self):
        done = self.run_chain("catalogue.toml", expect=2, FILE="inputs/columns_1204.csv")
        self.assertIn("999", done.stderr)
        self.assertIn("1204", done.stderr)
        self.assertIn("columns", done.stderr)


class ChangedInputs(CaseTest):
    def test_a_file_that_changed_before_a_resume(self):
        file = self.folder / "lc.fits"
        shutil.copy(INPUTS / "resume/before.fits", file)
        self.run_chain("lightcurve.toml", expect=1, FILE=file)
        shutil.copy(INPUTS / "resume/after.fits", file)
        for how in ("--resume", "--retry-failed"):
            with self.subTest(how):
                done = self.qsohost("--chain", CASES / "lightcurve.toml", "--run-dir",
                                    self.folder / "run", how, expect=2, env={"FILE": str(file)})  # fmt: skip
                self.assertIn("lc.fits", done.stderr)


if __name__ == "__main__":
    unittest.main()
