"""Positions in a database that are missing, written otherwise, or of other types than double precision."""

import time
import unittest

import numpy as np
from astropy.table import Table
from wsdb_support import InDatabase, needs_postgres

RA = [np.nan, 10.0, np.nan, np.inf, 10.0, 370.0, -710.0, 10.0, 10.0, 1e20]  # of rows 1 to 10
DEC = [0.1, np.nan, 0.3, 0.4, 95.0, 0.6, 0.7, 0.8, 0.9, 1.0]


@needs_postgres
class Positions(InDatabase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.query(
            "CREATE EXTENSION q3c;"
            "CREATE TABLE sources AS SELECT (9000 + i)::int8 AS source_id, 10.0::float8 AS ra, "
            "(0.1 * i + 0.0001)::float8 AS dec FROM generate_series(1, 10) i;"
            "CREATE INDEX ON sources (q3c_ang2ipix(ra, dec)); ANALYZE sources;"
            "CREATE TABLE quasars AS SELECT i AS id, 10.0::float8 AS ra, (0.1 * i)::float8 AS dec "
            "FROM generate_series(1, 10) i"
        )

    def quasars(self, name, ra, dec, kind="float8"):
        """A table of the ten rows; a NaN of RA in the third is NULL."""
        rows = ", ".join(f"({i}, {'NULL' if i == 3 and np.isnan(a) else repr(str(a))}, '{d}')"
                         for i, (a, d) in enumerate(zip(ra, dec), 1))  # fmt: skip
        self.server.query(f"CREATE TABLE {name} (id int4, ra {kind}, dec {kind}); INSERT INTO {name} VALUES {rows}")

    def said(self, **options):
        return self.run_chain(self.chain(**{"right": "sources", **options}), "--restart")

    def ids(self):
        return sorted(Table.read(self.folder / "run/match_catalog.fits")["id"].tolist())

    def test_rows_without_a_position_are_counted_in_the_words_of_fits_crossmatch(self):
        self.quasars("missing", RA, DEC)
        said = self.said(left="missing")
        self.assertEqual(self.ids(), [6, 7, 8, 9])
        status = self.qsohost("status", self.folder / "run").stdout
        Table({"id": np.arange(1, 11), "ra": RA, "dec": DEC}).write(self.folder / "missing.fits")
        Table({"source_id": 9000 + np.arange(1, 11), "ra": np.full(10, 10.0), "dec": 0.1 * np.arange(1, 11) + 0.0001}
              ).write(self.folder / "sources.fits")  # fmt: skip
        others = self.said(use="fits-crossmatch", left="missing.fits", right="sources.fits")
        self.assertEqual(self.ids(), [6, 7, 8, 9])
        for words in (
            "missing: 6 of 10 rows have no position on the sky",
            "missing: 2 of 10 rows have RA outside [0, 360), taken modulo 360",
            "4 of 10 rows of missing have a match within 1.0 arcsec among 10 rows of sources: 4 pairs",
        ):
            words = words.replace("1.0", "1")
            self.assertIn(words, said)
            self.assertIn(words, others.replace(".fits", "").replace(str(self.folder) + "/", ""))
        line = next(line for line in status.splitlines() if line.startswith("left: missing"))
        self.assertEqual(line.split()[2:], ["10", "6", "2", "4", "6"])  # with and without a match

    def test_turns_of_ra_change_nothing(self):
        for turns in (-720, -360, 360, 3600):
            with self.subTest(turns=turns):
                self.server.query(f"CREATE OR REPLACE VIEW turned AS SELECT id, ra + ({turns}) AS ra, dec FROM quasars;"
                                  f"CREATE OR REPLACE VIEW turned_right AS SELECT source_id, ra - ({turns}) AS ra, dec FROM sources")  # fmt: skip
                said = self.said(left="turned")
                self.assertIn("turned: 10 of 10 rows have RA outside [0, 360)", said)
                self.assertEqual(self.ids(), list(range(1, 11)))
                self.said(left="quasars", right="turned_right")
                self.assertEqual(self.ids(), list(range(1, 11)))

    def test_a_run_that_matches_nothing_warns(self):
        self.server.query("CREATE VIEW elsewhere AS SELECT id, ra + 90 AS ra, dec FROM quasars")
        for options in ({}, {"unique": "drop"}):
            said = self.said(left="elsewhere", **options)
            self.assertIn("warning: match: 0 of 10 rows of elsewhere have a match within 1 arcsec", said)

    def test_numeric_and_integer_positions_are_numbers(self):
        self.quasars("numerics", [10.0] * 10, [0.1 * i for i in range(1, 11)], "numeric(12, 7)")
        self.server.query("UPDATE numerics SET ra = 'NaN' WHERE id = 4; CREATE TABLE numeric_sources AS SELECT "
                          "source_id, ra::numeric, dec::numeric FROM sources; CREATE INDEX ON numeric_sources "
                          "(q3c_ang2ipix(ra, dec)); ANALYZE numeric_sources")  # fmt: skip
        said = self.said(left="numerics", right="numeric_sources")
        self.assertEqual(self.ids(), [1, 2, 3, 5, 6, 7, 8, 9, 10])
        self.assertIn("sdss_ra (numeric(12,7)) as f64", said)
        self.assertNotIn("q3c index", said)
        self.server.query("CREATE TABLE round_sources AS SELECT 1::int8 AS source_id, 10 AS ra, 1 AS dec;"
                          "CREATE INDEX ON round_sources (q3c_ang2ipix(ra, dec))")  # fmt: skip
        self.said(left="quasars", right="round_sources")
        self.assertEqual(self.ids(), [10])

    def test_positions_that_are_no_numbers_say_what_to_cast(self):
        self.server.query("CREATE VIEW texts AS SELECT id, ra::text, dec FROM quasars")
        said = self.run_chain(self.chain(left="texts", right="sources"), "--restart", expect=1)
        self.assertIn("texts: column 'ra' (option 'left_ra') is text, but positions are numbers", said)
        self.assertIn('"ra"::float8', said)

    def test_real_positions_take_about_as_long_as_double_precision(self):
        self.server.query(
            "CREATE TABLE many AS SELECT i::int8 AS source_id, random() * 360 AS ra, "
            "degrees(asin(2 * random() - 1)) AS dec FROM generate_series(1, 200000) i;"
            "CREATE INDEX ON many (q3c_ang2ipix(ra, dec)); ANALYZE many;"
            "CREATE TABLE doubles AS SELECT i AS id, (random() * 360)::float8 AS ra, "
            "degrees(asin(2 * random() - 1))::float8 AS dec FROM generate_series(1, 10000) i;"
            "CREATE TABLE reals AS SELECT id, ra::real, dec::real FROM doubles;"
            "CREATE TABLE numbers AS SELECT id, ra::numeric(12, 7), dec::numeric(12, 7) FROM doubles;"
            "CREATE VIEW sums AS SELECT id, ra + 0::float8 AS ra, dec - 0::float8 AS dec FROM doubles"
        )
        seconds = {}
        for left in ("doubles", "reals", "numbers", "sums"):
            begin = time.monotonic()
            said = self.said(left=left, right="many", radius_arcsec=60)
            seconds[left] = time.monotonic() - begin
            self.assertNotIn("q3c index", said)
            self.assertGreater(len(self.ids()), 20)
        print(seconds)
        # Without the index it is a hundred times.
        self.assertLess(max(seconds.values()), 10 * seconds["doubles"])


if __name__ == "__main__":
    unittest.main()
