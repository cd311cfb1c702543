"""structure-function on the cases of shared/cases/science: errors that hold, and error sentinels."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from chains import SHARED, ChainTest, np, read_table  # noqa: E402

CASES = SHARED.resolve().parent / "cases/science"


@unittest.skipUnless(CASES.exists(), f"no cases in {CASES}; set QSO_SHARED_DATA")
class StructureFunctionTest(ChainTest):
    def fit(self, case, *more, run="run"):
        # Redshifts of the cases are 0, which means that there is none.
        self.qsohost("--chain", CASES / f"{case}.toml", "--run-dir", self.folder / run,
                     "--set", "fit.rest_frame=false", *more)  # fmt: skip
        return read_table(self.folder / run / f"{case}_fit_s_b.fits")[0]

    def test_errors_are_the_scatter_between_curves(self):
        for estimator in "mean-square", "iqr":
            table = self.fit("sf_errors", "--set", f"fit.estimator={estimator}", run=estimator)
            self.assertEqual(len(table["slope"]), 100)
            # Of sf_inf, whose distribution is skew, 100 curves tell the scatter to 20 % at best.
            for name, least in [("slope", 0.75), ("amplitude", 0.75), ("log_tau", 0.75),
                                ("sf_inf", 0.6)]:  # fmt: skip
                with self.subTest(name, estimator=estimator):
                    low, high = np.percentile(table[name], [16, 84])
                    ratio = np.median(table[f"err_{name}"]) / ((high - low) / 2)
                    self.assertGreater(ratio, least)
                    self.assertLess(ratio, 1.35)
            if estimator == "mean-square":
                # The scatter that others found.
                self.assertAlmostEqual(np.median(table["err_slope"]) / 0.093, 1, delta=0.25)
                self.assertAlmostEqual(np.median(table["err_amplitude"]) / 0.049, 1, delta=0.25)

    def test_threads_change_nothing(self):
        self.fit("sf_errors", "-j", "1", run="one")
        self.fit("sf_errors", "-j", "4", run="four")
        self.assert_same_files(self.folder / "one", self.folder / "four")

    def test_error_sentinels(self):
        table = self.fit("error_9999")
        # By a direct sum over the pairs of all other epochs.
        sf = [0.033, 0.037, 0.076, 0.088, 0.125, 0.152, 0.200, 0.255, 0.275, 0.257, 0.300, 0.457]
        np.testing.assert_allclose(table["sf"][0], sf, atol=0.0006)
        self.assertAlmostEqual(table["sf_inf"][2], 0.271, delta=0.0006)
        self.assertAlmostEqual(table["log_tau"][2], 4.615, delta=0.0006)
        for row in 0, 1:  # 5 and 10 of 150 epochs less than in the third
            self.assertAlmostEqual(table["sf_inf"][row], table["sf_inf"][2], delta=0.015)
            self.assertAlmostEqual(table["log_tau"][row], table["log_tau"][2], delta=0.15)
        self.assertEqual(list(table["flags"]), [1 << 21, 1 << 21, 0])

    def test_a_short_baseline_is_flagged(self):
        table = self.fit("short_baseline", "--swap", "fit=structure-function")
        # tau is 1000 d of 1800, and mostly found shorter.
        self.assertGreater(((table["flags"] & 1 << 17) != 0).mean(), 0.7)


if __name__ == "__main__":
    unittest.main()
