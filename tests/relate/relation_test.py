"""`qsohost relate` on quasars whose D depends on luminosity, from light curves on; and what it says of
input that is wrong."""

import json
import pathlib
import shutil
import sys
import tempfile
import unittest
from xml.etree import ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from astropy.table import Table  # noqa: E402
from chains import ChainTest, np  # noqa: E402
from quasars_with_relation import Relation, write_chain, write_quasars  # noqa: E402


class RelateTest(ChainTest):
    """Each class has one run, of OBJECTS quasars."""

    OBJECTS = 1500
    POSTERIOR = 'posterior = "quadrature"'
    TRUTH = Relation()
    BANDS = "g"

    @classmethod
    def setUpClass(cls):
        cls.sky = pathlib.Path(tempfile.mkdtemp(prefix="qsohost-relate-"))
        cls.addClassCleanup(shutil.rmtree, cls.sky, True)
        write_quasars(cls.sky, cls.OBJECTS, "flat", 4, cls.TRUTH, cls.BANDS)
        test = cls("qsohost")
        test.folder = cls.sky
        chain = write_chain(cls.sky, cls.POSTERIOR, cls.BANDS)
        test.qsohost("--chain", chain, "--run-dir", "run", "--log-level", "warning")
        cls.run_dir, cls.catalog = cls.sky / "run", cls.sky / "catalog.fits"

    def relate(self, *args, x="loglbol", catalog=None, expect=0):
        catalog = catalog or self.catalog
        return self.qsohost(
            "relate", self.run_dir, "--x", x, "--catalog", catalog, *args, expect=expect
        )

    def numbers(self, *args, **more):
        self.relate("--json", "numbers.json", *args, **more)
        return json.loads((self.folder / "numbers.json").read_text())

    def catalog_with(self, change):
        table = Table.read(self.catalog)
        table = change(table) or table
        table.write(self.folder / "changed.fits", overwrite=True)
        return self.folder / "changed.fits"


class Injected(RelateTest):
    def test_the_hierarchical_fit_finds_what_was_put_in(self):
        fit = self.numbers()["hierarchical"]
        self.assertTrue(fit["converged"])
        self.assertEqual(fit["n"], self.OBJECTS)
        self.assertLess(abs(fit["slope"] - self.TRUTH.slope), 2 * fit["slope_err"])
        self.assertLess(fit["slope_err"], 0.03)
        self.assertLess(abs(fit["scatter"] - self.TRUTH.scatter), 2 * fit["scatter_err"])
        expected = self.TRUTH.intercept + self.TRUTH.slope * (fit["intercept_at"] - 46)
        self.assertLess(abs(fit["intercept"] - expected), 2 * fit["intercept_err"])
        tau = fit["partner"]
        self.assertEqual(tau["quantity"], "logtau")
        self.assertLess(abs(tau["intercept"] - self.TRUTH.log_tau), 2 * tau["intercept_err"])
        self.assertLess(abs(tau["scatter"] - self.TRUTH.log_tau_scatter), 2 * tau["scatter_err"])
        self.assertLess(abs(tau["correlation"]), 2 * tau["correlation_err"])

    def test_selection_by_variability_is_worse(self):
        found = self.numbers("--snr-cut", "7")
        hierarchical, cut = found["hierarchical"], found["robust_snr_cut"]
        self.assertLess(cut["n"], found["robust"]["n"])
        self.assertGreater(abs(cut["slope"] - self.TRUTH.slope), 4 * cut["slope_err"])
        self.assertLess(abs(hierarchical["slope"] - self.TRUTH.slope), abs(cut["slope"] - self.TRUTH.slope))
        self.assertEqual(self.numbers("--snr-cut", "auto")["robust_snr_cut"]["threshold"], 5)

    def test_without_a_population_of_tau_it_is_worse(self):
        fitted, flat = self.numbers(), self.numbers("--partner", "flat")
        for value in ("slope", "scatter"):
            off = [abs(f["hierarchical"][value] - getattr(self.TRUTH, value)) for f in (fitted, flat)]
            self.assertLess(off[0] + 0.01, off[1], value)

    def test_several_regressors_are_told_by_name(self):
        found = self.numbers(x="loglbol,log1pz", expect=0)
        self.assertEqual(list(found["robust"]["slope"]), ["loglbol", "log1pz"])
        fit = found["hierarchical"]
        for name, truth in (("loglbol", self.TRUTH.slope), ("log1pz", 0)):
            self.assertLess(abs(fit["slope"][name] - truth), 2.5 * fit["slope_err"][name])
        correlation = found["rank_correlation"]["loglbol"]
        self.assertLess(correlation["simple"], -0.5)
        self.assertGreater(correlation["at_fixed_z"], correlation["simple"])

    def test_tau_can_be_related_too(self):
        fit = self.numbers("--y", "logtau")["hierarchical"]
        self.assertLess(abs(fit["slope"]), 2.5 * fit["slope_err"])
        self.assertLess(abs(fit["scatter"] - self.TRUTH.log_tau_scatter), 2.5 * fit["scatter_err"])
        self.assertEqual(fit["partner"]["quantity"], "logD")

    def test_wavelength_at_rest_is_known_from_band_and_redshift(self):
        self.relate("--table", "rows.csv", x="loglambda")
        rows = Table.read(self.folder / "rows.csv")
        fits = Table.read(self.run_dir / "relation_fit_ztf_g.fits")
        expected = np.log10(4746 / (1 + np.asarray(fits["z"])))
        np.testing.assert_allclose(rows["x_loglambda"], expected, rtol=1e-12)

    def test_table_and_plot_have_all_objects(self):
        self.relate("--table", "rows.fits", "--plot", "plot.svg", "--cut", "n_epochs >= 100")
        rows = Table.read(self.folder / "rows.fits")
        fits = Table.read(self.run_dir / "relation_fit_ztf_g.fits")
        np.testing.assert_array_equal(rows["source_id"].astype(np.int64), fits["source_id"])
        np.testing.assert_allclose(rows["y"], np.asarray(fits["logD"]) / np.log(10), rtol=1e-12)
        np.testing.assert_array_equal(rows["used"], np.asarray(fits["n_epochs"]) >= 100)
        np.testing.assert_array_equal(np.isfinite(rows["residual"]), rows["used"])
        np.testing.assert_array_equal(np.isfinite(rows["y_population"]), rows["used"])
        reasons = set(rows["left_out"][~rows["used"]].astype(str))
        self.assertEqual(reasons, {"outside 'n_epochs >= 100'"})
        text = (self.folder / "plot.svg").read_text()
        self.assertTrue(ElementTree.fromstring(text).tag.endswith("svg"))
        self.assertIn("hierarchical", text)

    def test_equal_input_gives_equal_bytes(self):
        written = ("numbers.json", "rows.fits", "plot.svg")
        bytes_of = []
        for _ in range(2):
            self.relate("--json", written[0], "--table", written[1], "--plot", written[2])
            bytes_of.append([(self.folder / name).read_bytes() for name in written])
        self.assertEqual(*bytes_of)


