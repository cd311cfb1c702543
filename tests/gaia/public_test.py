"""gaia-epoch by TAP and DataLink gives what files of the same table give, whatever the archive does."""

import csv
import io
import pathlib
import sys
import unittest
import urllib.parse

import numpy as np
from support import GaiaTest, read_table, wait_until

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "skysim"))
from server import Server  # noqa: E402

PATHS = {"aip": "/aip/tap", "vizier": "/TAPVizieR/tap", "datalink": "/data-server/data"}
WAITS = "confirm_after = 0.02\nids_per_request = 5\ntimeout = 3\nmax_attempts = 20"
TRAPS = {
    "aip": "booleans=t,aip-id=datalinkID,html-502=0.05,html-200=0.05,pool-empty=0.05,null-500=0.05,see-other=0.3",
    "vizier": "booleans=True,html-502=0.05,html-200=0.05,pool-empty=0.05,null-500=0.05,see-other=0.3",
    "datalink": "html-502=0.05,null-500=0.05,zip-cut=0.1,zip-stored=0.3,wrong-member=0.1,missing-member=0.1,structures=new",
}


class Public(GaiaTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        table, _ = read_table(cls.sky / "gaia_epoch.fits")
        ids, counts = np.unique(table["source_id"], return_counts=True)
        cls.split = {int(i) for i in ids[counts > 1]}  # in two rows; DataLink has one of them

    def archive(self, road, url, more=WAITS, release="Gaia DR3"):
        kind = "datalink" if road == "datalink" else f'tap"\nvia = "{road}'
        return f'archive = "{kind}"\nurl = "{url}{PATHS[road]}"\nrelease = "{release}"\n{more}'

    def chain(self, *args, **options):
        path = super().chain(*args, **options)
        path.write_text(path.read_text().replace('columns = ["transit_id"]\n', ""))
        return path

    def product(self, name, archive, *args, **options):
        chain = self.chain(archive, f"{name}.toml", **options)
        self.qsohost("--chain", chain, "--run-dir", name, *args)
        return read_table(self.folder / name / "gaia_gaia_lc.fits")[0]

    def truth(self):
        return self.product("files", self.files())

    def assert_equal(self, product, truth, road):
        missing = set(truth) - set(product)
        self.assertEqual(len(missing), 4 if road == "vizier" else 0, missing)
        for name in set(product) - {"source_id"}:
            for k, (found, wanted) in enumerate(zip(product[name], truth[name])):
                if road == "datalink" and int(truth["source_id"][k]) in self.split:
                    continue
                self.assertEqual(np.asarray(found).tobytes(), np.asarray(wanted).tobytes(), f"{name}, row {k}")

    def service(self, server, road):
        return server.status()["services"][road]

    def assert_polite(self, server, road):
        counts = self.service(server, road)
        self.assertLessEqual(counts["most in flight"], 8)
        self.assertTrue(all(agent.startswith("qsohost/") for agent in counts["user agents"]))
        self.assertLess(counts.get("longest GET", 0), 4096)
        self.assertLessEqual(counts.get("most ids in a request", 0), 5000)
        self.assertEqual(counts.get("requests without RELEASE", 0), 0)

    def test_every_road_gives_what_files_give(self):
        truth = self.truth()
        for road in PATHS:
            with self.subTest(road), Server(self.sky) as server:
                product = self.product(road, self.archive(road, server.url))
                self.assert_equal(product, truth, road)
                self.assert_outcomes(self.folder / road)
                self.assert_polite(server, road)

    def test_dr4_gives_what_dr3_gives(self):
        truth = self.truth()
        with Server(self.sky, "--gaia-release", "dr4") as server:
            adql = "SELECT dr3_source_id, dr4_source_id FROM gaiadr4.dr3_neighbourhood"
            form = {"REQUEST": "doQuery", "LANG": "ADQL", "FORMAT": "csv", "QUERY": adql}
            answer = server.get("/tap-server/tap/sync", data=urllib.parse.urlencode(form).encode())[2]
            rows = csv.DictReader(io.StringIO(answer.decode()))
            of = {int(row["dr3_source_id"]): int(row["dr4_source_id"]) for row in rows}
            catalog = self.write("dr4.csv", "source_id,ra,dec\n" + "".join(f"{of[i]},1,1\n" for i in self.catalog))
            for road in ("aip", "datalink"):
                with self.subTest(road):
                    archive = self.archive(road, server.url, release="Gaia DR4")
                    product = self.product(f"dr4-{road}", archive, catalog=catalog)
                    self.assertEqual([int(i) for i in product["source_id"]], [of[i] for i in self.catalog])
                    self.assert_equal(product, truth, road)
                    found = self.outcomes(self.folder / f"dr4-{road}")
                    self.assertEqual({i for i in self.catalog if found[of[i]][0] == 0}, set(self.rows))

    def test_faults_and_traps_change_nothing(self):
        truth = self.truth()
        for road, traps in TRAPS.items():
            with self.subTest(road):
                options = ("--traps", traps, "--faults", "all=0.05", "--time-scale", "100")
                with Server(self.sky, *options) as server:
                    product = self.product(f"faults-{road}", self.archive(road, server.url))
                    self.assert_equal(product, truth, road)
                    self.assert_outcomes(self.folder / f"faults-{road}")
                    self.assert_polite(server, road)

    def test_a_poisoned_source_costs_only_itself(self):
        with Server(self.sky, "--traps", "poisoned-id=0.05") as server:
            chain = self.chain(self.archive("datalink", server.url, WAITS.replace("20", "2")))
            self.qsohost("--chain", chain, "--run-dir", "poisoned", expect=3)
            outcomes = self.outcomes(self.folder / "poisoned")
        failed = {i for i, (outcome, _) in outcomes.items() if outcome == 2}
        self.assertTrue(0 < len(failed) < 0.15 * len(outcomes))
        for source, (outcome, reason) in outcomes.items():
            if source not in failed:
                self.assertEqual(outcome, 0 if source in self.rows else 1, reason)
            else:
                self.assertIn("DataLink", reason)

    def test_killed_and_resumed(self):
        truth = self.truth()
        for road in PATHS:
            with self.subTest(road), Server(self.sky) as server:
                more = WAITS.replace("ids_per_request = 5", "ids_per_request = 1")
                chain = self.chain(self.archive(road, server.url, more), f"kill-{road}.toml", batch_rows=200)
                run = self.folder / f"kill-{road}"
                process = self.launch("--chain", chain, "--run-dir", run)
                wait_until(lambda: self.service(server, road)["requests"] >= 20, "some answers", process)
                process.kill()
                process.wait()
                before = self.service(server, road)["requests"]
                self.assertTrue(before < 800)
                self.qsohost("--chain", chain, "--run-dir", run, "--resume")
                product = read_table(run / "gaia_gaia_lc.fits")[0]
                self.assert_equal(product, truth, road)
                self.assert_outcomes(run)
                counts = self.answers(run)
                self.assertGreater(counts, 0, "no answer was kept")

    def answers(self, run):
        """Answers that a run had from an earlier attempt."""
        done = self.qsohost("status", run)
        lines = [line for line in done.stdout.splitlines() if "stored before" in line]
        return len(lines)

    def test_says_which_release_and_how_long(self):
        with Server(self.sky) as server:
            chain = self.chain(self.archive("datalink", server.url))
            done = self.qsohost("--chain", chain, "--run-dir", "said")
            self.assertIn("DataLink sends about 1 source a second", done.stderr + done.stdout)
            self.assertIn(f"{len(self.catalog)} sources: about", done.stderr + done.stdout)
        header = read_table(self.folder / "said/gaia_gaia_lc.fits")[1]
        self.assertIn("Gaia DR3", str(header["HISTORY"]))

    def test_roads_that_there_are_not(self):
        for archive, message in (
            ('archive = "tap"\nvia = "esa"', "ESA's TAP has no epoch_photometry"),
            ('archive = "tap"\nvia = "vizier"\nrelease = "Gaia DR4"', "is of Gaia DR3"),
            ('archive = "datalink"\nrelease = "Gaia DR2"', "Gaia DR3"),
            ('archive = "datalink"\nvia = "aip"', "via"),
        ):
            with self.subTest(archive):
                done = self.qsohost("--chain", self.chain(archive), "--check", expect=2)
                self.assertIn(message, done.stderr + done.stdout)


if __name__ == "__main__":
    unittest.main()
