"""A column of times that differ from those of its group: `hjd` of ZTF beside `mjd`."""

import re
import unittest

import numpy as np

from support import ChainTest, irsa_answer, irsa_row, read_table

CHAIN = """
[chain]
name = "times"
[[stage]]
use = "catalog-source"
path = "targets.csv"
[[stage]]
use = "ztf-files"
path = "answers/{source_id}.csv"
[[stage]]
use = "fits-sink"
what = "ztf"
columns = ["mjd", "mag", "magerr", "hjd"]
"""


class OtherTimes(ChainTest):
    def test_hjd_is_described_and_not_counted_from_mjdref(self):
        times = [58000.5, 58001.5]
        self.write("targets.csv", "source_id,ra,dec\n1,10,20\n")
        self.write("answers/1.csv", irsa_answer([irsa_row(7, mjd, 18, 0.02) for mjd in times]))
        self.qsohost("--chain", self.write("chain.toml", CHAIN), "--run-dir", "run")
        table, header = read_table(self.folder / "run/times_ztf_lc.fits")
        np.testing.assert_array_equal(table["mjd_g"][0], times)
        np.testing.assert_array_equal(table["hjd_g"][0], np.array(times) + 2400000.5)
        self.assertEqual((header["TIMESYS"], header["MJDREF"]), ("UTC", 0))
        described = {name: header[f"TCOMM{n}"] for n, name in enumerate(table, 1) if name[1:4] == "jd_"}
        self.assertIn("MJD UTC", described["mjd_g"])
        self.assertIn("heliocentric Julian date", described["hjd_g"])
        # Any of these makes a column a time coordinate, and readers then add MJDREF to it.
        self.assertEqual([k for k in header if re.match(r"(TCTYP|TCUNI|TRPOS)\d", k)], [])


if __name__ == "__main__":
    unittest.main()
