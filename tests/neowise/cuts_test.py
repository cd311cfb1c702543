"""neowise-quality: each cut, counted by its rule."""

import unittest

import numpy as np

from support import NeowiseTest, read_table
from server import Server  # found through support

CUTS = """
[[stage]]
use = "neowise-quality"
label = "cuts"
{options}
[[stage]]
use = "fits-sink"
label = "kept"
what = "neowise"
path = "kept.fits"
"""


def starts(column, text):
    return np.char.startswith(column.astype(str), text)


def usual_rules(rows):
    return {
        "nb": rows["nb"] < 2,
        "na": rows["na"] < 1,
        "cc_flags": starts(rows["cc_flags"], "00"),
        "qi_fact": rows["qi_fact"] >= 1,
        "qual_frame": rows["qual_frame"] > 0,
        "saa_sep": rows["saa_sep"] >= 5,
        "moon_masked": starts(rows["moon_masked"], "00"),
    }


class Cuts(NeowiseTest):
    def run_chain(self, name, options):
        with Server(self.sky) as server:
            run = self.qsohost(self.chain(name, server.url, stages=CUTS.format(options=options)))
        counts = {(c["item"], c["what"]): c["n"] for c in self.stage(run, "cuts")["counts"]}
        return read_table(run / "kept.fits")[0], counts

    def assert_kept(self, kept, counts, band, rules_of):
        failed, removed, n_kept = {}, {}, 0
        for i, rows in enumerate(self.rows):
            rows = rows[~np.isnan(rows[band + "mpro"])]
            good = np.ones(len(rows), bool)
            for rule, passes in rules_of(rows).items():
                failed[rule] = failed.get(rule, 0) + (~passes).sum()
                removed[rule] = removed.get(rule, 0) + (good & ~passes).sum()
                good &= passes
            np.testing.assert_array_equal(kept[f"mjd_{band}"][i], rows["mjd"][good])
            n_kept += good.sum()
        group = "neowise." + band
        for rule in failed:
            self.assertGreater(failed[rule], 0, rule)
            self.assertEqual(counts[group, "failed " + rule], failed[rule])
            self.assertEqual(counts[group, "removed by " + rule], removed[rule])
        self.assertEqual(counts[group, "epochs kept"], n_kept)

    def test_usual_cuts(self):
        kept, counts = self.run_chain("usual", "")
        for band in ("w1", "w2"):
            self.assert_kept(kept, counts, band, usual_rules)

    def test_cuts_that_are_off_unless_asked_for(self):
        kept, counts = self.run_chain("more", 'ph_qual = ["A", "B"]\nmax_rchi2 = 1.2\nbands = ["w2"]')

        def rules(rows):
            grades = np.array([str(g)[1:2] for g in rows["ph_qual"].astype(str)])
            return {**usual_rules(rows), "ph_qual": np.isin(grades, ["A", "B"]),
                    "rchi2": rows["w2rchi2"] <= 1.2}  # fmt: skip

        self.assertNotIn("mjd_w1", kept)
        self.assert_kept(kept, counts, "w2", rules)


if __name__ == "__main__":
    unittest.main()
