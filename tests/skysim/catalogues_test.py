"""The catalogues like Wu & Shen's and Quaia: columns, errors, and the traps of the real ones."""

import unittest

import numpy as np
from astropy.io import fits

from support import SkyTest, column_list, pairs_within, read_table

LIGHT = 299792.458


class Catalogues(SkyTest):
    MAKE = ("--sources", "3000", "--seed", "11", "--stars", "10")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        names = ("sdss_dr16q", "dr16q_prop", "quaia", "gaia_source", "truth")
        cls.tables = {n: read_table(cls.sky / f"{n}.fits")[0] for n in names}

    def truth_of(self, names):
        truth = self.tables["truth"]
        row = {str(n): k for k, n in enumerate(truth["sdss_name"])}
        return truth[[row[str(n)] for n in names]]

    def has_truth(self):
        """Rows of quasars, not of second entries of them."""
        return np.isin(self.tables["dr16q_prop"]["SDSS_NAME"], self.tables["truth"]["sdss_name"])

    def test_both_hdus_have_the_quasars_of_dr16q(self):
        prop, sdss = self.tables["dr16q_prop"], self.tables["sdss_dr16q"]
        keys = [f"{r['plate']}-{r['mjd']}-{r['fiberid']}" for r in sdss[sdss["is_qso_final"] == 1]]
        self.assertEqual(list(dict.fromkeys(np.char.strip(prop["OBJID"]))), keys)
        with fits.open(self.sky / "dr16q_prop.fits", checksum=True) as file:
            self.assertEqual(len(file), 3)
            second = file[2].data
            self.assertEqual(second.names, [c[0] for c in column_list("dr16q_prop_sdss")])
            for name in ("SDSS_NAME", "PLATE", "MJD", "FIBERID", "RA", "DEC"):
                self.assertTrue((second[name] == prop[name]).all(), name)
            self.assertTrue((second["Z"] == prop["Z_DR16Q"]).all())
            self.assertEqual(second["PSFMAG"].shape, (len(prop), 5))
            row = {r["sdss_name"]: k for k, r in enumerate(sdss)}
            at = [row[n] for n in prop["SDSS_NAME"]]
            self.assertTrue((second["M_I"] == sdss["m_i"][at]).all())
            self.assertTrue((second["OBJID"] == sdss["objid"][at]).all())

    def test_a_few_rows_stand_twice(self):
        prop = self.tables["dr16q_prop"]
        _, first, times = np.unique(prop["OBJID"], return_index=True, return_counts=True)
        self.assertTrue(2 <= (times > 1).sum() <= 20, (times > 1).sum())
        for k in first[times > 1]:
            for name in prop.colnames:
                np.testing.assert_array_equal(prop[name][k], prop[name][k + 1], name)

    def test_missing_values_have_the_marks_of_the_real_catalogue(self):
        prop = self.tables["dr16q_prop"]
        for name in ("LOGLBOL", "LOGMBH_MGII"):
            value, error = prop[name], prop[f"{name}_ERR"]
            self.assertGreater((value == 0).sum(), 5, name)
            self.assertGreater((value == -999).sum(), 2, name)
            self.assertGreater(np.isnan(value).sum(), 2, name)
            self.assertTrue((error[value == 0] == 0).all(), name)
            self.assertTrue((error[value > 0] > 0).all(), name)
            self.assertFalse(((value > 0) & (value < 5)).any(), name)

    def test_measured_values_differ_from_the_truth_by_their_errors(self):
        prop = self.tables["dr16q_prop"][self.has_truth()]
        truth = self.truth_of(prop["SDSS_NAME"])
        for name, column, floor in (("LOGLBOL", "loglbol", 40), ("LOGMBH", "logmbh", 0),
                                    ("LOGMBH_CIV", "logmbh", 0), ("Z_SYS", "z", -1)):  # fmt: skip
            good = prop[name] > floor
            self.assertGreater(good.sum(), 500)
            pull = (prop[name] - truth[column])[good] / prop[f"{name}_ERR"][good]
            self.assertLess(abs(pull.mean()), 4 / np.sqrt(len(pull)), name)
            self.assertAlmostEqual(pull.std(), 1, delta=4 / np.sqrt(2 * len(pull)), msg=name)
        known = prop["LOGLBOL"] > 40
        self.assertTrue(0.01 < np.median(prop["LOGLBOL_ERR"][known]) < 0.05)
        self.assertLess(np.median(np.abs(prop["Z_SYS"] - truth["z"]) / (1 + truth["z"])) * LIGHT, 500)

    def test_lines_are_there_where_the_spectrum_shows_them(self):
        prop = self.tables["dr16q_prop"]
        for line, wave in (("MGII", 2798.8), ("CIV", 1549.1), ("HBETA_BR", 4862.7)):
            self.assertEqual(prop[line].shape, (len(prop), 6))
            seen = wave * (1 + prop["Z_DR16Q"])
            inside = (seen > 3650) & (seen < 10200)
            self.assertTrue((prop[line][~inside] == 0).all(), line)
            self.assertLess(np.abs(prop[line][inside][:, 0] / wave - 1).max(), 0.006, line)
            self.assertTrue((prop[f"{line}_ERR"][inside] > 0).all(), line)

    def test_fiducial_values_follow_the_order_of_the_lines(self):
        prop = self.tables["dr16q_prop"]
        masses = np.array([prop[f"LOGMBH_{line}"] for line in ("HB", "MGII", "CIV")])
        first = (masses > 0).argmax(axis=0)
        wanted = np.where((masses > 0).any(axis=0), masses[first, np.arange(len(prop))], 0)
        self.assertTrue((prop["LOGMBH"] == wanted).all())
        both = (prop["LOGL3000"] > 0) & (prop["LOGLBOL"] > 0)
        correction = (prop["LOGLBOL"] - prop["LOGL3000"])[both]
        self.assertLess(np.abs(10**correction - 5.15).max(), 0.01)

    def test_quaia_has_bright_quasars_of_gaia_and_others(self):
        quaia, gaia = self.tables["quaia"], self.tables["gaia_source"]
        self.assertTrue((np.diff(quaia["source_id"]) > 0).all())
        self.assertTrue((quaia["phot_g_mean_mag"] <= 20.5).all())
        known = np.isin(quaia["source_id"], gaia["source_id"])
        self.assertTrue(0.25 < (~known).mean() < 0.42, known.mean())
        near = np.unique(pairs_within(quaia, self.tables["sdss_dr16q"], 1)[:, 0])
        self.assertTrue(set(near) <= set(np.flatnonzero(known)))
        ids, first = np.unique(gaia["source_id"], return_index=True)  # some stand twice
        at = first[np.searchsorted(ids, quaia["source_id"][known])]
        for name in ("phot_g_mean_mag", "phot_bp_mean_mag", "pm", "pmra", "pmdec", "l", "b"):
            apart = np.abs(quaia[name][known] - gaia[name][at])
            self.assertLess(apart.max(), 1e-5, name)
        bright = gaia["phot_g_mean_mag"] < 20.5
        candidates = bright & gaia["in_qso_candidates"]
        found = np.isin(gaia["source_id"][candidates], quaia["source_id"])
        self.assertAlmostEqual(found.mean(), 0.92, delta=0.03)

    def test_quaia_redshifts_are_rough_and_some_far_off(self):
        quaia, truth = self.tables["quaia"], self.tables["truth"]
        row = {int(s): k for k, s in enumerate(truth["source_id"])}
        quaia = quaia[[int(s) in row for s in quaia["source_id"]]]
        z = truth["z"][[row[int(s)] for s in quaia["source_id"]]]
        off = (quaia["redshift_quaia"] - z) / (1 + z)
        relative = quaia["redshift_quaia_err"] / (1 + z)
        self.assertTrue(((relative > 0.0099) & (relative < 0.1001)).all())
        far = np.abs(off) > 0.2
        self.assertAlmostEqual(far.mean(), 0.065, delta=0.02)
        pull = (off / relative)[np.abs(off) < 0.2]
        self.assertAlmostEqual(pull.std(), 1, delta=0.1)


if __name__ == "__main__":
    unittest.main()
