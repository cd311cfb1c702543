"""An archive that is faulty, or takes only so much: every source is right all the same."""

import time
import unittest

from support import FAST, IrsaTest, asked_of, read_product
from server import Server  # found through support

EVERY_FAULT = "429=0.05,503=0.05,reset=0.05,cut=0.05,empty=0.05,status=0.05,garbage=0.05,drip=0.05"


class Faults(IrsaTest):
    def test_products_are_right_whatever_fails(self):
        for way in ("position", "ids"):
            with self.subTest(way), Server(self.sky, "--faults", EVERY_FAULT, *FAST) as server:
                chain = self.chain("faults_" + way, server.url, query_by=way, rows=50, timeout=2,
                                   ids_per_request=20)  # fmt: skip
                run = self.qsohost(chain)
                counts = server.status()
                self.assert_right(run)
                if way == "position":
                    for fault in ("429", "503", "reset", "cut", "status", "garbage", "drip"):
                        self.assertGreater(counts.get("fault " + fault, 0), 0)
                    self.assertGreater(counts["wrong empty answers"], 0)

    def test_responses_cut_at_a_line_end_are_not_believed(self):
        """Every fourth answer looks whole and is not."""
        for way, more in (("position", {}), ("ids", {"ids_per_request": 20}),
                           ("ids", {"ids_per_request": 20, "bad_catflags_mask": 16384})):  # fmt: skip
            with self.subTest(way, **more), Server(self.sky, "--faults", "cut-at-line=0.25") as server:
                chain = self.chain(f"lines_{way}_{len(more)}", server.url, query_by=way, rows=50, **more)
                run = self.qsohost(chain)
                self.assertGreater(server.status()["fault cut-at-line"], 3)
            if "bad_catflags_mask" not in more:
                self.assert_right(run)
                continue
            product, _ = read_product(run / "ztf.fits")
            for i in range(self.objects):
                keep = (self.truth["catflags_r"][i] & 16384) == 0
                self.assertEqual(list(product["mjd_r"][i]), list(self.truth["mjd_r"][i][keep]))

    def test_a_throttled_archive_is_not_overloaded(self):
        for way in ("position", "ids"):
            with self.subTest(way), Server(self.sky, "--throttle", "irsa", *FAST) as server:
                begin = time.monotonic()
                run = self.qsohost(self.chain("load_" + way, server.url, query_by=way, ids_per_request=50))
                seconds = time.monotonic() - begin
                counts = server.status()
            self.assert_right(run)
            self.assertLess(counts["most in flight"], 16)
            print(f"{way}: {seconds:.1f} s, {asked_of(counts)} requests, {counts['most in flight']} at "
                  f"most in flight, {counts.get('time-outs', 0)} time-outs,", end=" ")  # fmt: skip

    def test_failed_jobs_are_created_again(self):
        with Server(self.sky, "--faults", "job=0.5") as server:
            chain = self.chain("jobs", server.url, query_by="auto", rows=4000)
            run = self.qsohost(chain, "--set", f"catalog.path={self.many_targets()}")
            self.assertEqual(self.ztf(run)["matched"], 4 * self.found)


if __name__ == "__main__":
    unittest.main()
