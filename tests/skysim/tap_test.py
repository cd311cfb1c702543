"""The TAP services of `skysim serve`: what each archive does in its own way, and the traps."""

import csv
import gzip
import http.client
import io
import time
import unittest
import urllib.parse

import numpy as np
from astropy.table import Table

from server import Server
from support import SkyTest, read_table, skysim

ESA, AIP, VIZIER, IRSA = "/tap-server/tap", "/aip/tap", "/TAPVizieR/tap", "/TAP"
SOURCES = "SELECT source_id, ra FROM gaiadr3.gaia_source ORDER BY source_id"


class TapTest(SkyTest):
    MAKE = ("--sources", "450", "--seed", "7", "--neowise")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gaia, _ = read_table(cls.sky / "gaia_source.fits")
        cls.epochs, _ = read_table(cls.sky / "gaia_epoch.fits")
        cls.neowise, _ = read_table(cls.sky / "neowise.fits")

    def ask(self, server, base, query, form="csv", **more):
        data = urllib.parse.urlencode({"LANG": "ADQL", "FORMAT": form, "QUERY": query, **more})
        return server.get(base + "/sync", data=data.encode())

    def rows(self, server, base, query, **more):
        status, _, body = self.ask(server, base, query, **more)
        self.assertEqual(status, 200, body[:500])
        return list(csv.DictReader(io.StringIO(body.decode())))

    def job(self, server, base, query, **more):
        """Path of a new job."""
        data = urllib.parse.urlencode({"LANG": "ADQL", "FORMAT": "csv", "QUERY": query, **more})
        headers = self.no_redirect(server, "POST", base + "/async", data)[1]
        return headers["Location"].replace(server.url, "")

    def no_redirect(self, server, method, path, data=None):
        connection = http.client.HTTPConnection(server.url.split("//")[1], timeout=60)
        connection.request(method, path, data, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, answer.headers, body

    def finish(self, server, job):
        for _ in range(3000):
            phase = server.get(job + "/phase")[2].decode()
            if phase not in ("PENDING", "QUEUED", "EXECUTING"):
                return phase
            time.sleep(0.02)
        self.fail(phase)


class Archives(TapTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(Server(cls.sky))

    def test_esa_cuts_sync_without_a_sign(self):
        status, headers, body = self.ask(self.server, ESA, SOURCES)
        self.assertEqual(status, 200)
        self.assertGreater(len(self.gaia), 2000)
        self.assertEqual(body.count(b"\n"), 2001)
        self.assertNotIn(b"OVERFLOW", body)
        body = self.ask(self.server, ESA, SOURCES, form="votable_plain")[2]
        self.assertIn(b'value="OVERFLOW"', body)
        job = self.job(self.server, ESA, SOURCES, PHASE="RUN")
        self.assertEqual(self.finish(self.server, job), "COMPLETED")
        status, headers, _ = self.no_redirect(self.server, "GET", job + "/results/result")
        self.assertEqual(status, 303)
        body = self.server.get(headers["Location"].replace(self.server.url, ""))[2]
        self.assertEqual(body.count(b"\n"), 1 + len(self.gaia))

    def test_esa_compresses_votables_and_quotes_booleans(self):
        _, headers, body = self.ask(self.server, ESA, "SELECT TOP 9 * FROM gaiadr3.gaia_source", form="votable")
        self.assertEqual(headers["Content-Encoding"], "gzip")
        table = Table.read(io.BytesIO(gzip.decompress(body)), format="votable")
        self.assertEqual(table.colnames, self.gaia.colnames)
        body = self.ask(self.server, ESA, "SELECT has_epoch_photometry FROM gaiadr3.gaia_source")[2]
        self.assertEqual({*body.splitlines()[1:]}, {b'"True"', b'"False"'})

    def test_esa_has_no_epoch_photometry(self):
        status, _, body = self.ask(self.server, ESA, "SELECT source_id FROM gaiadr3.epoch_photometry")
        self.assertEqual(status, 400)
        self.assertIn(b"epoch_photometry [l.1 c.31", body)

    def test_aip_puts_arrays_into_cells(self):
        ids = ",".join(str(i) for i in self.epochs["source_id"][:50])
        rows = self.rows(self.server, AIP, "SELECT source_id, g_transit_time, bp_flux, variability_flag_g_reject "
                         f"FROM gaiadr3.epoch_photometry WHERE source_id IN ({ids})")  # fmt: skip
        wanted = {int(r["source_id"]): r for r in self.epochs[:50]}
        for row in rows:
            values = wanted[int(row["source_id"])]
            for name in ("g_transit_time", "bp_flux"):
                self.assertRegex(row[name], r"^\[.*\]$")
                numbers = [float(x) for x in row[name][1:-1].split(", ")]
                np.testing.assert_array_equal(numbers, values[name])
            flags = [x == "True" for x in row["variability_flag_g_reject"][1:-1].split(", ")]
            self.assertEqual(flags, list(values["variability_flag_g_reject"] == ord("T")))
        self.assertEqual(len(rows), 50)

    def test_aip_starts_jobs_by_phase_only(self):
        query = "SELECT source_id FROM gaiadr3.epoch_photometry"
        data = urllib.parse.urlencode({"QUERY": query, "PHASE": "RUN", "FORMAT": "csv"})
        status, headers, _ = self.no_redirect(self.server, "POST", AIP + "/async", data)
        self.assertEqual(status, 303)
        job = headers["Location"]
        self.assertTrue(job.startswith("/aip/tap/async/"), job)
        time.sleep(0.5)
        self.assertEqual(self.server.get(job + "/phase")[2], b"PENDING")
        self.no_redirect(self.server, "POST", job + "/phase", "PHASE=RUN")
        self.assertEqual(self.finish(self.server, job), "COMPLETED")
        self.assertEqual(self.server.get(job + "/results/result")[2].count(b"\n"), 1 + len(self.epochs))
        status, _, body = self.ask(self.server, AIP, "SELECT nothing FROM gaiadr3.gaia_source")
        self.assertIn(b"<b>Message: </b>", body)

    def test_vizier_has_a_row_for_each_transit(self):
        one = self.epochs[3]
        rows = self.rows(self.server, VIZIER, f'SELECT * FROM "I/355/epphot" WHERE Source = {one["source_id"]}')
        self.assertEqual(len(rows), len(one["g_transit_time"]))
        np.testing.assert_array_equal([float(r["TimeG"]) for r in rows], one["g_transit_time"])
        np.testing.assert_array_equal([float(r["FBP"] or "nan") for r in rows], one["bp_flux"])
        query = 'SELECT TOP 1 Source FROM "I/355/gaiadr3"'
        self.assertNotEqual(*(self.ask(self.server, VIZIER, query, form="votable")[2] for _ in range(2)))

    def test_a_list_of_ids_may_be_long(self):
        ids = list(self.gaia["source_id"]) + [10**18 + i for i in range(3000)]
        query = f"SELECT COUNT(*) AS n FROM gaiadr3.gaia_source WHERE source_id IN ({','.join(map(str, ids))})"
        self.assertGreater(len(query), 60_000)
        self.assertEqual(self.rows(self.server, ESA, query), [{"n": str(len(self.gaia))}])

    def test_irsa_writes_null_and_has_neowise(self):
        rows = self.rows(self.server, IRSA, "SELECT * FROM neowiser_p1bs_psd ORDER BY cntr")
        self.assertEqual(len(rows), len(self.neowise))
        for name in ("mjd", "w1mpro", "w2sigmpro"):
            values = [np.nan if r[name] == "null" else float(r[name]) for r in rows]
            np.testing.assert_array_equal(values, np.ma.filled(self.neowise[name], np.nan))
        self.assertIn("null", {r["w2sigmpro"] for r in rows})
        query = "SELECT mjd, w2sigmpro, cc_flags FROM neowiser_p1bs_psd WHERE w2sigmpro IS NULL"
        body = self.ask(self.server, IRSA, query, form="ipac_table")[2].decode()
        self.assertTrue(all(x is np.ma.masked for x in Table.read(body, format="ascii.ipac")["w2sigmpro"]))
        one = self.neowise[7]
        cone = ("SELECT cntr FROM neowiser_p1bs_psd WHERE CONTAINS(POINT('ICRS',ra,dec),"
                f"CIRCLE('ICRS',{one['ra']},{one['dec']},0.000833))=1")  # fmt: skip
        found = {int(r["cntr"]) for r in self.rows(self.server, IRSA, cone)}
        self.assertLessEqual(found, set(self.neowise["cntr"][self.neowise["allwise_cntr"] == one["allwise_cntr"]]))
        self.assertIn(one["cntr"], found)

    def test_a_job_is_followed_and_deleted(self):
        job = self.job(self.server, VIZIER, 'SELECT COUNT(*) AS n FROM "I/355/gaiadr3"')
        self.assertIn(b"<uws:phase>PENDING</uws:phase>", self.server.get(job)[2])
        self.assertIn(job.rsplit("/", 1)[1].encode(), self.server.get(VIZIER + "/async")[2])
        self.assertIn(b"COUNT(*)", self.server.get(job + "/parameters")[2])
        self.no_redirect(self.server, "POST", job + "/destruction", "DESTRUCTION=2030-01-01T00:00:00Z")
        self.assertEqual(self.server.get(job + "/destruction")[2], b"2030-01-01T00:00:00Z")
        self.no_redirect(self.server, "POST", job + "/phase", "PHASE=RUN")
        while b"COMPLETED" not in (document := self.server.get(job + "?WAIT=10")[2]):
            self.assertNotIn(b"ERROR", document)
        self.assertIn((job + "/results/result").encode(), document)
        self.assertEqual(self.server.get(job + "/results/result")[2].split(), [b"n", str(len(self.gaia)).encode()])
        self.assertEqual(self.no_redirect(self.server, "POST", job, "ACTION=DELETE")[0], 303)
        self.assertEqual(self.server.get(job)[0], 404)
        job = self.job(self.server, VIZIER, 'SELECT Source FROM "I/355/gaiadr3"')
        self.no_redirect(self.server, "POST", job + "/phase", "PHASE=ABORT")
        self.assertEqual(self.server.get(job + "/phase")[2], b"ABORTED")
        self.server.get(job, method="DELETE")
        self.assertEqual(self.server.get(job)[0], 404)

    def test_the_server_counts_what_clients_do(self):
        # A job takes 5 s, so that a busy machine looks at it often too.
        with Server(self.sky, "--throttle", "irsa", "--time-scale", 10) as server:
            job = self.job(server, ESA, SOURCES, PHASE="RUN")
            self.finish(server, job)
            counts = server.status()["services"]["esa"]
            self.assertEqual((counts["jobs"], counts["unfinished jobs"]), (1, 0))
            self.assertGreater(counts["most looks at a job"], 4)
            self.assertLess(counts["shortest wait between looks (ms)"], 300)
            self.assertEqual(counts["most in flight"], 1)
            self.assertTrue(any("urllib" in agent for agent in counts["user agents"]))
            self.assertEqual(sum(counts["user agents"].values()), counts["requests"])
            self.assertGreater(counts["longest GET"], len(job))
            self.assertEqual(server.status()["services"]["irsa"]["requests"], 0)


class Adql(TapTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(Server(cls.sky))

    def values(self, query, base=ESA):
        return [tuple(r.values()) for r in self.rows(self.server, base, query)]

    def test_what_astronomers_write(self):
        quasars = int(self.gaia["in_qso_candidates"].sum())
        for query, wanted in (
            ("SELECT COUNT(*) AS n FROM gaiadr3.gaia_source WHERE in_qso_candidates = 'true'", quasars),
            ("select count(*) from gaiadr3.gaia_source where in_qso_candidates", quasars),
            ("SELECT COUNT(*) FROM GaiaDR3.GAIA_SOURCE AS g WHERE \"g\".\"in_qso_candidates\" = 't'", quasars),
            ("SELECT COUNT(*) FROM (SELECT TOP 7 source_id FROM gaiadr3.gaia_source) AS few", 7),
            ("SELECT COUNT(DISTINCT source_id) -- twice\n FROM gaiadr3.gaia_source",
             len(set(self.gaia["source_id"]))),
            ("SELECT ROUND(LOG10(100) + LOG(EXP(1)), 6) AS x FROM gaiadr3.gaia_source WHERE source_id="
             f"{self.gaia['source_id'][0]}", 3),
            ("SELECT TOP 1 'it''s; -- (text)' FROM gaiadr3.gaia_source;", "it's; -- (text)"),
        ):  # fmt: skip
            (value,), = self.values(query)
            self.assertEqual(value, str(wanted), query)
        rows = self.values("SELECT source_id, COUNT(*) AS n FROM gaiadr3.gaia_source GROUP BY source_id "
                           "HAVING COUNT(*) > 1 ORDER BY n DESC, source_id OFFSET 0")  # fmt: skip
        ids, counts = np.unique(self.gaia["source_id"], return_counts=True)
        self.assertEqual([int(i) for i, _ in rows], list(ids[counts > 1]))

    def test_distances_at_the_pole_and_at_ra_0(self):
        for dec, radius in ((89.999, 4.0), (0.0, 8.0), (-35, 9.5)):
            wanted = set()
            for row in self.gaia:
                one, two, ra = np.radians([row["dec"], dec, row["ra"] - 359.999])
                near = np.sin(one) * np.sin(two) + np.cos(one) * np.cos(two) * np.cos(ra)
                if near > np.cos(np.radians(radius)):
                    wanted.add(str(row["source_id"]))
            for condition in (
                f"1=CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 359.999, {dec}, {radius}))",
                f"CONTAINS(POINT(ra, dec), CIRCLE(POINT(359.999, {dec}), {radius})) = 1",
                f"INTERSECTS(CIRCLE('', 359.999, {dec}, {radius}), POINT('', ra, dec)) = 1",
                f"DISTANCE(POINT('ICRS', ra, dec), POINT('ICRS', 359.999, {dec})) < {radius}",
                f"NOT CONTAINS(POINT(ra, dec), CIRCLE(359.999, {dec}, {radius})) = 0",
            ):
                found = {r[0] for r in self.values(f"SELECT source_id FROM gaiadr3.gaia_source WHERE {condition}")}
                self.assertEqual(found, wanted, condition)

    def test_bad_parameters_are_refused(self):
        for more, words in (
            ({"FORMAT": "votable_gzip"}, b"no formatter has been found"),
            ({"MAXREC": "many"}, b"MAXREC"),
            ({"UPLOAD": "mine"}, b"UPLOAD"),
            ({"QUERY": ""}, b"QUERY must be set"),
            ({"QUERY": "SELECT 'open FROM x"}, b"line 1, column"),
            ({"QUERY": "SELECT (1 FROM gaiadr3.gaia_source"}, b"EOF"),
            ({"QUERY": "PRAGMA database_list"}, b"PRAGMA"),
        ):
            status, _, body = self.ask(self.server, ESA, SOURCES, **more)
            self.assertEqual(status, 400, more)
            self.assertIn(words, body)
        self.assertEqual(self.server.get(ESA + "/nothing")[0], 404)
        self.assertEqual(self.server.get(ESA + "/async/17O")[0], 404)


class Traps(TapTest):
    def serve(self, traps, *more):
        return Server(self.sky, "--traps", traps, *more)

    def test_pages_of_a_front_end_that_is_down(self):
        for trap, status, words in (
            ("html-502", 502, b"502 Bad Gateway"),
            ("html-200", 200, b"<html>"),
            ("null-500", 500, b"null"),
            ("pool-empty", 500, b"Pool empty"),
        ):
            with self.serve(trap + "=1") as server:
                answer = self.ask(server, ESA, SOURCES)
                self.assertEqual(answer[0], status)
                self.assertIn(words, answer[2])
        with self.serve("null-500=0.5") as server:
            statuses = [self.ask(server, ESA, "SELECT TOP 1 ra FROM gaiadr3.gaia_source")[0] for _ in range(40)]
        self.assertTrue(10 < statuses.count(500) < 30, statuses)

    def test_a_stuck_job(self):
        with self.serve("stuck-job=1") as server:
            job = self.job(server, ESA, SOURCES, PHASE="RUN")
            time.sleep(1)
            self.assertEqual(server.get(job + "/phase")[2], b"EXECUTING")
            self.assertEqual(server.status()["services"]["esa"]["unfinished jobs"], 1)

    def test_booleans_and_names(self):
        for word, wanted in (("True", b"False"), ("true", b"false"), ("t", b"f")):
            with self.serve("booleans=" + word + ",aip-id=datalinkID") as server:
                body = self.ask(server, AIP, "SELECT has_epoch_photometry FROM gaiadr3.gaia_source")[2]
                self.assertEqual({*body.split()[1:]}, {word.encode(), wanted})
                query = "SELECT TOP 1 source_id, transit_id FROM gaiadr3.epoch_photometry"
                self.assertTrue(self.ask(server, AIP, query)[2].startswith(b"datalinkID,transit_id\n"))

    def test_sync_redirects(self):
        with Server(self.sky) as server:
            whole = self.ask(server, ESA, SOURCES)[2]
        with self.serve("see-other=1") as server:
            data = urllib.parse.urlencode({"QUERY": SOURCES, "FORMAT": "csv"})
            status, headers, _ = self.no_redirect(server, "POST", ESA + "/sync", data)
            self.assertEqual(status, 303)
            self.assertEqual(server.get(headers["Location"].replace(server.url, ""))[2], whole)

    def test_faults_reach_tap_too(self):
        with Server(self.sky, "--faults", "empty=1") as server:
            self.assertEqual(self.ask(server, ESA, SOURCES)[2], b"source_id,ra\n")
        with Server(self.sky, "--faults", "503=1") as server:
            self.assertEqual(self.ask(server, ESA, SOURCES)[0], 503)

    def test_dr4_has_other_ids_and_names(self):
        with Server(self.sky, "--gaia-release", "dr4") as server:
            pairs = self.rows(server, ESA, "SELECT TOP 20 n.dr3_source_id, s.source_id, s.ra FROM gaiadr4.gaia_source s "
                              "JOIN gaiadr4.dr3_neighbourhood n ON n.dr4_source_id = s.source_id")  # fmt: skip
            ra = {int(r["source_id"]): r["ra"] for r in self.gaia}
            for row in pairs:
                self.assertNotEqual(row["dr3_source_id"], row["source_id"])
                self.assertEqual(float(row["ra"]), ra[int(row["dr3_source_id"])])
            self.assertEqual(len(pairs), 20)
            schemas = {r["schema_name"] for r in self.rows(server, ESA, "SELECT * FROM TAP_SCHEMA.schemas")}
            self.assertLessEqual({"gaiadr3", "gaiadr4"}, schemas)
            rows = self.rows(server, AIP, "SELECT TOP 3 g_obs_time, g_flux, g_flux_error, g_mag, bp_obs_time "
                             "FROM gaiadr4.epoch_photometry")  # fmt: skip
            self.assertEqual(len(rows), 3)
        with Server(self.sky) as server:
            self.assertEqual(self.ask(server, ESA, "SELECT ra FROM gaiadr4.gaia_source")[0], 400)

    def test_mistakes_are_reported(self):
        for traps, words in (("html-404", "html-404"), ("booleans=yes", "yes"), ("quota=2", "quota")):
            self.assertIn(words, skysim("serve", self.sky, "--traps", traps, expect=1).stderr)


if __name__ == "__main__":
    unittest.main()
