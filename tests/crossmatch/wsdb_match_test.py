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

    def test_what_matches_is_counted(self):
        said = self.run_chain(self.chain(columns=["sdss_name"]))
        final, pairs = np.count_nonzero(self.sdss["is_qso_final"] == 1), len(self.left)
        repeats = np.count_nonzero(np.unique(self.gaia["source_id"][self.right], return_counts=True)[1] > 1)
        self.assertIn(
            f"{len(np.unique(self.left))} of {final} rows of sdssdr16qso.main have a match within 1 arcsec "
            f"among {len(self.gaia['ra'])} rows of gaia_dr3.gaia_source: {pairs} pairs, of which {pairs} are "
            f"taken; {repeats} identifiers are in several pairs (unique = \"keep\")", said)

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


if __name__ == "__main__":
    unittest.main()
