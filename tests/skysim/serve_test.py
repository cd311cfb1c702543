"""IRSA's light-curve and TAP services as `skysim serve` plays them."""

import concurrent.futures
import http.client
import io
import re
import subprocess
import time
import unittest
import urllib.error

import numpy as np
from astropy.table import Table

from server import CURVES, Server
from support import QSOHOST, SKYSIM, SkyTest, read_table

COLUMNS = (
    "oid,expid,hjd,mjd,mag,magerr,catflags,filtercode,ra,dec,chi,sharp,filefracday,field,ccdid,qid,"
    "limitmag,magzp,magzprms,clrcoeff,clrcounc,exptime,airmass,programid"
)
CHAIN = """
[chain]
name = "served"
[[stage]]
use = "catalog-source"
path = "targets.csv"
[[stage]]
use = "ztf-files"
path = "{folder}/{{source_id}}.{suffix}"
[[stage]]
use = "fits-sink"
what = "ztf"
path = "{folder}.fits"
"""


class Sky(SkyTest):
    MAKE = ("--sources", "120", "--seed", "7")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.truth, _ = read_table(cls.sky / "truth.fits")
        cls.objects, _ = read_table(cls.sky / "ztf_objects.fits")
        cls.light_curves, _ = read_table(cls.sky / "ztf_light_curves.fits")
        cls.seen = cls.truth[cls.truth["in_ztf"]]

    def circle(self, row, radius=2.0, shape="CIRCLE "):
        return f"{shape}{row['ra']} {row['dec']} {radius / 3600}"


