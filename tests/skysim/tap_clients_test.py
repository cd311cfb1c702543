"""The TAP services of `skysim serve` as pyvo and astroquery, which astronomers use, see them."""

import html
import unittest
import warnings

import numpy as np
from astropy.table import Table

from server import Server
from support import SkyTest, read_table

try:
    import pyvo
    from astroquery.utils.tap.core import TapPlus
except ImportError:
    pyvo = None

BASES = {"esa": "/tap-server/tap", "aip": "/aip/tap", "vizier": "/TAPVizieR/tap", "irsa": "/TAP"}
TABLES = {
    "esa": {"gaiadr3.gaia_source"},
    "aip": {"gaiadr3.gaia_source", "gaiadr3.epoch_photometry"},
    "vizier": {'"I/355/gaiadr3"', '"I/355/epphot"'},
    "irsa": {"ztf_objects_dr24", "neowiser_p1bs_psd"},
}


@unittest.skipIf(pyvo is None, "python3-pyvo and python3-astroquery are not installed")
class Clients(SkyTest):
    MAKE = ("--sources", "200", "--seed", "7", "--neowise")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        warnings.simplefilter("ignore")
        cls.server = cls.enterClassContext(Server(cls.sky))
        cls.gaia, _ = read_table(cls.sky / "gaia_source.fits")

    def url(self, name):
        return self.server.url + BASES[name]

    def pyvo(self, name):
        return pyvo.dal.TAPService(self.url(name))

    def astroquery(self, name):
        return TapPlus(url=self.url(name), verbose=False)


class Pyvo(Clients):
    def test_services_describe_themselves(self):
        for name, tables in TABLES.items():
            service = self.pyvo(name)
            self.assertTrue(service.available, name)
            self.assertLessEqual(tables, set(service.tables.keys()), name)
            self.assertTrue(service.upload_methods, name)
            self.assertGreaterEqual(service.hardlimit, 10_000, name)

    def test_tap_schema_lists_every_column(self):
        service = self.pyvo("esa")
        rows = service.run_sync(
            "SELECT c.column_name, c.datatype, c.unit FROM TAP_SCHEMA.tables t "
            "JOIN TAP_SCHEMA.columns c ON c.table_name = t.table_name "
            "WHERE t.schema_name = 'gaiadr3' AND t.table_name LIKE '%gaia_source'"
        )
        self.assertEqual(set(rows["column_name"]), set(self.gaia.colnames))

    def test_sync(self):
        rows = self.pyvo("esa").run_sync(
            "SELECT TOP 3 source_id, ra, dec, phot_g_mean_mag, has_epoch_photometry, designation "
            "FROM gaiadr3.gaia_source ORDER BY source_id"
        ).to_table()
        wanted = self.gaia[np.argsort(self.gaia["source_id"], kind="stable")][:3]
        for column in rows.colnames:
            self.assertEqual(list(rows[column]), [v.strip() if isinstance(v, str) else v for v in wanted[column]])

    def test_binary_and_text_votables_are_equal(self):
        query = ("SELECT source_id, ra, parallax, phot_variable_flag, has_epoch_photometry, "
                 "ipd_frac_multi_peak, rv_nb_transits, pseudocolour FROM gaiadr3.gaia_source "
                 "WHERE MOD(random_index, 7) = 0 ORDER BY source_id")  # fmt: skip
        service = self.pyvo("esa")
        one = service.run_sync(query).to_table()
        two = service.run_sync(query, format="votable_plain").to_table()
        self.assertGreater(len(one), 50)
        for name in one.colnames:
            for a, b in zip(one[name], two[name]):
                self.assertTrue(a == b or (np.ma.is_masked(a) or a != a) and (np.ma.is_masked(b) or b != b), (name, a, b))

    def test_a_job(self):
        for name, query in (
            ("esa", "SELECT source_id, ra FROM gaiadr3.gaia_source"),
            ("aip", "SELECT source_id, g_transit_time, g_transit_mag FROM gaiadr3.epoch_photometry"),
            ("vizier", 'SELECT Source, TimeG FROM "I/355/epphot"'),
        ):
            job = self.pyvo(name).submit_job(query)
            self.assertEqual(job.phase, "PENDING")
            job.run().wait(phases=["COMPLETED", "ERROR", "ABORTED"], timeout=60)
            self.assertEqual(job.phase, "COMPLETED", name)
            rows = job.fetch_result()
            self.assertGreater(len(rows), 50, name)
            path = job.url.replace(self.server.url, "")
            job.delete()
            self.assertEqual(self.server.get(path)[0], 404)
        status = self.server.status()["services"]
        self.assertEqual(status["aip"]["deleted jobs"], 1)
        self.assertEqual(status["aip"]["unfinished jobs"], 0)

    def test_arrays_in_cells(self):
        epochs, _ = read_table(self.sky / "gaia_epoch.fits")
        rows = self.pyvo("aip").run_sync(
            "SELECT source_id, transit_id, g_transit_time, bp_mag FROM gaiadr3.epoch_photometry"
        ).to_table()
        self.assertEqual(len(rows), len(epochs))
        for one, two in zip(rows, epochs):
            self.assertEqual(one["source_id"], two["source_id"])
            for name in ("transit_id", "g_transit_time", "bp_mag"):
                np.testing.assert_array_equal(np.asarray(one[name]), two[name])

    def test_an_upload_is_joined(self):
        mine = Table({"n": np.arange(40), "ra": self.gaia["ra"][:40], "dec": self.gaia["dec"][:40]})
        query = ("SELECT u.n, g.source_id, DISTANCE(POINT('ICRS', g.ra, g.dec), POINT('ICRS', u.ra, u.dec)) AS d "
                 "FROM TAP_UPLOAD.mine AS u JOIN gaiadr3.gaia_source AS g ON 1 = CONTAINS("
                 "POINT('ICRS', u.ra, u.dec), CIRCLE('ICRS', g.ra, g.dec, 0.5/3600.))")  # fmt: skip
        service = self.pyvo("esa")
        for rows in (service.run_sync(query, uploads={"mine": mine}),
                     service.run_async(query, uploads={"mine": mine})):  # fmt: skip
            found = {(r["n"], r["source_id"]) for r in rows}
            self.assertLessEqual({(n, i) for n, i in enumerate(self.gaia["source_id"][:40])}, found)
            self.assertLess(max(r["d"] for r in rows), 0.5 / 3600)

    def test_a_cone(self):
        where = self.gaia[17]
        rows = self.pyvo("vizier").run_sync(
            'SELECT Source FROM "I/355/gaiadr3" WHERE 1=CONTAINS(POINT(\'ICRS\', RA_ICRS, DE_ICRS), '
            f"CIRCLE('ICRS', {where['ra']}, {where['dec']}, 5))"
        )
        x = np.radians(self.gaia["ra"] - where["ra"])
        one, two = np.radians(self.gaia["dec"]), np.radians(where["dec"])
        near = np.sin(one) * np.sin(two) + np.cos(one) * np.cos(two) * np.cos(x) > np.cos(np.radians(5))
        self.assertEqual(sorted(rows["Source"]), sorted(self.gaia["source_id"][near]))
        self.assertGreater(near.sum(), 3)

    def test_overflow_is_reported(self):
        rows = self.pyvo("aip").run_sync("SELECT source_id FROM gaiadr3.gaia_source", maxrec=10)
        self.assertEqual(len(rows), 10)
        infos = [info.value for info in rows.votable.resources[0].infos if info.name == "QUERY_STATUS"]
        self.assertEqual(infos, ["OK", "OVERFLOW"])

    def test_errors_name_the_place(self):
        service = self.pyvo("esa")
        for query, words in (
            ("SELECT source_id,\n nonsense FROM gaiadr3.gaia_source", r"nonsense \[l\.2 c\.2 - l\.2 c\.10\]"),
            ("SELECT source_id FROM gaiadr3.epoch_photometry", r"epoch_photometry \[l\.1 c\.31"),
            ("SELECT FROM gaiadr3.gaia_source", r'Encountered "FROM" at line 1, column 8'),
            ("DELETE FROM gaiadr3.gaia_source", r'Encountered "DELETE" at line 1, column 1'),
            ("SELECT 1; DROP TABLE gaiadr3.gaia_source", r'Encountered "DROP" at line 1, column 11'),
            ("SELECT ra FROM gaiadr3.gaia_source WHERE 1=CONTAINS(POINT('ICRS', ra, dec), BOX('ICRS', 1, 2, 3, 4))",
             r'Encountered "BOX" at line 1, column 77'),
        ):  # fmt: skip
            with self.assertRaisesRegex(pyvo.dal.DALQueryError, words):
                service.run_sync(query)
            job = service.submit_job(query).run()
            job.wait(phases=["ERROR"], timeout=60)
            path = job.url.replace(self.server.url, "")
            self.assertRegex(html.unescape(self.server.get(path + "/error")[2].decode()), words)


