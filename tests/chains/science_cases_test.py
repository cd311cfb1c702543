"""Fits of ou-fit, ou-loo and dho on the cases of shared/cases/science: the right values, or a flag."""

import math
import pathlib
import sys
import unittest

from astropy.io import fits

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from chains import SHARED, ChainTest, np, read_table  # noqa: E402

CASES = SHARED.resolve().parent / "cases/science"

FITTED_FLUX = """
[chain]
name = "flux_cgs"
[[stage]]
use = "lightcurve-source"
paths = ["{path}"]
[[stage.band]]
group = "s.b"
time = "t"
flux = "m"
flux_err = "e"
zero_point = -21.1
[[stage]]
use = "ou-fit"
label = "fit"
groups = ["s.b"]
rest_frame = false
[[stage]]
use = "fits-sink"
what = "fit"
"""


def has(table, bit):
    return table["flags"] >> bit & 1 == 1


@unittest.skipUnless(CASES.exists(), f"no cases in {CASES}; set QSO_SHARED_DATA")
class ScienceCasesTest(ChainTest):
    def product(self, case, *more):
        """Redshifts of most cases are 0, which means that there is none."""
        options = [f"fit.{option}" for option in ("rest_frame=false", *more)]
        run = self.folder / f"run{len(list(self.folder.iterdir()))}"
        self.qsohost("--chain", CASES / f"{case}.toml", "--run-dir", run,
                     *[part for o in options for part in ("--set", o)])  # fmt: skip
        return run / f"{case}_fit_s_b.fits"

    def fit(self, case, *more):
        return read_table(self.product(case, *more))[0]

    def test_short_baselines_have_posteriors_that_hold_the_truth(self):
        table = self.fit("short_baseline", "posterior=quadrature")
        truth = math.log(1000)

        def share(low, high):
            return np.mean((table[low] < truth) & (truth < table[high]))

        self.assertGreaterEqual(share("log_tau_q16", "log_tau_q84"), 0.69)
        self.assertGreaterEqual(share("log_tau_q025", "log_tau_q975"), 0.95)
        # The others were found with a tau below a tenth of the baseline.
        np.testing.assert_array_equal(has(table, 17), table["baseline"] < 10 * np.exp(table["log_tau"]))
        self.assertGreater(has(table, 17).mean(), 0.75)

    def test_jitter_takes_up_errors_that_are_too_small(self):
        without = self.fit("errors_too_small")
        table = self.fit("errors_too_small", "jitter=fit")
        self.assertAlmostEqual(np.median(without["log_tau"]), math.log(36), delta=0.03)
        self.assertAlmostEqual(np.median(table["log_tau"]), math.log(153), delta=0.06)
        self.assertAlmostEqual(np.exp(np.median(table["log_jitter"])), 0.0424, delta=0.004)
        self.assertAlmostEqual(np.median(table["loglike"] - without["loglike"]), 17.5, delta=0.5)
        self.assertGreater(has(without, 20).mean(), 0.7)
        self.assertFalse(has(table, 20).any())
        self.assertFalse(has(table, 16).any())  # jitter at its bound

    def test_constant_objects_are_flagged(self):
        table = self.fit("constant_objects")
        self.assertTrue((table["bic_const_full"] < table["bic_full"]).all())
        self.assertTrue(has(table, 19).all())
        # Its false alarms: 0.03 a light curve on average.
        self.assertLessEqual(self.fit("constant_objects", "rule=predictive")["n_removed"].sum(), 10)

    def test_an_oscillator_that_is_a_damped_random_walk_is_flagged(self):
        table = self.fit("dho_of_drw")
        self.assertAlmostEqual(table["loglike"][0], 117.712, delta=0.001)
        self.assertAlmostEqual(table["loglike_drw"][0], 116.900, delta=0.001)
        self.assertTrue(has(table, 15)[0])

    def test_the_frame_is_told(self):
        for rest_frame, z, log_tau in ("false", math.nan, 4.8494), ("true", 1.0, 4.1563):
            with self.subTest(rest_frame=rest_frame):
                path = self.product("frame", f"rest_frame={rest_frame}")
                table, header = read_table(path)
                np.testing.assert_equal(table["z"][0], z)
                self.assertAlmostEqual(table["log_tau"][0], log_tau, delta=1e-4)
                # Of days alone: ln tau, ln D, and the light curve's.
                frame = "rest frame" if rest_frame == "true" else "observed frame"
                for name in "log_tau", "logD", "baseline", "median_cadence":
                    column = list(table).index(name) + 1
                    self.assertIn(frame, header[f"TCOMM{column}"])

    def test_two_sources_are_flagged_and_nothing_is_removed(self):
        for rule in "predictive", "influence":
            with self.subTest(rule):
                table = self.fit("two_sources", f"rule={rule}")
                self.assertTrue(has(table, 23).all())
                self.assertEqual(list(table["n_removed"]), [0] * 5)
        # Nothing of the kind in healthy light curves.
        self.assertFalse(has(self.fit("frame"), 23).any())

    def test_error_sentinels_take_no_part(self):
        table = read_table(self.swapped("error_9999", "ou-fit"))[0]
        self.assertEqual(list(has(table, 21)), [True, True, False])
        self.assertEqual(list(table["n_epochs"]), [145, 140, 150])
        # Few epochs less hardly change the fit.
        np.testing.assert_allclose(table["log_tau"], 4.84, atol=0.02)

    def swapped(self, case, stage):
        run = self.folder / f"swapped-{stage}"
        self.qsohost("--chain", CASES / f"{case}.toml", "--swap", f"fit={stage}", "--run-dir", run,
                     "--set", "fit.rest_frame=false")  # fmt: skip
        return run / f"{case}_fit_s_b.fits"

    def test_small_fluxes_are_fitted_as_fluxes(self):
        chain = FITTED_FLUX.format(path=CASES / "flux_cgs.fits")
        self.qsohost("--chain", self.write("flux.toml", chain), "--run-dir", "run")
        table = read_table(self.folder / "run/flux_cgs_fit_s_b.fits")[0]
        self.assertEqual(table["n_epochs"][0], 150)
        self.assertEqual(table["flags"][0], 0)
        # The scatter of the fluxes, as magnitudes.
        with fits.open(CASES / "flux_cgs.fits") as file:
            flux = file[1].data["m"][0]
        self.assertAlmostEqual(table["log_sigma"][0],
                               math.log(1.0857 * flux.std() / flux.mean()), delta=0.3)  # fmt: skip


if __name__ == "__main__":
    unittest.main()
