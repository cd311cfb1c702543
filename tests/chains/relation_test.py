"""A relation of D with luminosity, injected into light curves, comes back from their fits."""

import subprocess
import unittest

import numpy as np
from support import SKYSIM, ChainTest, read_table

CHAIN = """
[chain]
name = "related"
[[stage]]
use = "lightcurve-source"
paths = ["sky/ztf_lc.fits"]
catalog = "sky/truth.fits"
columns = ["z"]
[[stage]]
use = "ou-fit"
label = "ou"
groups = ["ztf.r"]
[[stage]]
use = "fits-sink"
what = "ou"
"""


class Injected(ChainTest):
    def test_fits_follow_the_truth(self):
        make = [SKYSIM, "make", self.folder / "sky", "--sources", "500", "--profile", "clean",
                "--relation", "--d-slope", "-0.8", "--d-scatter", "0.3", "--products"]  # fmt: skip
        subprocess.run(make, check=True, capture_output=True)
        self.qsohost("--chain", self.write("chain.toml", CHAIN), "--run-dir", "run")
        fitted, _ = read_table(self.folder / "run/related_ou_ztf_r.fits")
        truth, _ = read_table(self.folder / "sky/truth.fits")
        row = {s: k for k, s in enumerate(truth["source_id"])}
        at = [row[s] for s in fitted["source_id"]]
        # Chosen by what the relation does not depend on, and not by how they vary.
        chosen = (truth["mean_ztf_r"][at] < 19) & (fitted["n_epochs"] > 100)
        self.assertGreater(chosen.sum(), 50)
        off = (fitted["logD"] - truth["logD_ztf_r"][at])[chosen]
        pull = off / fitted["err_logD"][chosen]
        self.assertTrue(0.5 < np.median(np.abs(pull)) < 0.9, np.median(np.abs(pull)))
        luminosity = truth["loglbol"][at][chosen]
        slope, covariance = np.polyfit(luminosity, fitted["logD"][chosen] / np.log(10), 1, cov=True)
        self.assertLess(abs(slope[0] + 0.8), 4 * np.sqrt(covariance[0, 0]))
        self.assertLess(np.sqrt(covariance[0, 0]), 0.1)


if __name__ == "__main__":
    unittest.main()
