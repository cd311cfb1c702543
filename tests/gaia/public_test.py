"""gaia-epoch by TAP and DataLink gives what files of the same table give, whatever the archive does."""

import contextlib
import csv
import http.server
import io
import pathlib
import sqlite3
import sys
import threading
import unittest
import urllib.error
import urllib.parse
import urllib.request
import warnings
import zipfile

import numpy as np
from astropy.table import Table
from support import ARRAYS, FLAGS, SHARED, GaiaTest, flags, read_table, wait_until

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "skysim"))
from server import Server  # noqa: E402

PATHS = {"aip": "/aip/tap", "vizier": "/TAPVizieR/tap", "datalink": "/data-server/data"}
WAITS = "confirm_after = 0.02\nids_per_request = 5\ntimeout = 60\nmax_attempts = 20"
QUICK = WAITS.replace("timeout = 60", "timeout = 3")  # a drip is given up
TRAPS = {
    "aip": "booleans=t,aip-id=datalinkID,html-502=0.05,html-200=0.05,pool-empty=0.05,null-500=0.05,see-other=0.3",
    "vizier": "booleans=True,html-502=0.05,html-200=0.05,pool-empty=0.05,null-500=0.05,see-other=0.3",
    "datalink": "html-502=0.05,null-500=0.05,zip-cut=0.1,zip-stored=0.3,wrong-member=0.1,missing-member=0.1,structures=new",
}


class Between:
    """A server between the program and `url`; `change(path, body)` makes of each answer another. Without
    `url`, its answers are what `change` gives, or 404."""

    def __init__(self, url, change):
        between = self
        self.changed = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, body = (200, None) if url is None else self.ask(data)
                other = change(self.path, body)
                between.changed += other != body
                if other is None:
                    status, other = 404, b"nothing here"
                self.send_response(status)
                self.send_header("Content-Length", str(len(other)))
                self.end_headers()
                self.wfile.write(other)

            def ask(self, data):
                request = urllib.request.Request(url + self.path, data=data)
                try:
                    with urllib.request.urlopen(request, timeout=60) as answer:
                        return answer.status, answer.read()
                except urllib.error.HTTPError as error:
                    return error.code, error.read()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def cut_after(rows):
    return lambda _, body: b"".join(body.splitlines(keepends=True)[:rows + 1])


class Public(GaiaTest):
    SOURCES = 60

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
                options = ("--traps", traps, "--faults", "all=0.05,400=0.01", "--time-scale", "100")
                with Server(self.sky, *options) as server:
                    product = self.product(f"faults-{road}", self.archive(road, server.url, QUICK))
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
                wait_until(lambda: self.stored(run) >= 10, "some answers", process)
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

    def stored(self, run):
        """Answers that are kept for a resumed run."""
        if not (run / ".qsohost/run.db").exists():
            return 0
        with contextlib.closing(sqlite3.connect(run / ".qsohost/run.db")) as db:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'answer'").fetchone():
                return 0
            return db.execute("SELECT count(*) FROM answer").fetchone()[0]

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
        self.assertTrue(header["TCOMM2"].startswith("Gaia DR3: time"), header["TCOMM2"])
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

    def test_answers_that_are_cut_without_a_sign_are_not_whole(self):
        """Of VizieR's rows, sync gives the first 200 of each answer, and some lists have a thousand."""
        truth = self.truth()
        with Server(self.sky) as server, Between(server.url, cut_after(200)) as between:
            more = WAITS.replace("ids_per_request = 5", "ids_per_request = 40")
            product = self.product("cut", self.archive("vizier", between.url, more))
            self.assertGreater(between.changed, 0)
        self.assert_equal(product, truth, "vizier")
        self.assert_outcomes(self.folder / "cut")

    def test_a_source_that_no_answer_has_whole_is_unsettled(self):
        with Server(self.sky) as server, Between(server.url, cut_after(20)) as between:
            chain = self.chain(self.archive("vizier", between.url))
            self.qsohost("--chain", chain, "--run-dir", "never", expect=3)
        outcomes = self.outcomes(self.folder / "never")
        for source, row in self.rows.items():
            self.assertEqual(outcomes[source][0], 2 if len(row["g_transit_mag"]) > 20 else 0)


class Recorded(GaiaTest):
    """Real answers of ESA's archive, through the whole program, beside what astropy reads."""

    SOURCES = 1
    VOTABLE = SHARED / "archives/gaia/epoch_photometry_dr3_individual.vot"
    ROWS = SHARED / "gaia/gaia_datalink_raw_rows.csv"

    def assert_read(self, name, source, body, table):
        def answer(path, _):
            return body if path == "/data-server/data" else None

        with Between(None, answer) as between:
            catalog = self.write(f"{name}.csv", f"source_id,ra,dec\n{source},1,1\n")
            chain = self.chain(f'archive = "datalink"\nurl = "{between.url}/data-server/data"', catalog=catalog)
            self.qsohost("--chain", chain, "--run-dir", name)
        product = read_table(self.folder / name / "gaia_gaia_lc.fits")[0]
        names = ARRAYS + [f for f in FLAGS if f.startswith("variability")]
        for column in names:
            wanted = table[column].filled(np.nan) if column in ARRAYS else table[column]
            found = product[column][0]
            np.testing.assert_array_equal(found if column in ARRAYS else flags(found), wanted, column)
        self.assertGreater(len(table), 1)

    @unittest.skipUnless(VOTABLE.exists(), f"no {VOTABLE}")
    def test_votable(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # units as ESA spells them
            table = Table.read(self.VOTABLE, format="votable")
        table = Table(table, masked=True)
        body = self.VOTABLE.read_bytes()
        self.assert_read("bare", 1457486023639239296, body, table)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.writestr("EPOCH_PHOTOMETRY-Gaia DR3 1457486023639239296.xml", body)
        self.assert_read("zipped", 1457486023639239296, out.getvalue(), table)

    @unittest.skipUnless(ROWS.exists(), f"no {ROWS}")
    def test_csv(self):
        table = Table(Table.read(self.ROWS, format="ascii.csv", fast_reader=False), masked=True)
        for column in FLAGS:
            if column in table.colnames:
                table[column] = [str(value).lower() == "true" for value in table[column]]
        source = int(table["source_id"][0])
        table = table[table["source_id"] == source]
        lines = self.ROWS.read_text().splitlines()
        body = "".join(line + "\n" for line in lines if not line[0].isdigit() or f",{source}," in line)
        self.assert_read("csv", source, body.encode(), table)


if __name__ == "__main__":
    unittest.main()
