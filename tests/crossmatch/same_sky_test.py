"""One awkward sky, in FITS files and in a database: fits-crossmatch and wsdb-crossmatch give the same
rows, columns, types and values, and the rows that astropy gives."""

import itertools
import pathlib
import subprocess
import tempfile
import unittest

import expected
import numpy as np
from awkward_sky import columns, form_of, write_fits
from wsdb_support import InDatabase, needs_postgres

SQL = {"D": "float8", "E": "float4", "I": "int2", "J": "int4", "K": "int8", "L": "bool"}


def text_of(value, null):
    if isinstance(value, np.ndarray):
        return "{" + ",".join(text_of(v, False) for v in value) + "}"
    if isinstance(value, (float, np.floating)) and np.isnan(value) and null:
        return r"\N"
    return repr(float(value)) if isinstance(value, np.float32) else str(value)


def load(server, name, table):
    """NaN is NaN, but NULL in every third row."""
    kinds = []
    for column, values in table.items():
        kind = "text" if values.dtype.kind == "U" else SQL[form_of(values)[-1]]
        kinds.append(f'"{column}" {kind}{"[]" * (values.ndim > 1)}')
    server.query(f"CREATE TABLE {name} ({', '.join(kinds)})")
    rows = zip(*table.values())
    text = "\n".join("\t".join(text_of(v, i % 3 == 0) for v in row) for i, row in enumerate(rows))
    subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", server.dsn, "-c", f"COPY {name} FROM STDIN"],
                   input=text + "\n", text=True, check=True)  # fmt: skip


