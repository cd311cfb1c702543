"""Light curves that are cleaned and fitted more than once in one chain."""

import unittest

import numpy as np
from astropy.io import fits
from support import ChainTest, read_table

CHAIN = """
[chain]
name = "refit"
[[stage]]
use = "lightcurve-source"
label = "src"
paths = ["curves.fits"]
[[stage.band]]
group = "s.b"
time = "t"
mag = "m"
mag_err = "e"
"""
LOO = """
[[stage]]
use = "ou-loo"
label = "{label}"
groups = ["s.b"]
rest_frame = false
rule = "predictive"
mean = "profiled"
"""
DROP = """
[[stage]]
use = "drop-epochs"
label = "{label}"
"""
SINK = """
[[stage]]
use = "fits-sink"
label = "{label}"
what = "{what}"
path = "{label}.fits"
"""
EPOCHS, OUTLIERS = 150, (10, 70, 120)


class Refit(ChainTest):
    def setUp(self):
        super().setUp()
        rng = np.random.default_rng(3)
        time = 58000 + np.sort(rng.uniform(0, 1800, EPOCHS))
        mag = np.empty(EPOCHS)  # a damped random walk, 0.2 mag and 100 d, with outliers
        mag[0] = 0.2 * rng.standard_normal()
        for i, step in enumerate(np.exp(-np.diff(time) / 100), 1):
            mag[i] = step * mag[i - 1] + 0.2 * np.sqrt(1 - step**2) * rng.standard_normal()
        mag += 19 + 0.02 * rng.standard_normal(EPOCHS)
        mag[list(OUTLIERS)] += 1.5

        def array(name, values):
            return fits.Column(name, f"{EPOCHS}D", array=values[None, :])

        columns = [
            fits.Column("source_id", "K", array=[1]),
            fits.Column("ra", "D", array=[10.0]),
            fits.Column("dec", "D", array=[20.0]),
            array("t", time),
            array("m", mag),
            array("e", np.full(EPOCHS, 0.02)),
        ]
        fits.BinTableHDU.from_columns(columns).writeto(self.folder / "curves.fits")

    def chain(self, *stages):
        return self.write("chain.toml", CHAIN + "".join(stages))

    def test_clean_drop_fit_again_clean_again_is_one_chain(self):
        chain = self.chain(
            LOO.format(label="loo"),
            SINK.format(label="marked", what="s"),
            DROP.format(label="drop"),
            LOO.format(label="again"),
            DROP.format(label="drop-again"),
            SINK.format(label="once", what="loo"),
            SINK.format(label="twice", what="again"),
            SINK.format(label="cleaned", what="s"),
        )
        self.qsohost("--chain", chain, "--check")
        self.assertIn("keep of s.b", self.qsohost("--chain", chain, "--graph", "text").stdout)
        self.qsohost("--chain", chain, "--run-dir", "run")
        once, twice, marked, cleaned = (
            read_table(self.folder / "run" / f"{name}.fits")[0]
            for name in ("once", "twice", "marked", "cleaned")
        )
        self.assertEqual(once["n_removed"][0], len(OUTLIERS))
        self.assertEqual(sorted(once["removed_epoch_id"][0]), list(OUTLIERS))
        kept = EPOCHS - once["n_removed"][0]
        self.assertEqual(twice["n_epochs"][0], kept)
        self.assertEqual(len(cleaned["t_b"][0]), kept - twice["n_removed"][0])
        self.assertEqual(len(marked["t_b"][0]), EPOCHS)
        self.assertAlmostEqual(twice["log_tau_full"][0], once["log_tau_post"][0], places=6)

    def test_marks_are_used_up(self):
        chain = self.chain(
            LOO.format(label="loo"),
            DROP.format(label="drop"),
            DROP.format(label="drop-again"),
            SINK.format(label="cleaned", what="s"),
        )
        done = self.qsohost("--chain", chain, "--run-dir", "run", expect=2)
        self.assertIn("no group of epochs has a column 'keep'", done.stderr)

    def test_two_fits_without_a_cut_between_them(self):
        chain = self.chain(
            LOO.format(label="loo"),
            LOO.format(label="again") + "max_passes = 0\n",
            DROP.format(label="drop"),
            SINK.format(label="cleaned", what="s"),
        )
        self.qsohost("--chain", chain, "--run-dir", "run")
        cleaned, _ = read_table(self.folder / "run/cleaned.fits")
        self.assertEqual(len(cleaned["t_b"][0]), EPOCHS)  # the later marks count


if __name__ == "__main__":
    unittest.main()
