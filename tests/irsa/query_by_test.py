"""Both ways of asking the archive, what they cost, and what run.db and the product say afterwards."""

import subprocess
import unittest

import numpy as np

from support import QSOHOST, IrsaTest, read_product
from server import Server  # found through support


class QueryBy(IrsaTest):
    def test_by_ids_gives_the_same_products_with_far_fewer_requests(self):
        asked = {}
        for way in ("position", "ids"):
            with Server(self.sky) as server:
                run = self.qsohost(self.chain(way, server.url, query_by=way))
                counts = server.status()
            self.assert_right(run)
            asked[way] = counts["light-curve requests"] + counts["services"]["irsa"].get("sync requests", 0)
            counted = {c["what"]: c["n"] for c in self.ztf(run)["counts"] if c["item"].startswith("127.")}
            self.assertEqual(counted["requests"], asked[way])
            if way == "position":
                empty = self.objects - self.found
                self.assertEqual(counts["light-curve requests"], self.objects + 4 * empty)
            else:
                self.assertNotIn("positions asked", counts)
                self.assertEqual(counts["objects"], counts["ids asked"])
        # Everything but the options in the history, and so the checksums.
        one, _ = read_product(self.folder / "position/ztf.fits")
        two, header = read_product(self.folder / "ids/ztf.fits")
        self.assertEqual(header["NAXIS2"], self.objects)
        for name in one:
            for a, b in zip(one[name], two[name]):
                np.testing.assert_array_equal(a, b)
        self.assertIn('collection = "ztf_dr24"', "".join(header["HISTORY"]))
        self.assertGreaterEqual(asked["position"], 20 * asked["ids"])
        print(asked, end=" ")

    def test_many_positions_go_as_a_job(self):
        with Server(self.sky) as server:
            chain = self.chain("job", server.url, rows=4000, query_by="ids")
            run = self.qsohost(chain, "--set", f"catalog.path={self.many_targets()}")
            counts = server.status()
        self.assertGreaterEqual(counts["services"]["irsa"]["jobs"], 1)
        self.assertEqual(self.ztf(run)["matched"], 4 * self.found)
        product, _ = read_product(run / "ztf.fits")
        for k in range(4):
            for i in range(self.objects):
                wanted = list(self.truth["mjd_r"][i])
                self.assertEqual(list(product["mjd_r"][k * self.objects + i]), wanted)

    def test_bands_and_flags_are_left_to_the_archive(self):
        products = []
        for way in ("position", "ids"):
            with Server(self.sky) as server:
                chain = self.chain("filtered_" + way, server.url, query_by=way, bands=["g", "r"],
                                   bad_catflags_mask=32768, confirmations=2)  # fmt: skip
                products.append(read_product(self.qsohost(chain) / "ztf.fits")[0])
        self.assertEqual(len(products[0]), 19)
        for product in products:
            for i in range(self.objects):
                keep = (self.truth["catflags_g"][i] & 32768) == 0
                self.assertEqual(list(product["mjd_g"][i]), list(self.truth["mjd_g"][i][keep]))

    def test_auto_falls_back_to_positions_without_the_table(self):
        with Server(self.sky) as server:
            chain = self.chain("auto", server.url, objects_table="ztf_objects_dr99")
            self.assert_right(self.qsohost(chain))
        self.assertIn("ztf_objects_dr99 cannot be asked", chain.with_suffix(".log").read_text())

    def test_status_shows_a_finished_run(self):
        with Server(self.sky) as server:
            run = self.qsohost(self.chain("status", server.url, rows=60))
        text = self.status(run)
        self.assertIn("chain irsa, finished", text)
        self.assertIn(f"{self.objects} of {self.objects} objects (100.0 %)", text)
        found = [line.split("\t") for line in self.status(run, "--matched").splitlines()[1:]]
        self.assertEqual(len(found), self.found)
        row = {str(n): i for i, n in enumerate(self.truth["source_id"])}
        for source, stage, state, attempts, when, what in found:
            self.assertEqual((stage, state, attempts), ("ztf", "matched", "1"))
            self.assertRegex(when, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
            i = row[source]
            bands = [f"{b} {len(self.truth[f'mjd_{b}'][i])}" for b in "gri" if len(self.truth[f"mjd_{b}"][i])]
            self.assertTrue(what.startswith(", ".join(bands) + "; oids "), what)
        missing = self.status(run, "--not-found", "--json")
        self.assertEqual(len(missing), self.objects - self.found)
        self.assertEqual(self.status(run, "--failed", "--json"), [])

    def test_status_refuses_what_is_no_run(self):
        other = self.folder / "other"
        other.mkdir()
        for text in (None, "no database\n"):
            if text:
                (other / ".qsohost").mkdir()
                (other / ".qsohost/run.db").write_text(text)
            done = subprocess.run([QSOHOST, "status", other], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 1 if text else 2)
            self.assertIn("run.db", done.stderr)
            self.assertIn(str(other), done.stderr)


if __name__ == "__main__":
    unittest.main()