@needs_postgres
class SameSky(InDatabase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.left, cls.right = columns(np.random.default_rng(7))
        cls.files = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.server.query("CREATE EXTENSION q3c")
        for name, table in (("lefts", cls.left), ("rights", cls.right)):
            write_fits(cls.files / f"{name}.fits", table)
            load(cls.server, name, table)
        cls.server.query('CREATE INDEX ON rights (q3c_ang2ipix("Ra", "dec")); ANALYZE')

    def two(self, left="lefts", right="rights", **options):
        """The product of either, after a look at whether they are the same."""
        files = {side: str(self.files / f"{side}s.fits") for side in ("left", "right")}
        here = self.match(use="fits-crossmatch", **files, **options)
        there = self.match(left=left, right=right, **options)
        self.assert_same(there, here)
        return here

    def assert_same(self, there, here):
        self.assertEqual(list(there), list(here))
        for name, column in here.items():
            other = there[name]
            if column.dtype.kind in "SU":
                self.assertEqual(np.char.rstrip(other).tolist(), np.char.rstrip(column).tolist(), name)
                continue
            self.assertEqual((other.dtype.kind, other.dtype.itemsize, other.shape),
                             (column.dtype.kind, column.dtype.itemsize, column.shape), name)  # fmt: skip
            if name == "match_separation":
                np.testing.assert_allclose(other, column, rtol=0, atol=1e-9)
            else:
                np.testing.assert_array_equal(other, column, name)

    def assert_pairs(self, product, radius, take=None, **options):
        left = {n.lower(): c for n, c in self.left.items()}
        right = {n.lower(): c for n, c in self.right.items()}
        a, b, separation, n_matches = expected.pairs(left, right, radius, take, **options)
        np.testing.assert_array_equal(product["sdss_SOURCE_ID"], a)
        np.testing.assert_array_equal(product["source_id"], right["source_id"][b])
        np.testing.assert_array_equal(product["n_matches"], n_matches)
        np.testing.assert_allclose(product["match_separation"], separation, rtol=0, atol=1e-6)
        return a, b

    def test_every_mode(self):
        sizes = set()
        for match, unique in itertools.product(("all", "nearest"), ("keep", "nearest", "drop")):
            with self.subTest(match=match, unique=unique):
                product = self.two(match=match, unique=unique, radius_arcsec=2.0)
                self.assert_pairs(product, 2.0, match=match, unique=unique)
                sizes.add(len(product["source_id"]))
                repeats = len(product["source_id"]) - len(np.unique(product["source_id"]))
                self.assertEqual(repeats > 20, unique == "keep")
        self.assertEqual(len(sizes), 6)

    def test_radii_from_nothing_to_degrees(self):
        for radius in (0.0, 0.3, 30.0, 1800.0):
            with self.subTest(radius=radius):
                product = self.two(radius_arcsec=radius, columns=["sdss.source_id"])
                if radius > 0:
                    self.assert_pairs(product, radius)
                    continue
                # Every place that is there on both sides, however it is written.
                self.assertEqual(product["match_separation"].max(), 0)
                places = set(zip(self.right["Ra"] % 360, self.right["dec"]))
                same = [i for i, p in enumerate(zip(self.left["ra"] % 360, self.left["dec"])) if p in places]
                self.assertGreater(len(same), 40)
                self.assertLessEqual(set(same), set(product["sdss_SOURCE_ID"].tolist()))

    def test_the_names_that_meet(self):
        product = self.two(radius_arcsec=1.0)
        self.assertEqual(list(product), [
            "source_id", "Name", "sdss_ra", "sdss_dec", "is_qso_final", "sdss_z", "sdss_sdss_z", "mag",
            "sdss_n_matches", "sdss_SOURCE_ID", "solution", "gaia_Ra", "gaia_dec", "gaia_Z", "is_variable",
            "gaia_match_separation", "class", "match_separation", "n_matches", "ra", "dec"])  # fmt: skip
        a, b = self.assert_pairs(product, 1.0)
        np.testing.assert_array_equal(product["sdss_sdss_z"], self.left["sdss_z"][a])
        np.testing.assert_array_equal(product["gaia_match_separation"], self.right["match_separation"][b])
        np.testing.assert_array_equal(product["sdss_z"], self.left["z"][a])
        np.testing.assert_array_equal(product["mag"], self.left["mag"][a])
        np.testing.assert_array_equal(product["is_variable"], self.right["is_variable"][b])

    def test_lists_and_excludes(self):
        for choice, names in (
            (["sdss.*", "-mag", "-sdss.sdss_z"], ["Name", "sdss_ra", "sdss_z", "sdss_SOURCE_ID", "ra", "dec"]),
            (["z", "gaia.RA"], ["sdss_z", "gaia_Z", "gaia_Ra"]),
            (["all", "-gaia.*"], ["mag", "sdss_n_matches"]),
            (["-sdss.*", "-class"], ["solution", "gaia_match_separation"]),
        ):  # fmt: skip
            with self.subTest(choice=choice):
                product = self.two(columns=choice)
                self.assertLessEqual({*names, "source_id", "n_matches"}, set(product))
                self.assertEqual("mag" in product, "mag" in names)
                self.assertNotIn("class" if "-class" in choice else "no", product)

    def test_where_and_prefixes(self):
        product = self.two(where="is_qso_final = 1 and z < 1.5 -- a comment", prefixes=["a", "b"],
                           match="nearest")  # fmt: skip
        self.assertGreater(len(product["source_id"]), 100)
        self.assertLess(product["a_z"].max(), 1.5)
        # FITS has NaN for NULL, so here a view does too; left = NaN would be greater than all numbers.
        self.server.query("CREATE VIEW given AS SELECT \"Name\", ra, dec, is_qso_final, nullif(z, 'NaN') AS z, "
                          "sdss_z, mag, n_matches, \"SOURCE_ID\" FROM lefts")  # fmt: skip
        product = self.two(where="z IS NULL OR z < 1", left="given")
        self.assertTrue((np.isnan(product["sdss_z"]) | (product["sdss_z"] < 1)).all())
        self.assertTrue(np.isnan(product["sdss_z"]).any())

    def test_a_view_and_a_partitioned_table_on_the_left(self):
        self.server.query("CREATE VIEW seen AS SELECT * FROM lefts")
        self.server.query("CREATE TABLE parts (LIKE lefts) PARTITION BY RANGE (n_matches);"
                          "CREATE TABLE first_part PARTITION OF parts FOR VALUES FROM (0) TO (600);"
                          "CREATE TABLE second_part PARTITION OF parts FOR VALUES FROM (600) TO (9999);"
                          "INSERT INTO parts SELECT * FROM lefts")  # fmt: skip
        for left in ("seen", "parts"):
            for options in ({}, {"match": "nearest", "unique": "nearest", "where": "is_qso_final = 1"}):
                with self.subTest(left=left, options=options):
                    self.two(left=left, radius_arcsec=2.0, **options)

    def test_a_view_and_a_partitioned_table_on_the_right(self):
        self.server.query('CREATE VIEW seen_right AS SELECT * FROM rights; ANALYZE lefts;'
                          'CREATE TABLE right_parts (LIKE rights) PARTITION BY RANGE ("dec");'
                          "CREATE TABLE south PARTITION OF right_parts FOR VALUES FROM (-99) TO (20);"
                          "CREATE TABLE north PARTITION OF right_parts DEFAULT;"
                          "INSERT INTO right_parts SELECT * FROM rights;"
                          'CREATE INDEX ON right_parts (q3c_ang2ipix("Ra", "dec")); ANALYZE right_parts')  # fmt: skip
        for right in ("seen_right", "right_parts"):
            for options in ({}, {"match": "nearest", "unique": "drop"}, {"columns": ["sdss.source_id"]}):
                with self.subTest(right=right, options=options):
                    self.two(right=right, radius_arcsec=2.0, **options)


if __name__ == "__main__":
    unittest.main()
