"""Variability that depends on luminosity, and light curves as a product."""

import unittest

import numpy as np

from support import SkyTest, flat, read_table, skysim

D = {"D_ICEPT": -3.6, "D_LUM": -0.9, "D_LAMBDA": -0.5, "D_Z": 0.4, "D_SCATT": 0.25}
TAU = {"T_ICEPT": 2.2, "T_LUM": 0.15, "T_Z": -0.2, "T_SCATT": 0.3}
OPTIONS = ("--d-intercept", "--d-slope", "--d-lambda-slope", "--d-z-slope", "--d-scatter",
           "--tau-intercept", "--tau-slope", "--tau-z-slope", "--tau-scatter")  # fmt: skip
BANDS = ("ztf_g", "ztf_r", "ztf_i", "gaia_g", "gaia_bp", "gaia_rp")


def regression(y, *x):
    """Coefficients (intercept first) with their errors, and residuals."""
    design = np.column_stack([np.ones(len(y)), *x])
    best = np.linalg.lstsq(design, y, rcond=None)[0]
    rest = y - design @ best
    covariance = np.linalg.inv(design.T @ design) * rest.var()
    return best, np.sqrt(np.diag(covariance)), rest


class Relation(SkyTest):
    VALUES = [str(v) for v in (*D.values(), *TAU.values())]
    ASKED = ("--relation", *(word for pair in zip(OPTIONS, VALUES) for word in pair))
    MAKE = ("--sources", "1500", "--seed", "7", "--profile", "clean", "--stars", "0",
            "--products", *ASKED)  # fmt: skip

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.truth, cls.header = read_table(cls.sky / "truth.fits")
        cls.luminosity = cls.truth["loglbol"] - 46
        cls.stretch = np.log10((1 + cls.truth["z"]) / 2)

    def test_header_has_the_parameters(self):
        for name, value in (D | TAU).items():
            self.assertEqual(self.header[name], value)

    def assert_follows(self, y, x, wanted, scatter):
        best, errors, rest = regression(y, *x)
        for value, error, truth in zip(best, errors, wanted):
            self.assertLess(abs(value - truth), 4 * error)
            self.assertLess(error, 0.2)
        self.assertAlmostEqual(rest.std() / scatter, 1, delta=4 / np.sqrt(2 * len(rest)))
        return rest

    def test_truth_has_the_slopes_and_the_scatter(self):
        wave = [self.header[f"WAVE{b}"] for b in range(1, 7)]
        log_d = [self.truth[f"log10D_{b}"] for b in BANDS]
        for b in range(1, 6):  # one quasar's bands differ by wavelength alone
            slope = (log_d[b] - log_d[0]) / np.log10(wave[b] / wave[0])
            self.assertLess(np.abs(slope - D["D_LAMBDA"]).max(), 1e-6)
        rest_wave = np.log10(wave[0] / (1 + self.truth["z"]) / 2500)
        x = (self.luminosity, self.stretch)
        of_d = self.assert_follows(log_d[0] - D["D_LAMBDA"] * rest_wave, x,
                                   list(D.values())[:2] + [D["D_Z"]], D["D_SCATT"])  # fmt: skip
        of_tau = self.assert_follows(self.truth["log_tau"] / np.log(10), x,
                                     list(TAU.values())[:3], TAU["T_SCATT"])  # fmt: skip
        self.assertLess(abs(np.corrcoef(of_d, of_tau)[0, 1]), 4 / np.sqrt(len(of_d)))

    def test_d_is_sigma_squared_over_tau(self):
        for band in BANDS:
            ln_d = 2 * self.truth[f"log_sigma_{band}"] - self.truth["log_tau"]
            self.assertLess(np.abs(ln_d - self.truth[f"logD_{band}"]).max(), 1e-9)
            self.assertLess(np.abs(ln_d / np.log(10) - self.truth[f"log10D_{band}"]).max(), 1e-9)

    def test_luminosity_follows_from_magnitude_and_redshift(self):
        z = self.truth["z"]
        grid = np.linspace(0, 5, 50001)
        rate = 1 / np.sqrt(0.31 * (1 + grid) ** 3 + 0.69)
        comoving = np.r_[0, np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(grid))]
        distance = 299792.458 / 67.6 * (1 + z) * np.interp(z, grid, comoving)  # Mpc
        i_mag = self.truth["mean_gaia_g"] - 0.1
        m_i = i_mag - 5 * np.log10(distance * 1e5) + 1.25 * np.log10((1 + z) / 3)
        sdss, _ = read_table(self.sky / "sdss_dr16q.fits")
        self.assertEqual(len(sdss), len(z))  # a clean sky: row by row the same quasars
        self.assertLess(np.abs(sdss["m_i"] - m_i).max(), 1e-4)
        rest = self.truth["loglbol"] - (90 - m_i) / 2.5
        self.assertLess(abs(rest.mean()), 0.015)
        self.assertAlmostEqual(rest.std(), 0.1, delta=0.01)

    def test_curves_have_the_variance_of_the_truth(self):
        rows = {int(s): k for k, s in enumerate(self.truth["source_id"])}
        curves, _ = read_table(self.sky / "ztf_lc.fits")
        ratios = []
        for curve in curves:
            truth = self.truth[rows[int(curve["source_id"])]]
            sigma = np.exp(truth["log_sigma_ztf_r"])
            tau = np.exp(truth["log_tau"]) * (1 + truth["z"])
            # Of faint ones that vary much, ZTF misses the epochs at minimum light.
            if len(curve["mjd_r"]) < 100 or truth["mean_ztf_r"] > 19.5 or sigma > 1 or tau > 350:
                continue
            apart = np.abs(curve["mjd_r"][:, None] - curve["mjd_r"])
            expected = sigma**2 * (1 - np.exp(-apart / tau).mean()) + np.mean(curve["magerr_r"] ** 2)
            ratios.append(curve["mag_r"].var() / expected)
        self.assertGreater(len(ratios), 100)
        self.assertAlmostEqual(np.mean(ratios), 1, delta=4 * np.std(ratios) / np.sqrt(len(ratios)))

    def test_product_has_the_epochs_of_the_archive(self):
        curves, header = read_table(self.sky / "ztf_lc.fits")
        self.assertEqual((header["TIMESYS"], header["MJDREF"]), ("UTC", 0))
        self.assertEqual(set(curves["source_id"]), set(self.truth["source_id"][self.truth["in_ztf"]]))
        archive, _ = read_table(self.sky / "ztf_light_curves.fits")
        objects, _ = read_table(self.sky / "ztf_objects.fits")
        rows = {int(s): k for k, s in enumerate(self.truth["source_id"])}
        for fid, band in enumerate("gri", 1):
            lengths = np.array([len(m) for m in curves[f"mjd_{band}"]])
            at = [rows[int(s)] for s in curves["source_id"]]
            self.assertTrue((lengths == self.truth[f"n_epochs_ztf_{band}"][at]).all())
            for column in ("mjd", "mag", "magerr", "limitmag"):
                there = np.sort(flat(archive[column][objects["fid"] == fid]))
                self.assertTrue((np.sort(flat(curves[f"{column}_{band}"])) == there).all())

    def test_threads_do_not_change_a_byte(self):
        for threads in (1, 3):
            skysim("make", self.folder / f"j{threads}", "--sources", 450, "--relation",
                   "--products", "-j", threads)  # fmt: skip
        for file in sorted((self.folder / "j1").iterdir()):
            other = self.folder / "j3" / file.name
            self.assertEqual(file.read_bytes(), other.read_bytes(), file.name)

    def test_relation_changes_nothing_but_variability(self):
        for name, more in (("plain", ()), ("related", ("--relation",))):
            skysim("make", self.folder / name, "--sources", 100, *more)
        plain, related = self.folder / "plain", self.folder / "related"
        for name in ("sdss_dr16q", "gaia_source", "dr16q_prop", "quaia"):
            self.assertEqual((plain / f"{name}.fits").read_bytes(),
                             (related / f"{name}.fits").read_bytes(), name)  # fmt: skip
        tables = [read_table(sky / "truth.fits") for sky in (plain, related)]
        self.assertNotIn("D_LUM", tables[0][1])
        self.assertTrue((tables[0][0]["mean_ztf_g"] == tables[1][0]["mean_ztf_g"]).all())
        self.assertFalse((tables[0][0]["log_tau"] == tables[1][0]["log_tau"]).any())

    def test_flat_errors_are_those_of_all_magnitudes(self):
        skysim("make", self.folder / "flat", "--sources", 60, "--profile", "clean", "--error-law", "flat")
        curves, _ = read_table(self.folder / "flat/ztf_light_curves.fits")
        self.assertTrue((flat(curves["magerr"]) == np.float32(0.03)).all())
        gaia, _ = read_table(self.folder / "flat/gaia_epoch.fits")
        error = 1.0857 / flat(gaia["rp_flux_over_error"])
        self.assertLess(np.abs(error[np.isfinite(error)] - 0.03).max(), 1e-5)

    def test_mistakes_are_reported(self):
        make = ("make", self.folder / "x", "--sources", 5)
        self.assertIn("--relation", skysim(*make, "--d-slope", -1, expect=2).stderr)
        for value in ("nan", "9", "steep"):
            error = skysim(*make, "--relation", "--d-slope", value, expect=2).stderr
            self.assertIn("--d-slope", error)
        self.assertIn("--d-scatter", skysim(*make, "--relation", "--d-scatter", -1, expect=2).stderr)
        self.assertIn("error-law", skysim(*make, "--error-law", "steep", expect=2).stderr)


if __name__ == "__main__":
    unittest.main()