class LightCurves(Sky):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(Server(cls.sky))

    def test_a_circle_finds_the_sources_within(self):
        for row in self.seen[:20]:
            one = self.server.rows(POS=self.circle(row))
            self.assertEqual(one, self.server.rows(CIRCLE=self.circle(row, shape="")))
            self.assertEqual(one, self.server.rows(pos=self.circle(row, shape="circle ")))
            wanted = sum(row[f"n_epochs_ztf_{b}"] for b in "gri")
            if not row["has_neighbour"]:
                self.assertEqual(len(one), wanted)

    def test_values_are_those_of_the_file(self):
        for k in range(0, len(self.objects), 37):
            rows = self.server.rows(ID=self.objects["oid"][k])
            curve = self.light_curves[k]
            self.assertEqual(len(rows), self.objects["nobs"][k])
            for name in ("mjd", "mag", "magerr", "ra", "dec", "chi", "hjd", "airmass", "clrcounc"):
                values = np.array([r[name] for r in rows], dtype=curve[name].dtype)
                np.testing.assert_array_equal(values, curve[name])
            first = rows[0]
            self.assertEqual(int(first["ccdid"], 16), self.objects["ccdid"][k])
            self.assertRegex(first["qid"], "^0x[1-4]$")
            self.assertEqual(first["filtercode"], self.objects["filtercode"][k])
            day = Table({"t": [float(first["mjd"])]})["t"][0] - 40587
            self.assertTrue(first["filefracday"].startswith(time.strftime("%Y%m%d", time.gmtime(day * 86400))))

    def test_ids_find_their_objects(self):
        oids = [int(o) for o in self.objects["oid"][:150]]
        rows = self.server.rows(ID=oids)
        self.assertEqual({int(r["oid"]) for r in rows}, set(oids))
        self.assertEqual(len(rows), self.objects["nobs"][:150].sum())
        comma = self.server.rows(ID=",".join(map(str, oids)))
        self.assertEqual(comma, rows)
        self.assertEqual(self.server.rows(ID=[12345]), [])

    def test_bands_times_and_flags_are_filtered(self):
        row = max(self.seen, key=lambda r: r["n_epochs_ztf_g"])
        every = self.server.rows(POS=self.circle(row))
        for given, codes in (("g", "zg"), ("1", "zg"), ("g,i", "zg zi"), ("2,3", "zr zi")):
            rows = self.server.rows(POS=self.circle(row), BANDNAME=given)
            self.assertEqual(rows, [r for r in every if r["filtercode"] in codes.split()])
        rows = self.server.rows(POS=self.circle(row), BAND="4e-7 5e-7")
        self.assertEqual({r["filtercode"] for r in rows}, {"zg"})
        rows = self.server.rows(POS=self.circle(row), TIME="58500 58800.5")
        self.assertEqual(rows, [r for r in every if 58500 <= float(r["mjd"]) <= 58800.5])
        rows = self.server.rows(POS=self.circle(row), TIME="59000 Inf")
        self.assertEqual(rows, [r for r in every if 59000 <= float(r["mjd"])])
        rows = self.server.rows(POS=self.circle(row), BAD_CATFLAGS_MASK=32768)
        self.assertEqual(rows, [r for r in every if not int(r["catflags"]) & 32768])
        self.assertLess(len(rows), len(every))
        rows = self.server.rows(POS=self.circle(row), NOBS_MIN=200)
        self.assertTrue(rows)
        counts = np.unique([r["oid"] for r in every], return_counts=True)
        big = {o for o, n in zip(*counts) if n >= 200}
        self.assertEqual({r["oid"] for r in rows}, big)
        self.assertEqual(self.server.rows(POS=self.circle(row), MAG="5 6"), [])
        self.assertEqual(self.server.rows(POS=self.circle(row), COLLECTION="ztf_dr24"), every)

    def test_nothing_there_is_a_header(self):
        south = self.truth[self.truth["dec"] < -28][0]
        self.assertEqual(self.server.curves(POS=self.circle(south), FORMAT="csv")[2], COLUMNS + "\n")

    def test_bad_requests_are_answered_400(self):
        good = "CIRCLE 10 10 0.001"
        for parameters in (
            {},
            {"POS": "BOX 10 10 0.001"},
            {"POS": "CIRCLE 10 10"},
            {"POS": "CIRCLE 10 10 0.5"},
            {"POS": "CIRCLE 10 10 0"},
            {"POS": "CIRCLE 10 95 0.001"},
            {"POS": "CIRCLE x 10 0.001"},
            {"POS": [good, "CIRCLE 11 10 0.001"]},
            {"POS": good, "BANDNAME": "u"},
            {"POS": good, "FORMAT": "parquet"},
            {"POS": good, "COLLECTION": "ztf_dr18"},
            {"POS": good, "NUM_OBS": "5"},
            {"POS": good, "TIME": "2 1"},
            {"ID": "12 13x"},
            {"ID": "12", "BANDNAME": "g"},
            {"ID": "12", "NOBS_MIN": "3"},
            {"ID": "12", "POS": good},
        ):
            status, _, body = self.server.curves(**parameters)
            self.assertEqual(status, 400, parameters)
            self.assertIn('name="QUERY_STATUS" value="ERROR"', body)
        self.assertEqual(self.server.get(CURVES + "?ID=" + "1," * 5000)[0], 414)

    def test_every_format_holds_the_same(self):
        row = self.seen[0]
        wanted = self.server.rows(POS=self.circle(row))
        readers = {"tsv": "ascii.tab", "ipac_table": "ascii.ipac", "votable": "votable"}
        for name, reader in readers.items():
            body = self.server.curves(POS=self.circle(row), FORMAT=name)[2]
            # Hexadecimal numbers are what the archive sends; astropy takes them for texts at best.
            body = re.sub(r"\b0x([0-9a-f])\b", lambda m: str(int(m[1], 16)), body)
            if name == "votable":
                table = Table.read(io.BytesIO(body.encode()), format=reader)
            else:
                table = Table.read(body, format=reader)
            self.assertEqual(",".join(table.colnames), COLUMNS)
            self.assertEqual(list(table["oid"]), [int(r["oid"]) for r in wanted])
            np.testing.assert_array_equal(np.array(table["mjd"]), [float(r["mjd"]) for r in wanted])
        votable = self.server.curves(POS=self.circle(row))[2]  # the default
        self.assertTrue(votable.startswith("<?xml"))

    def test_the_projects_parser_reads_every_format(self):
        rows = self.seen[~self.seen["has_neighbour"]][:6]
        targets = "".join(f"{r['source_id']},{r['ra']},{r['dec']},{r['z']}\n" for r in rows)
        (self.folder / "targets.csv").write_text("source_id,ra,dec,z\n" + targets)
        products = []
        for suffix in ("csv", "tsv", "ipac_table", "votable"):
            (self.folder / suffix).mkdir()
            for row in rows:
                body = self.server.curves(POS=self.circle(row, 3), FORMAT=suffix)[2]
                (self.folder / suffix / f"{row['source_id']}.{suffix}").write_text(body)
            chain = self.folder / f"{suffix}.toml"
            chain.write_text(CHAIN.format(folder=suffix, suffix=suffix))
            done = subprocess.run([QSOHOST, "--chain", chain, "--run-dir", f"{suffix}.run"],
                                  cwd=self.folder, capture_output=True, text=True)  # fmt: skip
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            products.append(read_table(self.folder / f"{suffix}.run/{suffix}.fits")[0])
        for band in "gri":
            lengths = [len(m) for m in products[0][f"mjd_{band}"]]
            self.assertEqual(lengths, list(rows[f"n_epochs_ztf_{band}"]))
        for other in products[1:]:
            for name in other.colnames:
                for a, b in zip(products[0][name], other[name]):
                    np.testing.assert_array_equal(a, b)


