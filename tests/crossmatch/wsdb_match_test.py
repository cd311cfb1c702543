"""wsdb-crossmatch beside astropy: the same pairs, and every column as it is in the tables."""

import os
import pathlib
import unittest

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord, search_around_sky
from wsdb_support import QSOHOST, SkyInDatabase, needs_postgres, read_table

RADIUS = 1.0
PLUGINS = os.environ.get(
    "QSOHOST_PLUGIN_PATH", str(pathlib.Path(QSOHOST).parents[1] / "lib/qsohost/plugins")
)


def positions(table):
    return SkyCoord(table["ra"], table["dec"], unit="deg")


def expected_pairs(sdss, gaia):
    """Positions in both tables, in the order that the rows have."""
    final = np.flatnonzero(sdss["is_qso_final"] == 1)
    left, right, separation, _ = search_around_sky(
        positions(sdss)[final], positions(gaia), RADIUS * u.arcsec
    )
    left = final[left]
    separation = separation.arcsec
    order = np.lexsort((separation, gaia["source_id"][right]))
    return left[order], right[order], separation[order]


def equal(a, b):
    if a.dtype.kind in "SU":
        return np.array_equal(np.char.rstrip(a), np.char.rstrip(b))
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


@needs_postgres
class Match(SkyInDatabase):
    SOURCES = 8000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sdss = read_table(cls.sky / "sdss_dr16q.fits")
        cls.gaia = read_table(cls.sky / "gaia_source.fits")
        cls.left, cls.right, cls.separation = expected_pairs(cls.sdss, cls.gaia)

    def assert_pairs(self, table, left, right):
        np.testing.assert_array_equal(table["source_id"], self.gaia["source_id"][right])
        np.testing.assert_array_equal(table["sdss_name"], self.sdss["sdss_name"][left])

    def test_all_pairs_and_every_column(self):
        table = self.match()
        self.assertGreater(len(self.left), 6000)
        self.assert_pairs(table, self.left, self.right)
        np.testing.assert_allclose(table["match_separation"], self.separation, rtol=0, atol=1e-7)
        np.testing.assert_array_equal(
            table["n_matches"], np.bincount(self.left, minlength=8000)[self.left]
        )
        both = set(self.sdss) & set(self.gaia)
        self.assertEqual(both, {"ra", "dec"})
        names = []
        for side, prefix, rows in ((self.sdss, "sdss", self.left), (self.gaia, "gaia", self.right)):
            for name, column in side.items():
                is_double = name in both or (prefix == "sdss" and name in ("gaia_ra", "gaia_dec"))
                names.append(f"{prefix}_{name}" if is_double else name)
                found = table[names[-1]]
                self.assertEqual(found.dtype.kind, column.dtype.kind, name)
                if column.dtype.kind not in "SU":
                    self.assertEqual(found.dtype.itemsize, column.dtype.itemsize, name)
                self.assertTrue(equal(found, column[rows]), name)
        names.remove("source_id")  # products begin with it
        names = ["source_id", *names, "match_separation", "n_matches", "ra", "dec"]
        self.assertEqual(list(table), names)
        self.assertEqual(len(names), len(self.sdss) + len(self.gaia) + 4)
        self.assertGreaterEqual(len(table), 336)
        np.testing.assert_array_equal(table["ra"], self.gaia["ra"][self.right])

    def test_nearest(self):
        table = self.match(match="nearest", columns=["sdss_name"])
        final = np.flatnonzero(self.sdss["is_qso_final"] == 1)
        right, separation, _ = positions(self.sdss)[final].match_to_catalog_sky(positions(self.gaia))
        near = separation.arcsec <= RADIUS
        order = np.lexsort((separation[near].arcsec, self.gaia["source_id"][right[near]]))
        self.assert_pairs(table, final[near][order], right[near][order])
        self.assertLess(len(table["source_id"]), len(self.left))
        # What is within the radius is counted before the nearest is taken.
        self.assertGreater(table["n_matches"].max(), 1)

    def test_unique(self):
        ids = self.gaia["source_id"][self.right]
        _, first, times = np.unique(ids, return_index=True, return_counts=True)
        self.assertGreater(times.max(), 1)
        for unique, rows in (("nearest", first), ("drop", first[times == 1])):
            table = self.match(unique=unique, columns=["sdss_name"])
            self.assert_pairs(table, self.left[rows], self.right[rows])

    def test_repeats_are_reported(self):
        said = self.run_chain(self.chain(columns=["sdss_name"]))
        ids = self.gaia["source_id"][self.right]
        self.assertIn(f"{len(ids) - len(np.unique(ids))} rows have the source_id of another", said)

    def test_columns_radius_and_where(self):
        table = self.match(columns=["sdss.*", "-lambda_eff", "phot_g_mean_mag"], radius_arcsec=0.2,
                           where="is_qso_final = 1 AND z > 2 -- far ones")  # fmt: skip
        self.assertNotIn("lambda_eff", table)
        self.assertIn("plate_duplicate", table)
        self.assertIn("phot_g_mean_mag", table)
        self.assertNotIn("phot_bp_mean_mag", table)
        wanted = (self.separation <= 0.2) & (self.sdss["z"][self.left] > 2)
        self.assert_pairs(table, self.left[wanted], self.right[wanted])

    @unittest.skipUnless(
        pathlib.Path(PLUGINS, "fits-crossmatch.so").exists(), "no plugin fits-crossmatch"
    )
    def test_the_same_as_fits_crossmatch(self):
        files = {"left": str(self.sky / "sdss_dr16q.fits"), "right": str(self.sky / "gaia_source.fits")}
        for options in ({}, {"match": "nearest", "unique": "drop", "where": "z < 1.5"}):
            one = self.match(**options)
            other = self.match(use="fits-crossmatch", **options, **files)
            self.assertEqual(list(one), list(other))
            for name, column in one.items():
                if name == "match_separation":
                    np.testing.assert_allclose(column, other[name], rtol=0, atol=1e-9)
                    continue
                self.assertEqual(column.dtype.kind, other[name].dtype.kind, name)
                self.assertTrue(equal(column, other[name]), name)

    def peak(self, *args):
        run = ["--run-dir", self.folder / "run", "--restart"]
        return self.peak_memory("--chain", self.chain(), *run, *args)

    def test_memory_is_flat(self):
        # More than are in flight at a time, and all of them: some 20 MB of rows.
        small, large = self.peak("--limit", "3000", "--in-flight", "2"), self.peak("--in-flight", "2")
        print(f"peak memory: {small} kB for 3,000 rows, {large} kB for {len(self.left)}")
        self.assertLess(large, small + 5000)

    def test_a_service_and_the_environment(self):
        facts = dict(f.split("=") for f in self.server.dsn.split())
        lines = "".join(f"{k}={v}\n" for k, v in facts.items())
        service = self.folder / "services"
        service.write_text(f"[wsdb-here]\n{lines}")
        chain = self.chain(dsn="wsdb-here", columns=["z"])
        self.run_chain(chain, env={"PGSERVICEFILE": str(service)})
        names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"}
        self.run_chain(self.chain(dsn="", columns=["z"]), "--restart",
                       env={names[k]: v for k, v in facts.items()})  # fmt: skip


