"""The cross-match service of `skysim serve`: answers, mistakes, and what happens to the impolite."""

import csv
import gzip
import io
import threading
import time
import unittest
import uuid

import numpy as np
from astropy.table import Table

try:
    import astropy.units as u
    from astroquery.xmatch import XMatch
except ImportError:
    XMatch = None

from server import Server
from support import SkyTest, pairs_within, read_table, separation

PATH = "/xmatch/api/v1/sync"
GAIA = "vizier:I/355/gaiadr3"


def ask(server, upload, compress=None, **fields):
    """Status, headers, body of a job; `upload` is the text or bytes of cat1, `compress` makes the body of it."""
    fields = {"request": "xmatch", "distMaxArcsec": 1, "RESPONSEFORMAT": "csv", "cat2": GAIA, "colRA1": "qh_ra",
              "colDec1": "qh_dec", **fields}  # fmt: skip
    edge = uuid.uuid4().hex
    body = b""
    for name, value in fields.items():
        body += f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    upload = upload if isinstance(upload, bytes) else upload.encode()
    body += f'--{edge}\r\nContent-Disposition: form-data; name="cat1"; filename="block"\r\n\r\n'.encode()
    body += upload + f"\r\n--{edge}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={edge}"}
    if compress:
        body = compress(body)
        headers["Content-Encoding"] = "gzip"
    return server.get(PATH, data=body, headers=headers)


def rows_of(answer):
    status, _, body = answer
    assert status == 200, body[:500]
    return list(csv.DictReader(io.StringIO(body.decode())))