class Tap(Sky):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(Server(cls.sky))

    QUERY = (
        "SELECT u.n, o.oid, o.ra, o.dec, o.fid, o.nobs, o.ngoodobs FROM ztf_objects_dr24 o, "
        "TAP_UPLOAD.mine u WHERE CONTAINS(POINT('ICRS', o.ra, o.dec), "
        "CIRCLE('ICRS', u.ra, u.dec, 2.0/3600)) = 1"
    )

    def votable(self, rows):
        table = Table({"n": np.arange(len(rows)), "ra": rows["ra"], "dec": rows["dec"]})
        out = io.BytesIO()
        table.write(out, format="votable")
        return out.getvalue()

    def post(self, path, fields, file=None, redirect=False):
        boundary = "----skysim"
        body = b""
        for name, value in fields.items():
            body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        if file is not None:
            body += (f'--{boundary}\r\nContent-Disposition: form-data; name="tab"; filename="t.vot"'
                     "\r\nContent-Type: application/x-votable+xml\r\n\r\n").encode() + file + b"\r\n"  # fmt: skip
        body += f"--{boundary}--\r\n".encode()
        connection = http.client.HTTPConnection(self.server.url.split("//")[1], timeout=30)
        connection.request("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, answer.getheader("Location"), text.decode()

    def job(self, **fields):
        given = {"REQUEST": "doQuery", "LANG": "ADQL", "FORMAT": "csv", "QUERY": self.QUERY,
                 "UPLOAD": "mine,param:tab", **fields}  # fmt: skip
        status, location, _ = self.post("/TAP/async", given, self.votable(self.truth))
        self.assertEqual(status, 303)
        return location.replace(self.server.url, "")

    def wait(self, job):
        phases = []
        for _ in range(6000):
            phases.append(self.server.get(job + "/phase")[2].decode())
            if phases[-1] in ("COMPLETED", "ERROR"):
                return phases
            time.sleep(0.01)
        self.fail(phases)

    def test_positions_to_objects(self):
        job = self.job()
        self.assertEqual(self.server.get(job + "/phase")[2], b"PENDING")
        self.assertEqual(self.server.get(job + "/results/result")[0], 404)
        self.assertEqual(self.post(job + "/phase", {"PHASE": "RUN"})[0], 303)
        phases = self.wait(job)
        self.assertEqual(phases[-1], "COMPLETED")
        self.assertLessEqual(set(phases), {"QUEUED", "EXECUTING", "COMPLETED"})
        document = self.server.get(job)[2].decode()
        self.assertIn("<uws:phase>COMPLETED</uws:phase>", document)
        self.assertIn(job + "/results/result", document)
        table = Table.read(self.server.get(job + "/results/result")[2].decode(), format="ascii.csv")
        nobs = dict(zip(self.objects["oid"], self.objects["nobs"]))
        self.assertTrue(all(nobs[r["oid"]] == r["nobs"] for r in table))
        for n, row in enumerate(self.truth):
            if row["has_neighbour"]:
                continue
            total = table["nobs"][table["n"] == n].sum()
            self.assertEqual(total, sum(row[f"n_epochs_ztf_{b}"] for b in "gri"))
        self.server.get(job, method="DELETE")
        self.assertEqual(self.server.get(job)[0], 404)

    def test_a_synchronous_query_with_an_upload(self):
        query = ("select top 5 * from TAP_UPLOAD.mine as u join ztf_objects_dr24 as o on "
                 "contains(point('ICRS', u.ra, u.dec), circle('ICRS', o.ra, o.dec, 0.0005)) = 1")  # fmt: skip
        status, _, body = self.post("/TAP/sync", {"QUERY": query, "UPLOAD": "mine,param:tab"},
                                    self.votable(self.seen))  # fmt: skip
        self.assertEqual(status, 200)
        table = Table.read(io.BytesIO(body.encode()), format="votable")
        self.assertEqual(len(table), 5)
        self.assertIn("oid", table.colnames)

    def test_bad_queries_end_in_phase_error(self):
        for fields in (
            {"QUERY": "SELECT * FROM fp_psc"},
            {"QUERY": self.QUERY.replace("o.nobs", "o.nothing")},
            {"QUERY": self.QUERY.replace("ztf_objects_dr24", "ztf_objects_dr18")},
            {"UPLOAD": "yours,param:tab"},
            {"UPLOAD": "mine,param:other"},
            {"FORMAT": "fits"},
        ):
            job = self.job(PHASE="RUN", **fields)
            self.assertEqual(self.wait(job)[-1], "ERROR", fields)
            body = self.server.get(job + "/error")[2].decode()
            self.assertRegex(body, 'value="ERROR">.+<')
            self.assertEqual(self.server.get(job + "/results/result")[0], 404)
        self.assertEqual(self.server.get("/TAP/async/tap_999999")[0], 404)


class Bad(Sky):
    def ask(self, server, row):
        """What one request came to."""
        try:
            status, headers, body = server.curves(POS=self.circle(row), FORMAT="csv", timeout=120)
        except http.client.IncompleteRead:
            return "short"
        except (ConnectionResetError, http.client.RemoteDisconnected, urllib.error.URLError):
            return "reset"
        if status != 200:
            return f"{status} {headers.get('Retry-After')}" if status == 429 else str(status)
        if body == COLUMNS + "\n":
            return "empty"
        if not body.startswith("oid"):
            return "status" if "QUERY_STATUS" in body else "garbage"
        return "right" if body.endswith("\n") else "short"

    def test_each_fault_is_served_on_demand(self):
        row = max(self.seen, key=lambda r: r["n_epochs_ztf_g"])
        looks = {"400": "400", "429": "429 30", "500": "500", "503": "503", "reset": "reset",
                 "cut": "short", "empty": "empty", "status": "status", "garbage": "garbage",
                 "drip": "right"}  # fmt: skip
        for fault, look in looks.items():
            scale = 1000 if fault == "drip" else 1
            with Server(self.sky, "--faults", f"{fault}=1", "--time-scale", scale) as server:
                begin = time.monotonic()
                found = {self.ask(server, row) for _ in range(4)}
                self.assertEqual(found, {look}, fault)
                if fault == "drip":
                    self.assertGreater(time.monotonic() - begin, 4 * 0.25)
                counts = server.status()
                self.assertEqual(counts[f"fault {fault}"], 4)
                self.assertEqual(counts["light-curve requests"], 4)
                self.assertEqual(counts.get("right answers", 0), 0)
            self.assertEqual(server.code, 0)

    def test_a_response_is_cut_at_a_line_end(self):
        """What comes looks whole, and no length was announced."""
        row = max(self.seen, key=lambda r: r["n_epochs_ztf_g"])
        with Server(self.sky) as server:
            whole = server.curves(POS=self.circle(row), FORMAT="csv")[2]
        lengths = set()
        with Server(self.sky, "--faults", "cut-at-line=1") as server:
            for _ in range(10):
                status, headers, body = server.curves(POS=self.circle(row), FORMAT="csv")
                self.assertEqual(status, 200)
                self.assertNotIn("Content-Length", headers)
                self.assertNotIn("Transfer-Encoding", headers)
                self.assertTrue(whole.startswith(body) and body.endswith("\n"))
                lengths.add(len(body))
        self.assertGreater(len(lengths), 5)

    def test_faults_come_at_their_rates(self):
        with Server(self.sky, "--faults", "503=0.2,empty=0.1") as server:
            found = [self.ask(server, self.seen[0]) for _ in range(500)]
            counts = server.status()
        for look, rate in (("503", 0.2), ("empty", 0.1), ("right", 0.7)):
            self.assertAlmostEqual(found.count(look) / 500, rate, delta=0.07)
        self.assertEqual(counts["right answers"], found.count("right"))
        self.assertEqual(counts["wrong empty answers"], found.count("empty"))
        self.assertEqual(counts["status 503"], found.count("503"))

    def together(self, server, rows, at_once):
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda row: self.ask(server, row), rows))

    def test_too_many_requests_at_once_are_throttled(self):
        """What holds however busy the machine is; the rates are in throttle_test.cpp."""
        rows = [self.seen[k % len(self.seen)] for k in range(160)]
        with Server(self.sky, "--throttle", "irsa", "--time-scale", 200) as server:
            begin = time.monotonic()
            eight = self.together(server, rows, 8)
            # Each takes 8 s divided by 200, some 20 % more or less, and 20 follow one another.
            self.assertGreater(time.monotonic() - begin, 20 * 8 / 200 * 0.8)
            self.assertEqual(set(eight), {"right"})
            self.assertLessEqual(server.status()["most in flight"], 8)
        # Slower, so that sixteen are in flight at once on a busy machine too: time-outs take 6 s and
        # pile up.
        with Server(self.sky, "--throttle", "irsa", "--time-scale", 25) as server:
            many = self.together(server, rows[:64], 16)
            self.assertLessEqual(set(many), {"right", "reset", "empty"})
            self.assertIn("reset", many)
            time.sleep(90 / 25)  # the service recovers in a minute
            again = self.together(server, rows[:40], 8)
            self.assertEqual(set(again), {"right"})
            counts = server.status()
            self.assertLessEqual(counts["most in flight"], 16)
            self.assertGreater(counts["most in flight"], 8)
            self.assertEqual(counts["time-outs"], many.count("reset"))
            self.assertEqual(counts["right answers"], 40 + many.count("right"))

    def test_only_loopback_and_one_server_a_port(self):
        with Server(self.sky) as server:
            port = server.url.rsplit(":", 1)[1]
            done = subprocess.run([SKYSIM, "serve", self.sky, "--port", port], capture_output=True,
                                  text=True, timeout=120)  # fmt: skip
            self.assertEqual(done.returncode, 1)
            self.assertIn(port, done.stderr)
            with open("/proc/net/tcp", encoding="ascii") as file:
                listening = [x.split()[1] for x in file if f":{int(port):04X} " in x and " 0A " in x]
            self.assertEqual(listening, [f"0100007F:{int(port):04X}"])

    def test_mistakes_are_reported(self):
        for args, words in (
            (["--faults", "404=0.1"], "404=0.1"),
            (["--faults", "429=2"], "429=2"),
            (["--faults", "429=0.6,500=0.6"], "above 1"),
        ):
            done = subprocess.run([SKYSIM, "serve", self.sky, *args], capture_output=True, text=True,
                                  timeout=120)  # fmt: skip
            self.assertEqual(done.returncode, 1)
            self.assertIn(words, done.stderr)
        done = subprocess.run([SKYSIM, "serve", self.folder / "none"], capture_output=True, text=True,
                              timeout=120)  # fmt: skip
        self.assertIn("ztf_objects.fits", done.stderr)


if __name__ == "__main__":
    unittest.main()