class TwoBands(RelateTest):
    OBJECTS = 500
    TRUTH = Relation(lambda_slope=-0.5)
    BANDS = "gr"

    def test_bands_are_related_together_to_their_wavelengths(self):
        both = self.numbers("--fit", "fit.ztf.g,fit.ztf.r", x="loglbol,loglambda,log1pz")
        self.assertEqual(both["fits"], ["fit.ztf.g", "fit.ztf.r"])
        fit = both["hierarchical"]
        self.assertEqual(fit["n"], 2 * self.OBJECTS)
        for name, truth in (("loglbol", self.TRUTH.slope), ("loglambda", -0.5), ("log1pz", 0)):
            self.assertLess(abs(fit["slope"][name] - truth), 2.5 * fit["slope_err"][name], name)
        # The scatter is common to the bands of an object: a second band adds little.
        one = self.numbers("--fit", "fit.ztf.g", x="loglbol,log1pz")["hierarchical"]
        self.assertGreater(fit["slope_err"]["loglbol"], 0.85 * one["slope_err"]["loglbol"])

    def test_fits_are_related_each_by_itself_otherwise(self):
        found = self.numbers()
        self.assertEqual(list(found["fits"]), ["fit.ztf.g", "fit.ztf.r"])
        for fit in found["fits"].values():
            self.assertEqual(fit["hierarchical"]["n"], self.OBJECTS)
        said = self.relate("--plot", "plot.svg", expect=2).stderr
        self.assertIn("name one by --fit, such as --fit fit.ztf.g", said)


