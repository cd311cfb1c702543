"""Flags that all fitters share, on the shared light curves that are known to need them or not to."""

import unittest

import numpy as np
from support import SHARED, ChainTest, read_table

CASES = SHARED.parent / "cases/science"
ERRORS, SENTINELS, ROUNDED, TWO, ZERO_REDSHIFT = (1 << n for n in (20, 21, 22, 23, 30))


@unittest.skipUnless((CASES / "README.md").exists(), f"no cases in {CASES}; set QSO_SHARED_DATA")
class LightCurveFlags(ChainTest):
    """Each case has its own chain; redshifts are 0 in all but `frame`."""

    def fit(self, case, *more):
        run = self.folder / case
        self.qsohost("--chain", CASES / f"{case}.toml", "--run-dir", run, *more)
        return read_table(run / f"{case}_fit_s_b.fits")

    def test_two_sources(self):
        table, _ = self.fit("two_sources")
        np.testing.assert_array_equal(table["flags"] & TWO, TWO)

    def test_times_of_32_bits_and_of_64(self):
        single, _ = self.fit("jd_float32")
        double, _ = self.fit("jd_float64")
        self.assertEqual(single["flags"][0] & ROUNDED, ROUNDED)
        self.assertEqual(double["flags"][0] & ROUNDED, 0)
        self.assertAlmostEqual(double["log_tau"][0], -0.8323, delta=1e-3)

    def test_sentinels_take_no_part_in_a_structure_function(self):
        table, _ = self.fit("error_9999")
        np.testing.assert_array_equal(table["flags"] & SENTINELS, [SENTINELS, SENTINELS, 0])
        np.testing.assert_array_equal(table["n_epochs"], [145, 140, 150])
        np.testing.assert_allclose(table["sf_inf"], table["sf_inf"][2], rtol=0.02)
        bins = [0.033, 0.037, 0.076, 0.088, 0.125, 0.152, 0.200, 0.255, 0.275, 0.257, 0.300, 0.457]
        np.testing.assert_allclose(table["sf"][0], bins, atol=6e-4)

    def test_errors_too_small_for_an_oscillator(self):
        chain = self.write(
            "errors_too_small.toml",
            (CASES / "errors_too_small.toml").read_text()
            .replace("ou-fit", "dho")
            .replace('["errors_too_small.fits"]', f'["{CASES}/errors_too_small.fits"]'),
        )  # fmt: skip
        self.qsohost("--chain", chain, "--run-dir", "run")
        table, _ = read_table(self.folder / "run/errors_too_small_fit_s_b.fits")
        self.assertGreater(np.mean(table["flags"] & ERRORS != 0), 0.9)

    def test_the_frame_is_said(self):
        observed, header = self.fit("frame")
        self.assertTrue(np.isnan(observed["z"][0]))
        self.assertAlmostEqual(observed["log_tau"][0], 4.8494, delta=1e-3)
        said = {header[f"TTYPE{i}"]: header.get(f"TCOMM{i}") for i in range(1, header["TFIELDS"] + 1)}
        rest, _ = self.fit("frame", "--set", "fit.rest_frame=true", "--restart")
        self.assertEqual(rest["z"][0], 1)
        self.assertAlmostEqual(rest["log_tau"][0], 4.1563, delta=1e-3)
        self.assertAlmostEqual(rest["baseline"][0], observed["baseline"][0] / 2, delta=1e-9)
        self.assertIn("observed frame", said["baseline"])

    def test_a_redshift_of_0(self):
        table, _ = self.fit("jd_float64")
        self.assertEqual(table["flags"][0] & ZERO_REDSHIFT, ZERO_REDSHIFT)
        self.assertEqual(table["flags"][0] & 2, 0)

    def test_fluxes_that_are_not_said_to_be_fluxes_are_refused(self):
        done = self.qsohost("--chain", CASES / "flux_cgs.toml", "--run-dir", "run", expect=1)
        self.assertIn("name fluxes by flux and flux_err", done.stderr)


if __name__ == "__main__":
    unittest.main()