@needs_postgres
class Types(SkyInDatabase):
    SOURCES = 20

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.query(
            "CREATE TABLE types(id int4, ra float4, dec float8, b bool, i2 int2, i4 int4, i8 int8, "
            'f4 float4, f8 float8, t text, v varchar(9), c char(6), q "char", "Mixed ""Case""" int4, '
            "a4 float4[], ab bool[], a2 int2[], at text[], n numeric, va int4[], aa int4[])"
        )
        cls.server.query(
            "INSERT INTO types VALUES (7, 10, 20, true, -2, -4, -8, 1.5, 'NaN', 'täxt', 'v', 'c', "
            "'q', 1, '{1,NULL,NaN}', '{t,f}', '{1,2}', '{a,bcd}', 1.5, '{1}', '{{1,2},{3,4}}'), "
            "(9, 11, 20, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
            "NULL, NULL, NULL, NULL, '{1,2}', NULL)"
        )
        cls.server.query('CREATE TABLE quasars(ra float8, dec float8, "select" int4)')
        cls.server.query("INSERT INTO quasars VALUES (10, 20, 1), (11, 20, 2), (NULL, 0, 3), "
                         "('NaN', 0, 4), (10, 95, 5)")  # fmt: skip
        cls.server.query("CREATE INDEX ON types (q3c_ang2ipix(ra, dec))")

    OPTIONS = {"left": "quasars", "right": "public.types", "id": "id", "where": ""}

    def test_values(self):
        table = self.match(**self.OPTIONS, columns=["all", "-n", "-va", "-aa"])
        self.assertEqual(table["source_id"].tolist(), [7, 9])
        self.assertEqual(table["source_id"].dtype.itemsize, 8)
        self.assertEqual(table["select"].tolist(), [1, 2])
        first = {name: column[0] for name, column in table.items()}
        self.assertEqual(
            [first[k] for k in ("b", "i2", "i4", "i8", "f4", "v", "c", "q", 'Mixed "Case"')],
            [True, -2, -4, -8, 1.5, "v", "c", "q", 1],
        )
        np.testing.assert_array_equal(first["a4"], [1, np.nan, np.nan])
        np.testing.assert_array_equal(first["ab"], [True, False])
        np.testing.assert_array_equal(first["a2"], [1, 2])
        self.assertTrue(np.isnan(table["f8"]).all())
        self.assertTrue(np.isnan(table["a4"][1]).all())
        self.assertEqual(table["c"][1].strip(), "")
        self.assertNotIn("aa", table)

    def test_an_array_of_another_length_far_down(self):
        # Beyond the rows that tell how long arrays are.
        self.server.query(
            "CREATE TABLE long AS SELECT i::int8 AS source_id, i * 0.01 AS ra, 5.0::float8 AS dec, "
            "CASE WHEN i = 1400 THEN '{1,2}' WHEN i = 1200 THEN NULL ELSE '{1,2,3}' END::float4[] AS a "
            "FROM generate_series(1, 1500) i; ALTER TABLE long ALTER ra TYPE float8;"
            "CREATE INDEX ON long (q3c_ang2ipix(ra, dec)); ANALYZE long"
        )
        options = {"left": "long", "right": "long", "where": "", "columns": ["gaia.a", "source_id"]}
        said = self.run_chain(self.chain(**options), "--restart", expect=1)
        self.assertIn("row 1400 of the answer: column 'gaia_a' (real[]): one array has 2 elements, where "
                      "others have 3", said)  # fmt: skip
        self.assertFalse((self.folder / "run/match_catalog.fits").exists())
        table = self.match(**{**options, "where": "source_id < 1400"})
        self.assertEqual(table["gaia_a"].shape, (1399, 3))
        self.assertTrue(np.isnan(table["gaia_a"][1199]).all())
        self.assertEqual(np.isnan(table["gaia_a"]).sum(), 3)

    def test_what_cannot_be_taken_is_named_and_how_to_leave_it_out(self):
        for name, leave, what in (
            ("n", ["-va", "-aa"], "numeric"),
            ("va", ["-n", "-aa"], "not all of one length"),
            ("aa", ["-n", "-va"], "2 dimensions"),
        ):
            said = self.run_chain(self.chain(**self.OPTIONS, columns=["all", *leave]),
                                  "--restart", expect=1)  # fmt: skip
            self.assertIn(f"column '{name}'", said)
            self.assertIn(what, said)
            self.assertIn(f'"-gaia.{name}"', said)


if __name__ == "__main__":
    unittest.main()
