"""`skysim score` of a sky where light curves have epochs of two sources."""

import re
import subprocess
import unittest

import numpy as np
from support import SKYSIM, ChainTest, make_sample, read_table

CHAIN = """
[chain]
name = "pairs"
[[stage]]
use = "catalog-source"
path = "sky/targets.csv"
[[stage]]
use = "ztf-files"
label = "ztf"
path = "sky/irsa/{source_id}.csv"
objects = "all"
[[stage]]
use = "ztf-quality"
[[stage]]
use = "fits-sink"
label = "with_ids"
what = "ztf"
path = "with_ids.fits"
columns = ["mjd", "mag", "magerr", "epoch_id", "oid"]
[[stage]]
use = "ou-loo"
label = "loo"
groups = ["ztf.g"]
rule = "predictive"
[[stage]]
use = "fits-sink"
label = "results"
what = "loo"
"""


class Neighbours(ChainTest):
    def score(self, curves, expect=0):
        done = subprocess.run(
            [SKYSIM, "score", "sky", "run/pairs_loo_ztf_g.fits", "--curves", f"run/{curves}"],
            cwd=self.folder, capture_output=True, text=True,
        )  # fmt: skip
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done

    def recount(self):
        """Removed, right, there, found: of the quasars' own epochs, and of the neighbours'. Which
        epoch is whose is found by position, not by the truth's lists."""
        truth, _ = read_table(self.folder / "sky/truth.fits")
        objects, _ = read_table(self.folder / "sky/ztf_objects.fits")
        curves, _ = read_table(self.folder / "run/with_ids.fits")
        fits, _ = read_table(self.folder / "run/pairs_loo_ztf_g.fits")
        row_of = {s: i for i, s in enumerate(truth["source_id"])}
        dec_of = dict(zip(objects["oid"], objects["dec"]))
        own, other = np.zeros(4, int), np.zeros(4, int)
        for k, source in enumerate(fits["source_id"]):
            row = row_of[source]
            oids = curves["oid_g"][k]
            is_own = np.array([dec_of[oid] == truth["dec"][row] for oid in oids], bool)
            removed = np.isin(curves["epoch_id_g"][k], fits["removed_epoch_id"][k])
            self.assertEqual(removed.sum(), len(fits["removed_mjd"][k]))
            why = dict(zip(truth["outlier_time_ztf_g"][row], truth["outlier_why_ztf_g"][row]))
            kind = np.array([why.get(mjd, 0) for mjd in curves["mjd_g"][k]])
            counts = is_own & (kind > 0) & (kind < 4)
            own += [(removed & is_own).sum(), (removed & is_own & (kind > 0)).sum(),
                    counts.sum(), (counts & removed).sum()]  # fmt: skip
            both = (removed & ~is_own).sum()
            other += [both, both, (~is_own).sum(), both]
        return own, other

    def test_their_epochs_are_a_kind_of_their_own(self):
        make_sample(self.folder / "sky", 150, seed=7)
        self.qsohost("--chain", self.write("chain.toml", CHAIN), "--run-dir", "run")
        own, other = self.recount()
        self.assertGreater(other[2], 100)
        text = self.score("with_ids.fits").stdout
        for objects, (removed, right, there, found) in (("all", own), ("all + neighbours", own + other)):
            words = re.search(rf"(?m)^ztf\.g +{re.escape(objects)} +(\d.*)$", text)[1].split()
            self.assertEqual([words[1], words[4]], [str(removed), str(there)], text)
            self.assertEqual(words[2], f"{100 * right / removed:.1f}", text)
            self.assertEqual(words[5], f"{100 * found / there:.1f}", text)

        fits, _ = read_table(self.folder / "run/pairs_loo_ztf_g.fits")
        is_flagged = (fits["flags"] & (1 << 23 | 1 << 24)) != 0
        is_fitted = np.isfinite(fits["logD_full"])
        for objects, of in (("all", is_fitted), ("not flagged", is_fitted & ~is_flagged)):
            self.assertRegex(text, rf"(?m)^ztf\.g +{objects} +{of.sum()} ")


if __name__ == "__main__":
    unittest.main()