class WithoutPosterior(RelateTest):
    OBJECTS = 60
    POSTERIOR = ""

    def test_the_message_says_what_to_set(self):
        said = self.relate("--json", "numbers.json").stdout
        self.assertIn("set 'posterior = \"quadrature\"' at the stage 'fit'", said)
        found = json.loads((self.folder / "numbers.json").read_text())
        self.assertIsNone(found["hierarchical"])
        self.assertEqual(found["robust"]["n"], self.OBJECTS)

    def test_values_that_stand_for_none_are_counted(self):
        def change(table):
            for row, value in ((0, -999), (1, 0), (2, np.nan), (3, 12)):
                table["WUSHEN_LOGLBOL"][row] = value

        catalog = self.catalog_with(change)
        found = self.numbers("--min-valid", "loglbol=40", catalog=catalog)
        self.assertEqual(found["robust"]["n"], self.OBJECTS - 4)
        self.assertEqual(found["left_out"]["no loglbol"], 3)
        self.assertEqual(found["left_out"]["loglbol below 40"], 1)
        self.assertIn("2 values of objects stand for none", " ".join(found["notes"]))

    def test_rows_that_repeat_or_miss_an_identifier_are_counted(self):
        def change(table):
            table["source_id"][1] = table["source_id"][0]

        notes = " ".join(self.numbers(catalog=self.catalog_with(change))["notes"])
        self.assertIn("1 rows repeat an identifier of an earlier row, which counts", notes)
        self.assertIn("has no row for 1 objects", notes)

    def test_wrong_names_are_answered_with_the_nearest(self):
        said = self.relate(x="loglbl", expect=2).stderr
        self.assertIn("--x: none of relation_fit_ztf_g.fits, catalog.fits has", said)
        self.assertIn("did you mean 'loglbol'", said)
        self.assertIn("did you mean", self.relate("--cut", "n_epoch > 3", expect=2).stderr)
        said = self.relate("--fit", "fit.ztf.r", expect=2).stderr
        self.assertIn("did you mean 'fit.ztf.g'", said)
        self.assertIn("logD, logtau or logsigma", self.relate("--y", "logL", expect=2).stderr)

    def test_a_value_that_changes_nothing_is_refused(self):
        said = self.relate("--min-valid", "loglbl=40", expect=2).stderr
        self.assertIn("'loglbl' is not among the regressors of --x; did you mean 'loglbol'?", said)
        for option, text in (("--snr-cut", "-3"), ("--snr-cut", "nan"), ("--wavelength", "ztf.g=0")):
            said = self.relate(option, text, expect=2).stderr
            self.assertRegex(said, f"{option}: .* must be (a number|above 0)")

    def test_columns_joined_in_the_chain_are_found_without_positions(self):
        folder = pathlib.Path(self.folder)
        chain = (self.sky / "chain.toml").read_text().replace(
            '[[stage]]\nuse = "ou-fit"',
            f'[[stage]]\nuse = "catalog-join"\npath = "{self.catalog}"\nkey = "source_id"\n'
            'columns = ["WUSHEN_LOGLBOL"]\n\n[[stage]]\nuse = "ou-fit"',
        )  # fmt: skip
        chain += '\n[[stage]]\nuse = "fits-sink"\nwhat = "catalog"\n'
        self.qsohost("--chain", self.write("joined.toml", chain), "--run-dir", "joined")
        said = self.qsohost("relate", folder / "joined", "--x", "loglbol").stdout
        self.assertIn("loglbol: WUSHEN_LOGLBOL of relation_catalog.fits", said)

    def test_several_prefixes_that_fit_are_refused(self):
        def change(table):
            table["RAKSHIT_LOGLBOL"] = table["WUSHEN_LOGLBOL"]

        said = self.relate(catalog=self.catalog_with(change), expect=2).stderr
        self.assertIn("'loglbol' may be WUSHEN_LOGLBOL or RAKSHIT_LOGLBOL", said)

    def test_a_wrong_cut_is_refused_with_its_place(self):
        said = self.relate("--cut", "z > 1 and", expect=2).stderr
        self.assertIn("--cut 'z > 1 and', column 10: a number or a column is needed", said)

    def test_a_catalogue_of_other_objects_is_refused(self):
        def change(table):
            table["source_id"] += 1

        said = self.relate(catalog=self.catalog_with(change), expect=1).stderr
        self.assertIn("changed.fits: none of its identifiers", said)
        self.assertIn("look whether 'source_id' is the right column", said)

    def test_too_few_objects_are_refused_with_the_reasons(self):
        said = self.relate("--cut", "z > 9", expect=1).stderr
        self.assertIn("0 of 60 used; 60 outside 'z > 9'", said)

        def change(table):
            table["WUSHEN_LOGLBOL"] = np.nan

        said = self.relate(catalog=self.catalog_with(change), expect=1).stderr
        self.assertIn("60 no loglbol", said)

    def test_a_regressor_that_does_not_vary_is_refused(self):
        def change(table):
            table["WUSHEN_LOGLBOL"] = 46

        said = self.relate(catalog=self.catalog_with(change), expect=1).stderr
        self.assertIn("has the same value for all objects", said)

    def test_a_folder_without_fits_is_refused(self):
        (self.folder / "empty").mkdir()
        said = self.qsohost("relate", "empty", "--x", "z", expect=2).stderr
        self.assertIn("no results of fits", said)
        said = self.qsohost("relate", "nowhere", "--x", "z", expect=2).stderr
        self.assertIn("not a folder", said)


if __name__ == "__main__":
    unittest.main()
