"""What neowise writes is what the archive's table has, and what it asks for that."""

import unittest

import numpy as np

from support import BATCH, NeowiseTest, irsa, read_table
from server import Server  # found through support

VISITS = """
[[stage]]
use = "neowise-quality"
[[stage]]
use = "bin-epochs"
label = "visits"
groups = ["neowise.w1", "neowise.w2"]
gap = 10
[[stage]]
use = "fits-sink"
label = "binned"
what = "visits.neowise"
"""


class Products(NeowiseTest):
    def test_every_exposure_as_the_archive_has_it(self):
        """With one upload for the counts of a batch, one for its rows, and one that confirms."""
        with Server(self.sky) as server:
            run = self.qsohost(self.chain("batches", server.url))
            counts = irsa(server)
        self.assert_right(run)
        self.assert_polite(counts)
        self.assertLessEqual(counts["requests"], 3 * -(-len(self.rows) // BATCH))
        nan = sum(np.isnan(error).sum() for error in read_table(run / "wise_neowise_lc.fits")[0]["mag_err_w1"])
        self.assertGreater(nan, 100)

    def test_a_large_batch_is_a_job_that_is_deleted_once_read(self):
        with Server(self.sky, "--throttle", "irsa", "--time-scale", 20, "--traps", "query-in-url=1") as server:
            run = self.qsohost(self.chain("job", server.url, rows=1000))
            counts = irsa(server)
        self.assert_right(run)
        self.assert_polite(counts)
        self.assertEqual(counts["jobs"], 2)  # counts, rows
        self.assertEqual(counts["deleted jobs"], counts["jobs"])

    def test_cones_give_the_same(self):
        with Server(self.sky) as server:
            run = self.qsohost(self.chain("cones", server.url, query_by="cone"))
            self.assert_polite(irsa(server))
        self.assert_right(run)

    def test_where_uploads_are_refused_there_are_cones(self):
        with Server(self.sky, "--traps", "quota=1") as server:
            run = self.qsohost(self.chain("quota", server.url, max_attempts=2))
        self.assert_right(run)
        self.assertIn("positions cannot be uploaded", run.with_suffix(".log").read_text())

    def test_visits_are_a_group_beside_the_exposures(self):
        with Server(self.sky) as server:
            run = self.qsohost(self.chain("visits", server.url, stages=VISITS))
        self.assert_right(run)
        binned, _ = read_table(run / "wise_visits.neowise_lc.fits")
        visits = 0
        for i, rows in enumerate(self.rows):
            good = ((np.char.startswith(rows["cc_flags"].astype(str), "00")) & (rows["qi_fact"] >= 1)
                    & np.char.startswith(rows["moon_masked"].astype(str), "00") & (rows["qual_frame"] > 0)
                    & (rows["saa_sep"] >= 5) & (rows["nb"] < 2) & (rows["na"] < 1)
                    & (rows["w1sigmpro"] > 0))  # fmt: skip
            times, mags, errors = (rows[c][good] for c in ("mjd", "w1mpro", "w1sigmpro"))
            starts = np.flatnonzero(np.diff(times, prepend=-np.inf) > 10)
            weights = 1 / errors**2
            sums = [np.add.reduceat(x, starts) if len(starts) else x for x in (weights, weights * mags)]
            np.testing.assert_allclose(binned["mag_w1"][i], sums[1] / sums[0], rtol=1e-12)
            np.testing.assert_allclose(binned["mag_err_w1"][i], 1 / np.sqrt(sums[0]), rtol=1e-12)
            visits += len(starts)
        self.assertGreater(visits, 1000)


if __name__ == "__main__":
    unittest.main()
