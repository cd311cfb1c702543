"""One table in every form that programs write, at every reader: the same products. The files are
written by astropy."""

import gzip
import pathlib
import sys
import unittest
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from astropy.io import ascii, fits  # noqa: E402
from astropy.io.votable import from_table, writeto  # noqa: E402
from astropy.table import MaskedColumn, Table  # noqa: E402
from chains import ChainTest, np, read_table  # noqa: E402

ROWS = 2500  # more than two blocks


def catalogue():
    """Awkward values: identifiers of 64 bits, wrap of RA, missing values of every type."""
    rng = np.random.default_rng(1)
    ids = 6917528997577384321 + rng.permutation(ROWS) * 131
    table = Table()
    table["source_id"] = ids
    table["ra"] = np.round(rng.uniform(0, 360, ROWS), 9)
    table["dec"] = np.round(rng.uniform(-90, 90, ROWS), 9)
    table["z"] = MaskedColumn(np.round(rng.uniform(0, 5, ROWS), 6), mask=np.arange(ROWS) % 7 == 3)
    table["n"] = MaskedColumn(rng.integers(-5, 5, ROWS), mask=np.arange(ROWS) % 11 == 5)
    table["name"] = [f"J{i:04d}+x" for i in range(ROWS)]
    table["ra"].unit = table["dec"].unit = "deg"
    return table


def as_text_fits(table, path):
    columns = [fits.Column("source_id", "A20", array=np.array([str(i) for i in table["source_id"]])),
               fits.Column("ra", "D25.17", unit="deg", array=table["ra"]),
               fits.Column("dec", "D25.17", unit="deg", array=table["dec"]),
               fits.Column("z", "D25.17", array=table["z"].filled(np.nan)),
               fits.Column("n", "I10", null="-99", array=table["n"].filled(-99)),
               fits.Column("name", "A7", array=table["name"])]  # fmt: skip
    fits.TableHDU.from_columns(columns).writeto(path)


def as_votable(serialisation):
    def write(table, path):
        votable = from_table(table)
        if "n" in table.colnames:
            votable.get_first_table().get_field_by_id("n").values.null = -99
        writeto(votable, str(path), tabledata_format=serialisation)

    return write


def as_ascii(**how):
    return lambda table, path: ascii.write(table, path, **how)


FORMS = {
    "fits": lambda table, path: table.write(path, format="fits"),
    "tabledata": as_votable("tabledata"),
    "binary": as_votable("binary"),
    "binary2": as_votable("binary2"),
    "ecsv": as_ascii(format="ecsv"),
    "ecsv_commas": as_ascii(format="ecsv", delimiter=","),
    "ipac": as_ascii(format="ipac"),
    "csv": as_ascii(format="csv", fill_values=[(ascii.masked, "")]),
    "csv_null": as_ascii(format="csv", fill_values=[(ascii.masked, "NULL")]),
    "tsv": as_ascii(format="tab", fill_values=[(ascii.masked, "--")]),
    "semicolons": as_ascii(format="basic", delimiter=";", fill_values=[(ascii.masked, "N/A")]),
    "commented": as_ascii(format="commented_header", fill_values=[(ascii.masked, "nan")]),
}

CATALOGUE = """
[chain]
name = "c"
[[stage]]
use = "catalog-source"
label = "cat"
path = "{file}"
[[stage]]
use = "fits-sink"
what = "catalog"
"""

CROSSMATCH = """
[chain]
name = "c"
[[stage]]
use = "fits-crossmatch"
label = "match"
left = "{left}"
right = "{right}"
where = "z > 1 AND n IS NOT NULL"
[[stage]]
use = "fits-sink"
what = "catalog"
"""


class FormsTest(ChainTest):
    def setUp(self):
        super().setUp()
        self.table = catalogue()
        self.files = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for form, write in FORMS.items():
                self.files[form] = self.folder / f"{form}.table"
                write(self.table, self.files[form])
            self.files["gzipped"] = self.folder / "gzipped.table"
            self.files["gzipped"].write_bytes(gzip.compress(self.files["csv"].read_bytes()))
            self.files["gzipped_votable"] = self.folder / "gzipped_votable.table"
            self.files["gzipped_votable"].write_bytes(
                gzip.compress(self.files["binary2"].read_bytes()))  # fmt: skip

    def product(self, text):
        chain = self.write("c.toml", text)
        self.qsohost("--chain", chain, "--run-dir", "run", "--restart")
        return read_table(self.folder / "run/c_catalog.fits")

    def assert_same(self, got, want, form):
        table, header = got
        other, other_header = want
        self.assertEqual(list(table), list(other), form)
        for n, name in enumerate(table, 1):
            # Texts have no types, so a small integer may become a wider one.
            if table[name].dtype.kind in "iu":
                nulls = [h.get(f"TNULL{n}") for h in (header, other_header)]
                a = np.ma.masked_equal(table[name].astype("i8"), nulls[0]) if nulls[0] else table[name]
                b = np.ma.masked_equal(other[name].astype("i8"), nulls[1]) if nulls[1] else other[name]
                self.assertEqual(list(a), list(b), f"{form}: {name}")
            else:
                np.testing.assert_array_equal(table[name], other[name], f"{form}: {name}")

    def test_a_catalogue(self):
        want = self.product(CATALOGUE.format(file=self.files["fits"]))
        np.testing.assert_array_equal(want[0]["source_id"], self.table["source_id"])
        np.testing.assert_array_equal(want[0]["z"], self.table["z"].filled(np.nan))
        for form, file in self.files.items():
            with self.subTest(form):
                self.assert_same(self.product(CATALOGUE.format(file=file)), want, form)

    def test_text_table_of_fits(self):
        as_text_fits(self.table, self.folder / "text.fits")
        table, _ = self.product(CATALOGUE.format(file="text.fits"))
        self.assertEqual([int(i) for i in table["source_id"]], list(self.table["source_id"]))
        np.testing.assert_array_equal(table["ra"], self.table["ra"])
        np.testing.assert_array_equal(table["z"], self.table["z"].filled(np.nan))

    def test_both_sides_of_a_crossmatch(self):
        fits_file = self.files["fits"]
        want = self.product(CROSSMATCH.format(left=fits_file, right=fits_file))
        self.assertGreater(len(want[0]["source_id"]), ROWS // 2)
        for form, file in self.files.items():
            for left, right in ((file, fits_file), (fits_file, file)):
                with self.subTest(form, left=left == file):
                    got = self.product(CROSSMATCH.format(left=left, right=right))
                    self.assert_same(got, want, form)

    def test_a_file_is_described(self):
        for form, file in self.files.items():
            with self.subTest(form):
                said = self.qsohost("describe", file).stdout
                self.assertIn("2,500 rows, 6 columns", said)
                self.assertIn('use = "catalog-source"', said)
                entry = said[said.index("[[stage]]"):]
                self.product('[chain]\nname = "c"\n' + entry + '[[stage]]\nuse = "fits-sink"\nwhat = "catalog"\n')


if __name__ == "__main__":
    unittest.main()
