"""`skysim load` into a real PostgreSQL with q3c."""

import pathlib
import sys
import unittest

import numpy as np

from support import ROOT, SkyTest, column_list, pairs_within, read_table, skysim

sys.path.insert(0, str(pathlib.Path(ROOT / "tests/support")))
import postgres  # noqa: E402

TYPES = {"bool": "boolean", "int16": "smallint", "int32": "integer", "int64": "bigint",
         "float32": "real", "float64": "double precision", "char": "text", "string": "text"}  # fmt: skip
TABLES = {"sdss_dr16q": "sdssdr16qso.main", "gaia_source": "gaia_dr3.gaia_source",
          "gaia_epoch": "gaia_dr3.epoch_photometry"}  # fmt: skip


@unittest.skipUnless(postgres.programs() and postgres.has_q3c(), "no PostgreSQL with q3c here")
class Load(SkyTest):
    MAKE = ("--sources", "600", "--seed", "7")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(postgres.Postgres())
        skysim("load", cls.sky, "--dsn", cls.server.dsn)
        cls.tables = {t: read_table(cls.sky / f"{t}.fits")[0] for t in TABLES}

    def test_tables_have_the_columns_of_the_wsdb(self):
        for name, table in TABLES.items():
            schema, _, plain = table.partition(".")
            found = self.server.query(
                "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a "
                f"WHERE attrelid = '{schema}.{plain}'::regclass AND attnum > 0 ORDER BY attnum")  # fmt: skip
            wanted = []
            for column, form, *_ in column_list(name):
                base, _, count = form.partition("[")
                is_array = bool(count) and base != "char"
                wanted.append([column, TYPES[base] + ("[]" if is_array else "")])
            self.assertEqual(found, wanted)

    def test_rows_have_the_values_of_the_files(self):
        for name, table in TABLES.items():
            rows = self.tables[name]
            self.assertEqual(self.server.query(f"SELECT count(*) FROM {table}"), [[str(len(rows))]])
        gaia = self.tables["gaia_source"]
        found = self.server.query(
            "SELECT source_id, ra, phot_g_mean_mag, has_epoch_photometry, phot_variable_flag, "
            "radial_velocity FROM gaia_dr3.gaia_source ORDER BY source_id, ra LIMIT 100")  # fmt: skip
        order = np.lexsort((gaia["ra"], gaia["source_id"]))[:100]
        for row, k in zip(found, order):
            self.assertEqual(int(row[0]), gaia["source_id"][k])
            self.assertEqual(float(row[1]), gaia["ra"][k])
            self.assertEqual(np.float32(row[2]), gaia["phot_g_mean_mag"][k])
            self.assertEqual(row[3] == "t", bool(gaia["has_epoch_photometry"][k]))
            self.assertEqual(row[4], gaia["phot_variable_flag"][k].strip())
            self.assertIsNone(row[5])  # a missing float is NULL there
        found = self.server.query("SELECT sdss_name, psfmag, plate_duplicate, \"2rxs_id\" "
                                  "FROM sdssdr16qso.main")  # fmt: skip
        mags = {r[0]: r[1] for r in found}
        sdss = self.tables["sdss_dr16q"]
        for k in range(0, 600, 50):
            cells = [np.float32(x) for x in mags[sdss["sdss_name"][k].strip()].strip("{}").split(",")]
            np.testing.assert_array_equal(cells, sdss["psfmag"][k])
        self.assertEqual(found[0][2].count("-1"), 74)

    def test_null_and_nan_in_arrays_stay_apart(self):
        null, nan = self.server.query(
            "SELECT count(*) FILTER (WHERE m IS NULL), count(*) FILTER (WHERE m = 'NaN') "
            "FROM gaia_dr3.epoch_photometry, unnest(bp_mag) m")[0]  # fmt: skip
        missing = sum(np.isnan(m).sum() for m in self.tables["gaia_epoch"]["bp_mag"])
        self.assertGreater(int(null), 50)
        self.assertGreater(int(nan), 50)
        self.assertEqual(int(null) + int(nan), missing)
        for column in ("transit_id", "rp_obs_time", "photometry_flag_af3_reject"):
            found = self.server.query("SELECT count(*) FROM gaia_dr3.epoch_photometry "
                                      f"WHERE cardinality({column}) <> n_transits")  # fmt: skip
            self.assertEqual(found, [["0"]])

    def test_q3c_join_uses_the_index_and_finds_the_pairs(self):
        join = ("FROM sdssdr16qso.main s, gaia_dr3.gaia_source g "
                "WHERE q3c_join(s.ra, s.dec, g.ra, g.dec, 1.0/3600)")  # fmt: skip
        plan = "\n".join(r[0] for r in self.server.query(f"EXPLAIN SELECT 1 {join}"))
        self.assertIn("gaia_source_q3c_idx", plan)
        wanted = pairs_within(self.tables["sdss_dr16q"], self.tables["gaia_source"], 1)
        self.assertEqual(self.server.query(f"SELECT count(*) {join}"), [[str(len(wanted))]])

    def test_tables_are_clustered_and_analysed(self):
        found = self.server.query("SELECT indexrelid::regclass FROM pg_index WHERE indisclustered "
                                  "ORDER BY 1")  # fmt: skip
        self.assertEqual(sorted(r[0] for r in found),
                         ["gaia_dr3.gaia_source_q3c_idx", "sdssdr16qso.main_q3c_idx"])  # fmt: skip
        found = self.server.query("SELECT reltuples FROM pg_class WHERE relname = 'gaia_source'")
        self.assertEqual(float(found[0][0]), len(self.tables["gaia_source"]))

    def test_existing_tables_are_not_overwritten(self):
        done = skysim("load", self.sky, "--dsn", self.server.dsn, expect=1)
        self.assertIn("--replace", done.stderr)
        skysim("load", self.sky, "--dsn", self.server.dsn, "--replace")
        self.test_rows_have_the_values_of_the_files()

    def test_mistakes_are_reported(self):
        done = skysim("load", self.sky, "--dsn", "host=127.0.0.1 port=1", expect=1)
        self.assertIn("no connection", done.stderr)
        done = skysim("load", self.folder / "none", "--dsn", self.server.dsn, "--replace", expect=1)
        self.assertIn("sdss_dr16q.fits", done.stderr)


if __name__ == "__main__":
    unittest.main()
