"""An epoch keeps its identity: the outlier that goes is the one that is an outlier."""

import math
import random
import unittest

from support import ChainTest, irsa_answer, irsa_row, read_table

CHAIN = """
[chain]
name = "identity"
[[stage]]
use = "catalog-source"
path = "targets.csv"
[[stage]]
use = "ztf-files"
path = "answers/{source_id}.csv"
[[stage]]
use = "fits-sink"
label = "raw"
what = "ztf"
path = "raw.fits"
[[stage]]
use = "ztf-quality"
[[stage]]
use = "ou-loo"
label = "loo"
groups = ["ztf.g", "ztf.r"]
[[stage]]
use = "fits-sink"
label = "results"
what = "loo"
[[stage]]
use = "drop-epochs"
[[stage]]
use = "fits-sink"
label = "cleaned"
what = "ztf"
path = "cleaned.fits"
columns = ["mjd", "mag", "magerr", "epoch_id"]
"""


def light_curve(seed, n):
    """A damped random walk, sigma 0.15, tau 150 d, errors of 0.02."""
    rng = random.Random(seed)
    value, before, epochs = rng.gauss(0, 0.15), None, []
    for mjd in sorted(rng.uniform(58200, 59900) for _ in range(n)):
        if before is not None:
            decay = math.exp(-(mjd - before) / 150)
            value = value * decay + rng.gauss(0, 0.15 * math.sqrt(1 - decay * decay))
        before = mjd
        epochs.append((mjd, 18 + value + rng.gauss(0, 0.02)))
    return epochs


class Identity(ChainTest):
    def check(self, position):
        rng = random.Random(position)
        epochs = light_curve(7, 60)
        rng.shuffle(epochs)
        outlier = (59000.123456, 21.0)
        epochs.insert(position, outlier)
        rows = [irsa_row(600000000000001, mjd, mag, 0.02) for mjd, mag in epochs]
        # Rows of the other band in between, and one that a cut takes, so that every stage has
        # another numbering than the answer.
        other = [irsa_row(600000000000002, m, mag, 0.02, band="r") for m, mag in light_curve(8, 30)]
        bad = irsa_row(600000000000001, 58333.3, 18.0, 0.02, chi=9.0)
        answer = other[:10] + [bad] + rows + other[10:]
        self.write("targets.csv", "source_id,ra,dec,z\n42,10.0,20.0,0.0\n")
        self.write("answers/42.csv", irsa_answer(answer))
        chain = self.write("chain.toml", CHAIN)
        self.qsohost("--chain", chain, "--run-dir", "run", "--restart")

        loo, _ = read_table(self.folder / "run/identity_loo_ztf_g.fits")
        self.assertEqual(list(loo["removed_mjd"][0]), [outlier[0]])
        # Its place among all epochs of the target, by object and time, whatever their order was.
        times = sorted([mjd for mjd, _ in epochs] + [58333.3])
        self.assertEqual(list(loo["removed_epoch_id"][0]), [times.index(outlier[0])])
        cleaned, _ = read_table(self.folder / "run/cleaned.fits")
        expected = sorted(round(mjd, 7) for mjd, _ in epochs if mjd != outlier[0])
        self.assertEqual(list(cleaned["mjd_g"][0]), expected)
        self.assertNotIn(times.index(outlier[0]), cleaned["epoch_id_g"][0])
        raw, _ = read_table(self.folder / "run/raw.fits")
        self.assertEqual(len(raw["mjd_g"][0]), len(epochs) + 1)
        r_loo, _ = read_table(self.folder / "run/identity_loo_ztf_r.fits")
        self.assertEqual(r_loo["n_removed"][0], 0)

    def test_the_right_epoch_is_removed_when_the_outlier_is_first_in_the_file(self):
        self.check(0)

    def test_the_right_epoch_is_removed_wherever_the_outlier_is(self):
        for position in (1, 17, 60):
            self.check(position)


if __name__ == "__main__":
    unittest.main()
