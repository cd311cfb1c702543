"""Types of columns, and kinds of tables, that a database has and FITS files do not."""

import unittest

import numpy as np
from wsdb_support import InDatabase, needs_postgres, read_table, toml


@needs_postgres
class Types(InDatabase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.query("CREATE EXTENSION q3c")
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

    OPTIONS = {"left": "quasars", "right": "public.types", "id": "id"}

    def test_values(self):
        table = self.match(**self.OPTIONS, columns=["all", "-va", "-aa"])
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
        self.assertEqual(table["n"].tolist()[0], 1.5)
        self.assertNotIn("aa", table)

    def test_an_array_of_another_length_far_down(self):
        # Beyond the rows that tell how long arrays are.
        self.server.query(
            "CREATE TABLE long AS SELECT i::int8 AS source_id, i * 0.01 AS ra, 5.0::float8 AS dec, "
            "CASE WHEN i = 1400 THEN '{1,2}' WHEN i = 1200 THEN NULL ELSE '{1,2,3}' END::float4[] AS a "
            "FROM generate_series(1, 1500) i; ALTER TABLE long ALTER ra TYPE float8;"
            "CREATE INDEX ON long (q3c_ang2ipix(ra, dec)); ANALYZE long"
        )
        options = {"left": "long", "right": "long", "columns": ["gaia.a", "source_id"]}
        said = self.run_chain(self.chain(**options), "--restart", expect=1)
        self.assertIn("row 1400 of the answer: column 'gaia_a' (real[]): one array has 2 elements, where "
                      "others have 3", said)  # fmt: skip
        self.assertFalse((self.folder / "run/match_catalog.fits").exists())
        table = self.match(**{**options, "where": "source_id < 1400"})
        self.assertEqual(table["gaia_a"].shape, (1399, 3))
        self.assertTrue(np.isnan(table["gaia_a"][1199]).all())
        self.assertEqual(np.isnan(table["gaia_a"]).sum(), 3)

    def test_other_types_come_by_a_cast_and_are_named(self):
        self.server.query(
            "CREATE TYPE kind AS ENUM ('QSO', 'GALAXY'); CREATE DOMAIN plate AS numeric(5, 0);"
            "CREATE DOMAIN good_plate AS plate CHECK (value > 0);"
            "CREATE TABLE observed AS SELECT 10.0::float8 AS ra, 20.0::float8 AS dec, 1234.56789::numeric(20, 5) AS num, "
            "123456789012345678::numeric(18, 0) AS long_id, 4711::good_plate AS plate, "
            "'11111111-2222-3333-4444-555555555555'::uuid AS uid, '2020-01-02 03:04:05.678'::timestamp AS taken_at, "
            "'2020-01-02 03:04:05+02'::timestamptz AS zoned, '2020-02-29'::date AS night, 'QSO'::kind AS class, "
            '\'{"a": 1}\'::jsonb AS notes'
        )
        # What a session is set to must not change the texts.
        self.server.query("ALTER ROLE tester SET TimeZone = 'Asia/Tokyo'; ALTER ROLE tester SET DateStyle = 'German'")
        options = {**self.OPTIONS, "left": "observed", "columns": ["sdss.*"]}
        said = self.run_chain(self.chain(**options), "--restart")
        self.server.query("ALTER ROLE tester RESET ALL")
        for words in ("num (numeric(20,5)) as f64", "uid (uuid) as string", "class (kind) as string"):
            self.assertIn(words, said)
        first = {name: column[0] for name, column in read_table(self.folder / "run/match_catalog.fits").items()}
        self.assertEqual(
            {name: first[name] for name in ("num", "long_id", "plate", "uid", "taken_at", "zoned", "night", "class", "notes")},
            {"num": 1234.56789, "long_id": 123456789012345678, "plate": 4711,
             "uid": "11111111-2222-3333-4444-555555555555", "taken_at": "2020-01-02 03:04:05.678",
             "zoned": "2020-01-02 01:04:05+00", "night": "2020-02-29", "class": "QSO", "notes": '{"a": 1}'},
        )  # fmt: skip

    def test_all_that_cannot_be_taken_is_named_with_what_leaves_it_out(self):
        self.server.query(
            "CREATE TYPE pair AS (a int4, b int4); CREATE TABLE untaken AS SELECT *, '{1.5,2.5}'::numeric[] AS nums, "
            "'\\xdeadbeef'::bytea AS blob, ROW(1, 2)::pair AS both FROM quasars"
        )
        options = {**self.OPTIONS, "left": "untaken"}
        said = self.run_chain(self.chain(**options), "--restart", expect=1)
        for words in (
            "untaken: column 'nums' cannot be taken: arrays of this type (numeric[])", "::float8[]",
            "column 'blob' cannot be taken: bytea", "encode(..., 'hex')",
            "column 'both' cannot be taken: pair has several fields",
            "column 'va' cannot be taken: its arrays are not all of one length",
            "column 'aa' cannot be taken: its arrays have 2 dimensions",
        ):  # fmt: skip
            self.assertIn(words, said)
        leave = ["-sdss.nums", "-sdss.blob", "-sdss.both", "-gaia.va", "-gaia.aa"]
        self.assertIn(f"leave them out: columns = {toml(['all', *leave])}", said)
        self.assertNotIn("nums", self.match(**options, columns=["all", *leave]))
        said = self.run_chain(self.chain(**options, columns=["nums", "blob"]), "--restart", expect=1)
        self.assertIn('columns = ["nums", "blob", "-sdss.nums", "-sdss.blob"]', said)

    def test_an_identifier_that_is_no_integer_says_what_to_cast(self):
        self.server.query("CREATE VIEW by_number AS SELECT id::numeric AS id, ra, dec FROM types")
        said = self.run_chain(self.chain(**{**self.OPTIONS, "right": "by_number"}), "--restart", expect=1)
        self.assertIn('column \'id\' (option \'id\') is numeric, but identifiers are integers or texts', said)
        self.assertIn('"id"::int8', said)

    def test_the_least_integer_is_a_value_and_null_is_not(self):
        self.server.query(
            "CREATE TABLE extremes AS SELECT i AS id, 10.0::float8 AS ra, 20.0::float8 AS dec, "
            "CASE WHEN i = 2 THEN '-32768'::int2 END AS least2, "
            "CASE WHEN i = 2 THEN '-9223372036854775808'::int8 END AS least8 FROM generate_series(1, 2) i"
        )
        chain = self.chain(**{**self.OPTIONS, "left": "extremes", "columns": ["least2", "least8"]})
        text = chain.read_text()
        chain.write_text(text[: text.rindex("[[stage]]")] + '[[stage]]\nuse = "require"\ncolumns = ["least2", "least8"]\n')
        said = self.run_chain(chain, "--dry-run", "10")
        self.assertRegex(said, r"require\s+Filter\s+2\s+1 ")


@needs_postgres
class Kinds(InDatabase):
    """The right table in every form; 1,000 of its 10,000 rows have a quasar."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.query(
            "CREATE EXTENSION q3c; SELECT setseed(0.5);"
            "CREATE TABLE sources AS SELECT i::int8 AS source_id, random() * 360 AS ra, "
            "degrees(asin(2 * random() - 1)) AS dec, 'source ' || i AS name FROM generate_series(1, 10000) i;"
            "CREATE INDEX ON sources (q3c_ang2ipix(ra, dec)); ANALYZE sources;"
            "CREATE TABLE quasars AS SELECT source_id AS id, ra, dec FROM sources WHERE source_id % 10 = 0;"
            "ANALYZE quasars"
        )

    def pairs(self, right, expect=0, dsn=None, **options):
        """What was said; the product is that of the plain table."""
        chain = self.chain(left="quasars", right=right, dsn=dsn or self.server.dsn, **options)
        said = self.run_chain(chain, "--restart", expect=expect)
        table = read_table(self.folder / "run/match_catalog.fits")
        np.testing.assert_array_equal(table["source_id"], table["id"])
        names = np.char.rstrip(table["name"])
        np.testing.assert_array_equal(names, [f"source {i}" for i in table["id"]])
        self.assertEqual(len(table["id"]), 1000)
        return said

    def test_a_partitioned_table(self):
        self.server.query(
            "CREATE TABLE zones (LIKE sources) PARTITION BY RANGE (dec);"
            "CREATE TABLE zone_1 PARTITION OF zones FOR VALUES FROM (-90) TO (0);"
            "CREATE TABLE zone_2 PARTITION OF zones FOR VALUES FROM (0) TO (91);"
            "INSERT INTO zones SELECT * FROM sources; CREATE INDEX ON zone_1 (q3c_ang2ipix(ra, dec)); ANALYZE zones"
        )
        said = self.pairs("zones")
        self.assertIn('1 of 2 parts of "zones" have no q3c index', said)
        self.assertIn('zone_2; CREATE INDEX ON "zones"', said)
        self.server.query("CREATE INDEX ON zones (q3c_ang2ipix(ra, dec)); ANALYZE zones")
        self.assertNotIn("q3c index", self.pairs("zones"))

    def test_a_table_that_others_inherit_from(self):
        # Their rows have the same ctids.
        self.server.query(
            "CREATE TABLE parent (LIKE sources); CREATE TABLE south () INHERITS (parent);"
            "CREATE TABLE north () INHERITS (parent);"
            "INSERT INTO south SELECT * FROM sources WHERE dec < 0; INSERT INTO north SELECT * FROM sources WHERE dec >= 0;"
            "CREATE INDEX ON south (q3c_ang2ipix(ra, dec)); CREATE INDEX ON north (q3c_ang2ipix(ra, dec));"
            "ANALYZE parent; ANALYZE south; ANALYZE north;"
            "CREATE TABLE left_parent (LIKE quasars); CREATE TABLE left_child () INHERITS (left_parent);"
            "INSERT INTO left_parent SELECT * FROM quasars WHERE dec < 0; INSERT INTO left_child SELECT * FROM quasars WHERE dec >= 0"
        )
        self.assertNotIn("q3c index", self.pairs("parent"))
        self.assertIn("1000 of 1000 rows of left_parent have a match",
                      self.run_chain(self.chain(left="left_parent", right="sources"), "--restart"))  # fmt: skip
        ids = read_table(self.folder / "run/match_catalog.fits")
        np.testing.assert_array_equal(ids["source_id"], ids["id"])

    def test_a_view_that_the_index_reaches(self):
        self.server.query("CREATE VIEW plain AS SELECT * FROM sources; CREATE VIEW joined AS SELECT s.source_id, ra, dec, "
                          "n.name FROM sources s JOIN (SELECT source_id, name FROM sources) n USING (source_id) "
                          "WHERE s.source_id > 0; CREATE INDEX ON sources (source_id)")  # fmt: skip
        for view in ("plain", "joined"):
            self.assertNotIn("q3c index", self.pairs(view))

    def test_a_view_that_it_does_not_reach_says_how_long_and_why(self):
        self.server.query("CREATE VIEW grouped AS SELECT source_id, avg(ra) AS ra, avg(dec) AS dec, min(name) AS name "
                          "FROM sources GROUP BY source_id")  # fmt: skip
        said = self.pairs("grouped")
        self.assertRegex(said, r"will not use a q3c index on .* each of 1000 left rows with each of about 10000 right "
                               r"rows, which takes about 1 s; it is a view: .*GROUP BY")  # fmt: skip

    def test_a_foreign_table(self):
        options = f"host '127.0.0.1', dbname 'postgres', port '{self.server.port}'"
        self.server.query(
            f"CREATE EXTENSION postgres_fdw; CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS ({options});"
            "CREATE USER MAPPING FOR tester SERVER other OPTIONS (user 'tester');"
            "CREATE FOREIGN TABLE far (source_id int8, ra float8, dec float8, name text) SERVER other "
            "OPTIONS (schema_name 'public', table_name 'sources')"
        )
        said = self.pairs("far")
        self.assertIn("it is a foreign table", said)
        self.assertIn("use_remote_estimate", said)
        self.server.query("ALTER SERVER other OPTIONS (ADD extensions 'q3c', ADD use_remote_estimate 'true')")
        said = self.pairs("far")
        self.assertNotIn("q3c index", said)
        self.assertIn("among the rows of far", said)  # which are not counted

    def test_an_index_on_other_columns_is_shown(self):
        self.server.query("CREATE TABLE cast_index AS SELECT source_id, ra::real AS ra, dec::real AS dec, name FROM sources;"
                          "CREATE INDEX ON cast_index (q3c_ang2ipix(ra::float8, dec::float8)); ANALYZE cast_index")  # fmt: skip
        said = self.pairs("cast_index")
        self.assertIn("q3c_ang2ipix((ra)::double precision, (", said)
        self.assertIn("but not on ra and dec as they are", said)

    def test_q3c_in_another_schema(self):
        self.server.query("CREATE DATABASE tidy")
        dsn = self.dsn(dbname="tidy")
        there = type(self.server).query
        real, self.server.dsn = self.server.dsn, dsn
        try:
            there(self.server, "CREATE SCHEMA extensions; CREATE EXTENSION q3c SCHEMA extensions;"
                  "CREATE TABLE sources AS SELECT i::int8 AS source_id, i * 0.1::float8 AS ra, 5::float8 AS dec "
                  "FROM generate_series(1, 2000) i; CREATE INDEX ON sources (extensions.q3c_ang2ipix(ra, dec));"
                  "ANALYZE sources")  # fmt: skip
        finally:
            self.server.dsn = real
        said = self.run_chain(self.chain(dsn=dsn, left="sources", right="sources"), "--restart")
        self.assertIn("2000 of 2000 rows of sources have a match", said)
        self.assertNotIn("q3c index", said)

    def test_row_level_security_that_hides_all_is_suspected(self):
        self.server.query(
            "CREATE ROLE outsider LOGIN; CREATE TABLE secret AS SELECT * FROM quasars;"
            "CREATE TABLE secret_sources AS SELECT * FROM sources; CREATE INDEX ON secret_sources (q3c_ang2ipix(ra, dec));"
            "ALTER TABLE secret ENABLE ROW LEVEL SECURITY; ALTER TABLE secret_sources ENABLE ROW LEVEL SECURITY;"
            "GRANT SELECT ON secret, secret_sources, quasars, sources TO outsider; ANALYZE secret_sources"
        )
        dsn = self.dsn(user="outsider")
        said = self.run_chain(self.chain(dsn=dsn, left="secret", right="sources"), "--restart")
        self.assertIn("row-level security is active on \"secret\" for role 'outsider'", said)
        self.assertIn("warning: match: 0 of 0 rows of secret have a match", said)
        # Some rows are seen, but not through the index.
        self.server.query("CREATE POLICY all_of_them ON secret_sources USING (source_id > 0)")
        said = self.pairs("secret_sources", dsn=dsn)
        self.assertIn("row-level security is active on \"secret_sources\"", said)
        self.assertIn("BYPASSRLS", said)
        self.assertNotIn("row-level", self.pairs("secret_sources"))

    def test_a_stage_that_lacks_a_column_says_so_before_a_row_is_asked_for(self):
        self.server.query("ALTER ROLE tester SET log_statement = 'all'")
        self.addCleanup(self.server.query, "ALTER ROLE tester RESET ALL")
        chain = self.chain(left="quasars", right="sources", columns=["sdss.ra"])
        chain.write_text(chain.read_text() + '[[stage]]\nuse = "require"\ncolumns = ["naem"]\n')
        said = self.run_chain(chain, "--restart", expect=2)
        self.assertIn("require needs column 'naem'", said)
        log = (self.server.folder / "log").read_text(errors="replace")
        self.assertIn("EXPLAIN (VERBOSE, COSTS OFF) WITH pairs", log)
        self.assertNotIn("COPY (WITH pairs", log[log.rindex("EXPLAIN (VERBOSE") :])


if __name__ == "__main__":
    unittest.main()