class XMatchTest(SkyTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        sdss, _ = read_table(cls.sky / "sdss_dr16q.fits")
        cls.left = Table({"ra": sdss["ra"], "dec": sdss["dec"]})
        cls.gaia, _ = read_table(cls.sky / "gaia_source.fits")
        cls.upload = cls.block(cls.left)

    @staticmethod
    def block(table):
        lines = (f"{i},{float(row['ra'])!r},{float(row['dec'])!r}" for i, row in enumerate(table))
        return "qh_row,qh_ra,qh_dec\n" + "\n".join(lines) + "\n"


class Answers(XMatchTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(Server(cls.sky))

    def ask(self, **fields):
        return ask(self.server, self.upload, **fields)

    def test_all_pairs_and_no_others(self):
        rows = rows_of(self.ask(distMaxArcsec=5))
        found = {(int(r["qh_row"]), int(r["Source"])) for r in rows}
        years = 2000 - 2016
        at_2000 = Table({
            "ra": self.gaia["ra"] + self.gaia["pmra"] * years / 3.6e6 / np.cos(np.radians(self.gaia["dec"])),
            "dec": self.gaia["dec"] + self.gaia["pmdec"] * years / 3.6e6})  # fmt: skip
        pairs = pairs_within(self.left, at_2000, 5)
        self.assertEqual(found, {(i, int(self.gaia["source_id"][j])) for i, j in pairs})
        distance = {(i, int(self.gaia["source_id"][j])): separation(
            self.left["ra"][i], self.left["dec"][i], at_2000["ra"][j], at_2000["dec"][j]) for i, j in pairs}  # fmt: skip
        for row in rows:
            self.assertRegex(row["angDist"], r"^\d\.\d{6}$")
            wanted = distance[int(row["qh_row"]), int(row["Source"])]
            self.assertAlmostEqual(float(row["angDist"]), wanted, delta=2e-4)
        self.assertLess(len({i for i, _ in found}), len(self.left))
        order = [(int(r["qh_row"]), float(r["angDist"])) for r in rows]
        self.assertEqual(order, sorted(order))

    def test_columns(self):
        names = list(rows_of(self.ask())[0])
        self.assertEqual(names[:8], ["angDist", "qh_row", "qh_ra", "qh_dec", "DR3Name", "RA_ICRS", "DE_ICRS", "Source"])
        self.assertNotIn("EpochPh", names)
        rows = rows_of(self.ask(cols1="qh_row", cols2="Gmag,Source,EpochPh"))
        self.assertEqual(list(rows[0]), ["angDist", "qh_row", "Gmag", "Source", "EpochPh"])
        gaia = {int(g["source_id"]): g for g in self.gaia}
        for row in rows:
            self.assertEqual(np.float32(row["Gmag"]), gaia[int(row["Source"])]["phot_g_mean_mag"])

    def test_nearest_only(self):
        every, best = rows_of(self.ask(distMaxArcsec=120)), rows_of(self.ask(distMaxArcsec=120, selection="best"))
        nearest = {}
        for row in every:
            nearest.setdefault(row["qh_row"], row)
        self.assertEqual(best, list(nearest.values()))
        self.assertLess(len(best), len(every))

    def test_equal_rows_are_both_answered(self):
        lines = self.upload.splitlines()
        twice = "\n".join([lines[0], *(line for line in lines[1:] for _ in range(2))]) + "\n"
        self.assertEqual(len(rows_of(ask(self.server, twice))), 2 * len(rows_of(self.ask())))

    def test_compressed_and_votable_uploads(self):
        plain = self.ask()[2]
        self.assertEqual(ask(self.server, gzip.compress(self.upload.encode()))[2], plain)
        self.assertEqual(ask(self.server, self.upload, compress=gzip.compress)[2], plain)
        out = io.BytesIO()
        Table.read(self.upload, format="ascii.csv").write(out, format="votable")
        self.assertEqual(ask(self.server, out.getvalue())[2], plain)

    def test_votable_answers(self):
        status, _, body = self.ask(RESPONSEFORMAT="votable", cols2="Source,Gmag", MAXREC=50)
        table = Table.read(io.BytesIO(body), format="votable")
        self.assertEqual((status, len(table)), (200, 50))
        self.assertIn(b"OVERFLOW", body)
        rows = rows_of(self.ask(MAXREC=50))
        self.assertEqual([int(r["Source"]) for r in rows], list(table["Source"]))
        self.assertNotIn(b"OVERFLOW", self.ask(RESPONSEFORMAT="votable")[2])
        clash = self.upload.replace("qh_row", "Source")
        body = ask(self.server, clash, RESPONSEFORMAT="votable", cols2="Source")[2]
        names = Table.read(io.BytesIO(body), format="votable").colnames
        self.assertEqual(names, ["angDist", "Source", "qh_ra", "qh_dec", "Source_2"])

    def test_mistakes(self):
        for fields, words in (
            ({"distMaxArcsec": 180.1}, "180"),
            ({"distMaxArcsec": "x"}, "distmaxarcsec"),
            ({"colDec1": "DEC"}, 'Column name "DEC" not found in table metadata'),
            ({"cols2": "Gmagg"}, 'Column name "Gmagg" not found in table metadata'),
            ({"cat2": "vizier:II/246/out"}, "II/246/out"),
            ({"selection": "some"}, "some"),
            ({"RESPONSEFORMAT": "xlsx"}, "xlsx"),
            ({"request": ""}, "request"),
        ):
            status, _, body = self.ask(**fields)
            self.assertEqual(status, 400, fields)
            text = body.decode().replace("&quot;", '"')
            self.assertIn('<INFO ID="QUERY_STATUS"', text)
            self.assertIn(words, text)
        self.assertEqual(ask(self.server, gzip.compress(self.upload.encode())[:-30])[0], 400)

    def test_what_could_be_asked(self):
        tables = PATH + "/tables?action="
        names = self.server.get(tables + "getVizieRTableNames&RESPONSEFORMAT=txt")[2]
        self.assertIn(b"I/355/gaiadr3\n", names)
        columns = self.server.get(f"{tables}getColList&tabName={GAIA}&RESPONSEFORMAT=csv")[2].decode()
        self.assertIn("EpochPh,short", columns)
        info = rows_of(self.server.get(f"{tables}getInfo&tabName={GAIA}&RESPONSEFORMAT=csv"))
        self.assertEqual(int(info[0]["nbRows"]), len(self.gaia))
        self.assertEqual(self.server.get(tables + "getColList&tabName=vizier:II/246/out")[0], 400)
        self.assertEqual(self.server.get(tables)[0], 400)


    @unittest.skipIf(XMatch is None, "python3-astroquery is not installed")
    def test_astroquery_is_a_client(self):
        client = XMatch()
        client.URL = self.server.url + PATH
        names = ("qh_row", "qh_ra", "qh_dec")
        left = Table([np.arange(len(self.left)), self.left["ra"], self.left["dec"]], names=names)
        table = client.query(left, GAIA, 2 * u.arcsec, colRA1="qh_ra", colDec1="qh_dec", cache=False)
        rows = rows_of(self.ask(distMaxArcsec=2))
        self.assertEqual(list(table["Source"]), [int(row["Source"]) for row in rows])


class Manners(XMatchTest):
    def counts(self, server):
        return server.status()["services"]["xmatch"]

    def test_two_jobs_at_a_time_are_banned_for_a_while(self):
        with Server(self.sky, "--time-scale", 600) as server:
            self.assertEqual(ask(server, self.upload)[0], 200)
            self.assertEqual(self.counts(server)["requests after a 403"], 0)
            # Jobs take 1.25 ms here: they overlap soon.
            states = []
            for _ in range(20):
                threads = [threading.Thread(target=lambda: states.append(ask(server, self.upload)[0])) for _ in range(4)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                if 403 in states:
                    break
            self.assertIn(403, states)
            self.assertEqual(ask(server, self.upload)[0], 403)
            self.assertEqual(server.get(PATH + "/tables?action=getVizieRTableNames")[0], 403)
            time.sleep(1.1)
            self.assertEqual(ask(server, self.upload)[0], 200)
            counts = self.counts(server)
            self.assertGreaterEqual(counts["requests after a 403"], 3)
            self.assertGreaterEqual(counts["second jobs at a time"], 1)
            self.assertGreater(counts["most in flight"], 1)

    def test_counts_of_polite_use(self):
        with Server(self.sky) as server:
            for _ in range(3):
                ask(server, self.upload)
            counts = self.counts(server)
            for what, n in {"requests": 3, "jobs": 3, "most in flight": 1, "requests after a 403": 0,
                            "rows uploaded": 3 * len(self.left)}.items():  # fmt: skip
                self.assertEqual(counts[what], n, what)

    def test_traps(self):
        with Server(self.sky, "--traps", "xmatch-ban=1") as server:
            self.assertEqual(ask(server, self.upload)[0], 403)
        with Server(self.sky) as server:
            usual = rows_of(ask(server, self.upload))
        with Server(self.sky, "--traps", "xmatch-columns=1") as server:
            other = rows_of(ask(server, self.upload))
        self.assertEqual(other, usual)
        self.assertNotEqual(list(other[0]), list(usual[0]))

    def test_faults(self):
        with Server(self.sky, "--faults", "503=1") as server:
            self.assertEqual(ask(server, self.upload)[0], 503)
        with Server(self.sky, "--faults", "empty=1") as server:
            self.assertEqual(rows_of(ask(server, self.upload)), [])


if __name__ == "__main__":
    unittest.main()
