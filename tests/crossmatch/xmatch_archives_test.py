"""xmatch on a simulated sky: the CDS and Gaia's archive, with their traps and faults, as skysim plays
them."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/skysim"), str(ROOT / "tests/support")]
from chains import SKYSIM, ChainTest, read_table
from server import Server

CHAIN = """
[chain]
name = "match"
[[stage]]
use = "{use}"
label = "match"
left = "{sky}/sdss_dr16q.fits"
radius_arcsec = 1.5
match = "nearest"
columns = ["sdss_name", "gaia.has_epoch_photometry", "ipd_frac_multi_peak", "Gmag", "phot_g_mean_mag"]
{options}
[[stage]]
use = "fits-sink"
what = "catalog"
"""
FAULTS = "429=0.05,503=0.05,reset=0.05,cut=0.05,empty=0.05,status=0.05,garbage=0.05,cut-at-line=0.05"
TRAPS = "xmatch-columns=0.3,html-502=0.05,html-200=0.05,pool-empty=0.05,null-500=0.05,see-other=0.2,booleans=t"
GAIA = ["has_epoch_photometry", "ipd_frac_multi_peak", "phot_g_mean_mag"]


class Archives(ChainTest):
    @classmethod
    def setUpClass(cls):
        cls.sky = pathlib.Path(tempfile.mkdtemp(prefix="qsohost-sky-"))
        cls.addClassCleanup(shutil.rmtree, cls.sky, True)
        subprocess.run([SKYSIM, "make", cls.sky, "--sources", "400", "--seed", "3"],
                       check=True, capture_output=True)  # fmt: skip

    def product(self, use, expect=0, more=("--restart",), **options):
        lines = "\n".join(f"{name} = {value!r}" for name, value in options.items())
        text = CHAIN.format(use=use, sky=self.sky, options=lines)
        chain = self.write(f"{use}.toml", text if use == "xmatch" else text.replace('"Gmag", ', ""))
        done = self.qsohost("--chain", chain, "--run-dir", use, *more, expect=expect)
        self.said = done.stdout + done.stderr
        return None if expect else read_table(self.folder / use / "match_catalog.fits")[0]

    def match(self, server, **options):
        return self.product("xmatch", url=server.url + "/xmatch/api/v1/sync", block_rows=60,
                            tap_url=server.url + "/tap-server/tap", **{"tap_columns": GAIA, **options})  # fmt: skip

    def check(self, got):
        there = self.product("fits-crossmatch", right=f"{self.sky}/gaia_source.fits")
        # The service compares positions of the year 2000.
        here, by_id = got["source_id"], {i: k for k, i in enumerate(there["source_id"].tolist())}
        self.assertGreater(len(here), 300)
        self.assertLess(len(set(here.tolist()) ^ set(by_id)), 5)
        self.assertEqual(here.tolist(), sorted(here.tolist()))
        rows = [(k, by_id[i]) for k, i in enumerate(here.tolist()) if i in by_id]
        k, j = map(list, zip(*rows))
        for name in GAIA:
            np.testing.assert_array_equal(got[name][k].astype(there[name].dtype), there[name][j], name)
        self.assertEqual(got["has_epoch_photometry"].dtype, there["has_epoch_photometry"].dtype)
        np.testing.assert_array_equal(got["sdss_name"][k], there["sdss_name"][j])
        np.testing.assert_allclose(got["match_separation"][k], there["match_separation"][j], atol=0.05)
        np.testing.assert_allclose(got["Gmag"], got["phot_g_mean_mag"], atol=1e-5)

    def test_polite(self):
        with Server(self.sky) as server:
            self.check(self.match(server))
            counts = server.status()["services"]
        xmatch, esa = counts["xmatch"], counts["esa"]
        self.assertEqual((xmatch["most in flight"], xmatch["requests after a 403"]), (1, 0))
        self.assertLessEqual(xmatch["most rows uploaded"], 60)
        self.assertEqual(xmatch.get("second jobs at a time", 0), 0)
        self.assertLessEqual(esa["most in flight"], 8)
        for service in (xmatch, esa):
            self.assertTrue(all(agent.startswith("qsohost/") for agent in service["user agents"]))

    def test_every_fault_and_trap(self):
        with Server(self.sky, "--faults", FAULTS, "--traps", TRAPS, "--time-scale", 100) as server:
            got = self.match(server)
            counts = server.status()["services"]["xmatch"]
        with Server(self.sky) as server:
            whole = self.match(server)
        for name in whole:
            np.testing.assert_array_equal(got[name], whole[name], name)
        self.check(got)
        self.assertEqual((counts["most in flight"], counts["requests after a 403"]), (1, 0))

    def test_no_request_after_a_ban(self):
        with Server(self.sky, "--traps", "xmatch-ban=0.3") as server:
            self.product("xmatch", expect=1, url=server.url + "/xmatch/api/v1/sync", block_rows=20)
            counts = server.status()["services"]["xmatch"]
        self.assertIn("HTTP 403", self.said)
        self.assertEqual(counts["requests after a 403"], 0)

    def test_a_column_that_gaia_does_not_have(self):
        with Server(self.sky) as server:
            self.product("xmatch", expect=1, url=server.url + "/xmatch/api/v1/sync",
                         tap_url=server.url + "/tap-server/tap", tap_columns=[*GAIA, "has_epoch_fotometry"])  # fmt: skip
        self.assertIn("tap_columns", self.said)
        self.assertIn("has_epoch_fotometry", self.said)


if __name__ == "__main__":
    unittest.main()
