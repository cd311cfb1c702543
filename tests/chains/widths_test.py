"""Columns of several values a row, in chains where one value is wanted."""

import unittest

import numpy as np
from astropy.io import fits

from support import ChainTest, read_table

CHAIN = """
[chain]
name = "widths"
batch_rows = 2
[[stage]]
use = "lightcurve-source"
label = "curves"
paths = ["curves.fits"]
"""
# The light curves of the file, as another survey's than those that are fetched.
OTHER_SURVEY = """
[[stage.band]]
group = "mine.g"
time = "mjd_g"
mag = "mag_g"
mag_err = "magerr_g"
"""
FETCH = """
[[stage]]
use = "ztf-files"
path = "{source_id}.csv"
"""
FIT = """
[[stage]]
use = "ou-fit"
label = "ou"
groups = ["ztf.g"]
min_points = 10
"""
SINK = """
[[stage]]
use = "fits-sink"
what = "{what}"
{more}
"""


class WidthsTest(ChainTest):
    def setUp(self):
        super().setUp()
        rng = np.random.default_rng(5)
        n, epochs = 4, 30
        arrays = {
            "mjd_g": 58000 + np.sort(rng.uniform(0, 900, (n, epochs)), axis=1),
            "mag_g": 18 + rng.normal(0, 0.1, (n, epochs)),
            "magerr_g": np.full((n, epochs), 0.05),
        }
        positions = np.arange(n, dtype=float)
        pairs = np.column_stack([positions, positions + 0.5]) / 10 + 0.1
        columns = [
            fits.Column("source_id", "K", array=np.arange(1, n + 1)),
            fits.Column("ra", "D", unit="deg", array=10 + positions),
            fits.Column("dec", "2D", unit="deg", array=pairs),
            fits.Column("z", "2D", array=pairs),
            fits.Column("z_best", "D", array=pairs[:, 1]),
            *(fits.Column(name, "PD()", array=list(a)) for name, a in arrays.items()),
        ]
        fits.BinTableHDU.from_columns(columns).writeto(self.folder / "curves.fits")
        self.pairs = pairs

    def refused(self, stages):
        """What is said of a chain that does not begin; no run directory is left behind half done."""
        chain = self.write("chain.toml", CHAIN + stages)
        done = self.qsohost("--chain", chain, "--run-dir", "run", expect=2)
        self.assertEqual(list(self.folder.glob("run/*.fits")), [])
        return done.stderr

    def test_a_redshift_of_two_values_is_refused(self):
        error = self.refused(FIT + SINK.format(what="ou", more=""))
        for words in ("ou needs column 'z' (redshift) with 1 value per object",
                      "stage 'curves' gives 2 values per object", "name another column"):  # fmt: skip
            self.assertIn(words, error)

    def test_the_advice_of_the_message_works(self):
        fit = FIT + 'redshift = "z_best"\n'
        chain = self.write("chain.toml", CHAIN + fit + SINK.format(what="ou", more=""))
        self.qsohost("--chain", chain, "--run-dir", "run")
        table, _ = read_table(self.folder / "run/widths_ou_ztf_g.fits")
        np.testing.assert_array_equal(table["z"], self.pairs[:, 1])

    def test_a_position_of_two_values_is_refused(self):
        error = self.refused(OTHER_SURVEY + FETCH + SINK.format(what="targets", more=""))
        self.assertIn("ztf-files needs column 'dec'", error)
        self.assertIn("gives 2 values per object", error)

    def test_sorting_by_a_column_of_two_values_is_refused(self):
        error = self.refused(SINK.format(what="catalog", more='sort_by = "z"'))
        self.assertIn("fits-sink needs column 'z' (option 'sort_by') with 1 value", error)

    def test_columns_of_several_values_are_carried_and_required(self):
        require = '[[stage]]\nuse = "require"\ncolumns = ["z"]\n'
        sink = SINK.format(what="catalog", more='sort_by = "z_best"')
        chain = self.write("chain.toml", CHAIN + require + sink)
        self.qsohost("--chain", chain, "--run-dir", "run")
        table, _ = read_table(self.folder / "run/widths_catalog.fits")
        np.testing.assert_array_equal(table["z"], self.pairs)


if __name__ == "__main__":
    unittest.main()
