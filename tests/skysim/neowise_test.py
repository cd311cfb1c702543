"""NEOWISE exposures that `skysim make --neowise` writes."""

import unittest

import numpy as np

from support import SkyTest, read_table, skysim


class Neowise(SkyTest):
    MAKE = ("--sources", "300", "--seed", "3", "--neowise", "-j", "2")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rows, _ = read_table(cls.sky / "neowise.fits")
        cls.truth, _ = read_table(cls.sky / "neowise_truth.fits")
        cls.of = {t["allwise_cntr"]: cls.rows[cls.rows["allwise_cntr"] == t["allwise_cntr"]] for t in cls.truth}

    def test_other_files_and_threads_do_not_matter(self):
        skysim("make", self.folder / "one", "--sources", "300", "--seed", "3", "-j", "1")
        for file in (self.folder / "one").iterdir():
            self.assertEqual(file.read_bytes(), (self.sky / file.name).read_bytes(), file.name)
        self.assertFalse((self.folder / "one/neowise.fits").exists())
        skysim("make", self.folder / "two", "--sources", "300", "--seed", "3", "-j", "1", "--neowise")
        for name in ("neowise.fits", "neowise_truth.fits"):
            self.assertEqual((self.folder / "two" / name).read_bytes(), (self.sky / name).read_bytes())

    def test_visits_come_twice_a_year(self):
        times = self.rows["mjd"]
        self.assertTrue(56639 < times.min() and times.max() < 60524)
        bright = self.truth[self.truth["mean_w1"] < 14.5]
        self.assertGreater(len(bright), 10)
        for t in bright:
            steps = np.diff(self.of[t["allwise_cntr"]]["mjd"])
            starts = self.of[t["allwise_cntr"]]["mjd"][np.r_[True, steps > 30]]
            self.assertEqual(len(starts), t["n_visits"])
            self.assertIn(len(starts), (21, 22))
            np.testing.assert_allclose(np.diff(starts), 182.62, atol=3)
            self.assertGreaterEqual(len(steps) + 1, 11 * len(starts) - 12)

    def test_magnitudes_are_those_of_the_process(self):
        for band in ("w1", "w2"):
            pulls = []
            for t in self.truth:
                mine = self.of[t["allwise_cntr"]]
                good = (mine["cc_flags"] == "0000") & (mine["moon_masked"] == "0000") & (mine["saa_sep"] >= 5)
                mag, error = mine[band + "mpro"][good], mine[band + "sigmpro"][good]
                if t["mean_" + band] < 14 and len(mag):
                    pulls.append((np.nanmean(mag) - t["mean_" + band]) / t["sigma_" + band])
                    self.assertLess(np.nanmedian(error), 0.15)
            self.assertGreater(len(pulls), 10)
            self.assertLess(abs(np.mean(pulls)), 0.6)
            self.assertTrue(0.2 < np.std(pulls) < 1.5, np.std(pulls))

    def test_limits_and_missing_values(self):
        for band, place in (("w1", 0), ("w2", 1)):
            mag, error = self.rows[band + "mpro"], self.rows[band + "sigmpro"]
            grade = np.array([g[place] for g in self.rows["ph_qual"]])
            np.testing.assert_array_equal(np.isnan(error), grade == "U")
            limit = ~np.isnan(mag) & np.isnan(error)
            self.assertGreater(limit.sum(), 100)
            self.assertGreater(np.isnan(mag).sum(), 20)
            self.assertFalse((np.isnan(mag) & ~np.isnan(error)).any())

    def test_the_truth_counts_rows(self):
        for t in self.truth:
            mine = self.of[t["allwise_cntr"]]
            self.assertEqual(t["n_rows"], len(mine))
            for band in ("w1", "w2"):
                self.assertEqual(t["n_" + band], (~np.isnan(mine[band + "mpro"])).sum())
            good = ((mine["cc_flags"] == "0000") & (mine["moon_masked"] == "0000") & (mine["qi_fact"] >= 1)
                    & (mine["qual_frame"] > 0) & (mine["saa_sep"] >= 5) & (mine["nb"] < 2) & (mine["na"] < 1))  # fmt: skip
            self.assertEqual(t["n_good"], good.sum())


if __name__ == "__main__":
    unittest.main()
