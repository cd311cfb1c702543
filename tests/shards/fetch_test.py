"""Responses that are fetched first (--fetch-only) give, without a request, what one run gives."""

import signal
import time
import unittest

from support import CATALOGUE, CROSSMATCH, FAST, PRODUCTS, TAP, ZTF, Server, ShardTest, SOURCES


class Fetch(ShardTest):
    def fetched(self, *stages, count=3, faults=()):
        """Shards that fetch while the archives are there and compute when they are gone, against one run."""
        with Server(self.sky, *FAST, *faults) as server:
            self.chain(*stages, url=server.url)
            self.run_chain("c.run")
            for run in (runs := self.run_shards(count, "--fetch-only")):
                self.assertEqual(list((self.folder / run).glob("*.fits")), [])
        self.run_shards(count, "--resume", "--offline")
        self.assert_merged(runs)

    def test_light_curves(self):
        self.fetched(CATALOGUE, ZTF, PRODUCTS)

    def test_light_curves_by_hash(self):
        with Server(self.sky, *FAST) as server:
            self.chain(CATALOGUE, ZTF, PRODUCTS, url=server.url)
            self.run_chain("c.run")
            runs = self.run_shards(3, "--fetch-only", "--shard-by", "hash")
        self.run_shards(3, "--resume", "--offline", "--shard-by", "hash")
        self.assert_merged(runs)

    def test_a_source_that_sends_requests(self):
        self.fetched(CROSSMATCH, ZTF, PRODUCTS)

    def test_a_catalogue_from_tap_alone(self):
        self.fetched(TAP, PRODUCTS.split("[[stage]]")[0] + "[[stage]]" + PRODUCTS.split("[[stage]]")[1])

    def test_offline_needs_a_fetch(self):
        self.chain(CATALOGUE, ZTF, PRODUCTS)
        done = self.run_chain("c.run", "--offline", expect=2)
        self.assertIn("--fetch-only", done.stderr)
        self.chain(CATALOGUE, "\n[[stage]]\nuse = \"fits-sink\"\nlabel = \"catalog\"\n")
        done = self.run_chain("d", "--fetch-only", expect=2)
        self.assertIn("no stage of this chain sends requests", done.stderr)
        self.run_chain("d", "--offline")  # there is nothing to send

    def test_options_that_contradict(self):
        self.chain(CATALOGUE, ZTF, PRODUCTS)
        for args in (["--fetch-only", "--offline"], ["--fetch-only", "--dry-run", 3],
                     ["--offline", "--replay", "x"], ["--offline", "--restart"]):  # fmt: skip
            done = self.run_chain("c.run", *args, expect=2)
            self.assertIn(args[0], done.stderr)

    def test_a_fetch_that_is_killed_goes_on_and_asks_nothing_twice(self):
        with Server(self.sky, "--time-scale", 20) as server:
            self.chain(CATALOGUE, ZTF, PRODUCTS, url=server.url, rows=4)
            self.run_chain("c.run", "--set", "ztf.max_connections=2")
            whole = server.status()["light-curve requests"]
            for attempt in range(3):
                process = self.launch("--chain", "c.toml", "--run-dir", "d", "--fetch-only", "--resume",
                                      "--set", "ztf.max_connections=2")  # fmt: skip
                time.sleep(1)
                process.send_signal(signal.SIGKILL)
                process.wait()
            self.run_chain("d", "--fetch-only", "--resume", "--set", "ztf.max_connections=2")
            again = server.status()["light-curve requests"] - whole
            # Those under way when it was killed.
            self.assertLess(again, whole + 3 * 10)
            self.run_chain("d", "--fetch-only", "--resume", "--set", "ztf.max_connections=2")
            self.assertEqual(server.status()["light-curve requests"] - whole, again)
        self.run_chain("d", "--offline", "--resume", "--set", "ztf.max_connections=2")
        self.assert_same_files(self.folder / "c.run", self.folder / "d")

    def test_objects_that_failed_fail_offline_and_can_be_fetched_again(self):
        with Server(self.sky, *FAST) as server:
            self.chain(CATALOGUE, ZTF, PRODUCTS, url=server.url)
            self.run_chain("c.run")
            url = server.url
        # Nobody answers any more.
        quick = ["--set", "ztf.patience=1"]
        self.run_chain("d", "--fetch-only", *quick, expect=3)
        done = self.run_chain("d", "--resume", "--offline", *quick, expect=3)
        self.assertIn(f"{SOURCES} objects failed", done.stdout)
        with Server(self.sky, *FAST, "--port", url.rsplit(":")[-1]):
            self.run_chain("d", "--fetch-only", "--retry-failed", *quick)
        self.run_chain("d", "--resume", "--offline", *quick)
        self.assert_same_files(self.folder / "c.run", self.folder / "d")


if __name__ == "__main__":
    unittest.main()