class Astroquery(Clients):
    def test_tables(self):
        names = {table.get_qualified_name() for table in self.astroquery("esa").load_tables()}
        self.assertTrue(any(name.endswith("gaiadr3.gaia_source") for name in names), names)

    def test_sync_and_async(self):
        tap = self.astroquery("esa")
        query = "SELECT TOP 3 source_id, ra, has_epoch_photometry FROM gaiadr3.gaia_source ORDER BY source_id"
        for form in ("votable", "votable_plain", "csv"):
            rows = tap.launch_job(query, output_format=form).get_results()
            self.assertEqual(list(rows["source_id"]), sorted(self.gaia["source_id"])[:3], form)
        job = tap.launch_job_async(query, output_format="votable")
        self.assertEqual(list(job.get_results()["source_id"]), sorted(self.gaia["source_id"])[:3])
        self.assertTrue(job.is_finished())
        tap.remove_jobs([job.jobid])
        self.assertGreaterEqual(self.server.status()["services"]["esa"]["deleted jobs"], 1)

    def test_an_upload(self):
        mine = Table({"source_id": self.gaia["source_id"][:5]})
        rows = self.astroquery("aip").launch_job(
            "SELECT g.source_id, g.ra FROM gaiadr3.gaia_source g JOIN tap_upload.mine m "
            "ON g.source_id = m.source_id", upload_resource=mine, upload_table_name="mine",
        ).get_results()  # fmt: skip
        self.assertEqual(set(rows["source_id"]), set(mine["source_id"]))

    def test_an_error(self):
        with self.assertRaisesRegex(Exception, "nonsense"):
            self.astroquery("esa").launch_job("SELECT nonsense FROM gaiadr3.gaia_source")


if __name__ == "__main__":
    unittest.main()
