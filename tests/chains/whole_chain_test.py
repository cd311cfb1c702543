"""The example of the whole chain on a simulated sky: its products fit together, with one another and
with the truth, whatever happened on the way."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

import numpy as np

from support import QSOHOST, ROOT, SKYSIM, ChainTest, read_table

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "skysim"))
from server import Server  # noqa: E402

CHAIN = ROOT / "examples/sdss-gaia-ztf-local.toml"
GAIA_TIMES = {"g": "g_transit_time", "bp": "bp_obs_time", "rp": "rp_obs_time"}


class WholeChain(ChainTest):
    def setUp(self):
        super().setUp()
        self.sky = self.folder / "sky"
        subprocess.run(
            [SKYSIM, "make", self.sky, "--sources", "250", "--seed", "3"],
            check=True, capture_output=True,
        )  # fmt: skip
        self.env = {"QSOHOST_SKY": str(self.sky)}

    def args(self, server, run_dir):
        return ["--chain", CHAIN, "--set", f"ztf.url={server.url}", "--set", "chain.batch_rows=40",
                "--run-dir", run_dir]  # fmt: skip

    def product(self, name, run_dir="run"):
        return read_table(self.folder / run_dir / f"quickstart_{name}.fits")[0]

    def test_products_are_row_aligned(self):
        with Server(self.sky) as server:
            self.qsohost(*self.args(server, "run"), env=self.env)
            self.check_rows()
            self.check_cleaning()
            self.check_score()
            self.check_after_kill(server)

    def check_rows(self):
        truth, _ = read_table(self.sky / "truth.fits")
        with_epochs = set(truth["source_id"][truth["has_gaia_epochs"]])
        targets = self.product("targets")["source_id"]
        self.assertEqual(set(targets), with_epochs & set(self.product("catalog")["source_id"]))
        self.assertEqual(list(self.product("gaia_lc")["source_id"]), list(targets))
        self.assertEqual(list(self.product("raw_ztf_lc")["source_id"]), list(targets))
        ids = self.product("matched_catalog")["source_id"]
        self.assertGreater(len(ids), 50)
        for name in ("matched_gaia_lc", "matched_ztf_lc", "cleaned_ztf_lc", "loo_ztf_g", "loo_ztf_r",
                     "loo_gaia_g", "loo_gaia_bp", "loo_gaia_rp", "loo_cleaned_ztf_lc",
                     "loo_cleaned_gaia_lc"):  # fmt: skip
            self.assertEqual(list(self.product(name)["source_id"]), list(ids), name)

    def check_cleaning(self):
        """What leave-one-out cleaning removed is exactly what is gone, light curve by light curve."""
        pairs = [("ztf_" + b, "cleaned_ztf_lc", "loo_cleaned_ztf_lc", "mjd_" + b) for b in "gr"]
        pairs += [("gaia_" + b, "matched_gaia_lc", "loo_cleaned_gaia_lc", GAIA_TIMES[b])
                  for b in GAIA_TIMES]  # fmt: skip
        removed_in_all = 0
        for curve, before, after, column in pairs:
            fits = self.product("loo_" + curve)
            for removed, was, left in zip(
                fits["removed_mjd"], self.product(before)[column], self.product(after)[column]
            ):
                gone = np.isin(was, removed)
                np.testing.assert_array_equal(np.asarray(was)[~gone], left, curve)
                self.assertEqual(len(left), len(was) - len(removed), curve)
                removed_in_all += len(removed)
        self.assertGreater(removed_in_all, 50)

    def check_score(self):
        """The same as numpy finds, for one light curve."""
        run = self.folder / "run"
        text = subprocess.run(
            [SKYSIM, "score", self.sky, run / "quickstart_loo_ztf_g.fits",
             "--curves", run / "quickstart_cleaned_ztf_lc.fits"],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        truth, _ = read_table(self.sky / "truth.fits")
        row_of = {s: i for i, s in enumerate(truth["source_id"])}
        fits = self.product("loo_ztf_g")
        curves = self.product("cleaned_ztf_lc")["mjd_g"]
        right = outliers = found = 0
        for source, removed, times in zip(fits["source_id"], fits["removed_mjd"], curves):
            i = row_of[source]
            here = np.isin(truth["outlier_time_ztf_g"][i], times)
            is_found = np.isin(truth["outlier_time_ztf_g"][i], removed) & here
            counts = truth["outlier_why_ztf_g"][i] != 4
            right += is_found.sum()
            outliers += (here & counts).sum()
            found += (is_found & counts).sum()
        removed = sum(map(len, fits["removed_mjd"]))
        words = re.search(r"(?m)^ztf\.g +all (.*)$", text)[1].split()
        self.assertEqual(int(words[1]), removed)
        self.assertEqual(words[2], f"{100 * right / removed:.1f}")
        self.assertEqual(int(words[4]), outliers)
        self.assertEqual(words[5], f"{100 * found / outliers:.1f}")
        self.assertGreater(found / outliers, 0.5)

        # Light curves without what was removed tell nothing of it.
        refused = subprocess.run(
            [SKYSIM, "score", self.sky, run / "quickstart_loo_ztf_g.fits",
             "--curves", run / "quickstart_loo_cleaned_ztf_lc.fits"],
            capture_output=True, text=True,
        )  # fmt: skip
        self.assertEqual(refused.returncode, 1)
        self.assertRegex(refused.stderr, r"loo_cleaned_ztf_lc\.fits: object \d+ has no epoch at .*'mjd_g'")
        self.assertIn("before ou-loo, not after drop-epochs", refused.stderr)

    def check_after_kill(self, server):
        for seconds in (0.15, 0.3, 0.6):
            process = subprocess.Popen(
                [QSOHOST, *map(str, self.args(server, "killed")), "--resume"],
                cwd=self.folder, env={**os.environ, **self.env},
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.qsohost(*self.args(server, "killed"), "--resume", env=self.env)
        self.assert_same_files(self.folder / "run", self.folder / "killed")


if __name__ == "__main__":
    unittest.main()
