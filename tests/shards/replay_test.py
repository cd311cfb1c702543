"""What each archive answers is stored by shards that fetch, and computed from without a request."""

import sqlite3
import unittest

from support import CATALOGUE, CROSSMATCH, FAST, TAP, Server, ShardTest

COUNT = 3
GAIA = """
[[stage]]
use = "catalog-source"
label = "source"
path = "{sky}/gaia_source.fits"
[[stage]]
use = "gaia-epoch"
label = "fetch"
confirm_after = 0.02
ids_per_request = 5
"""
AIP = GAIA + 'archive = "tap"\nvia = "aip"\nurl = "{url}/aip/tap"\n'
DATALINK = GAIA + 'archive = "datalink"\nurl = "{url}/data-server/data"\n'
NEOWISE = """
[[stage]]
use = "neowise"
label = "fetch"
url = "{url}/TAP"
confirm_after = 0.05
"""
ATLAS = """
[[stage]]
use = "atlas"
label = "fetch"
url = "{url}/forcedphot"
token = "file:token"
poll = 0.05
"""
PRODUCT = """
[[stage]]
use = "fits-sink"
label = "product"
what = "{what}"
"""


class Replay(ShardTest):
    SKY = ("--atlas", "--neowise")

    def setUp(self):
        super().setUp()
        self.write("token", "skysim-atlas-token")

    def empty(self, run):
        with sqlite3.connect(self.folder / run / ".qsohost/run.db") as db:
            self.assertGreater(db.execute("DELETE FROM answer").rowcount, 0)

    def replayed(self, *stages, what, missing):
        """`missing`: exit code of an offline run that lacks the answers, and what it says."""
        with Server(self.sky, *FAST) as server:
            self.chain(*stages, PRODUCT.replace("{what}", what), url=server.url)
            self.run_chain("c.run")
            runs = self.run_shards(COUNT, "--fetch-only")
            self.run_chain("lost", "--fetch-only")
            self.empty("lost")
            asked = server.status()
            self.run_shards(COUNT, "--resume", "--offline")
            self.assert_merged(runs)
            never = self.run_chain("never", "--offline", expect=2)
            self.assertIn("the responses of the archives are not all in run directory", never.stderr)
            code, says = missing
            lost = self.run_chain("lost", "--resume", "--offline", expect=code)
            self.assertIn(says, lost.stdout + lost.stderr)
            self.assertEqual(server.status(), asked)  # not a single request

    FETCHER = (3, "no response to this request is stored")
    SOURCE = (1, "no response to this request is stored")

    def test_gaia_by_tap(self):
        self.replayed(AIP, what="gaia", missing=self.FETCHER)

    def test_gaia_by_datalink(self):
        self.replayed(DATALINK, what="gaia", missing=self.FETCHER)

    def test_neowise(self):
        self.replayed(CATALOGUE, NEOWISE, what="neowise", missing=self.FETCHER)

    def test_atlas(self):
        self.replayed(CATALOGUE, ATLAS, what="atlas", missing=self.FETCHER)

    def test_cross_match(self):
        self.replayed(CROSSMATCH, what="catalog", missing=self.SOURCE)

    def test_catalogue_by_tap(self):
        self.replayed(TAP, what="catalog", missing=self.SOURCE)


if __name__ == "__main__":
    unittest.main()
