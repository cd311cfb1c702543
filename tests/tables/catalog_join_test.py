"""catalog-join beside astropy: join() by key, match_to_catalog_sky() by position, on catalogues with
repeated and missing keys, NaN, -999, wide columns, positions across RA 0 and at the poles."""

import json
import pathlib
import sys
import unittest
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from astropy import units  # noqa: E402
from astropy.coordinates import SkyCoord, match_coordinates_sky  # noqa: E402
from astropy.table import MaskedColumn, Table, join, unique  # noqa: E402
from chains import ChainTest, np, read_table  # noqa: E402

OBJECTS, ROWS = 300, 1000
FORMS = {"fits": "fits", "csv": "ascii.csv", "vot": "votable"}

CHAIN = """
[chain]
name = "j"
batch_rows = 64
[[stage]]
use = "catalog-source"
path = "objects.fits"
[[stage]]
use = "catalog-join"
label = "other"
path = "{file}"
{options}
{more}
[[stage]]
use = "fits-sink"
what = "catalog"
"""
BY_KEY = 'key = "plate"\ntheir_key = "PLATE"\nprefix = "q_"\nnull_values = [-999]\n'
BY_POSITION = 'radius_arcsec = 2.0\ntheir_ra = "RA"\ntheir_dec = "DEC"\nprefix = "q_"\n'


def nan_of(column):
    return np.ma.filled(np.ma.masked_invalid(np.ma.asarray(column, dtype=float)), np.nan)


def positions(rng, count):
    """All over the sky, and many around RA 0 and the poles."""
    ra = rng.uniform(0, 360, count)
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    ra[: count // 4] = rng.uniform(-0.001, 0.001, count // 4) % 360
    dec[count // 4 : count // 2] = np.sign(dec[count // 4 : count // 2]) * rng.uniform(89.99, 90, count // 4)
    return ra, dec


class CatalogJoin(ChainTest):
    def setUp(self):
        super().setUp()
        rng = np.random.default_rng(1)
        ra, dec = positions(rng, OBJECTS)
        plate = rng.integers(0, ROWS, OBJECTS) + 2**62
        self.objects = Table({"source_id": np.arange(OBJECTS) + 1, "ra": ra, "dec": dec, "plate": plate})
        self.objects.write(self.folder / "objects.fits")
        # A neighbour of each object (some too far), then others; keys twice, missing, unknown.
        there_ra, there_dec = positions(rng, ROWS)
        step = rng.uniform(-2, 2, (2, OBJECTS)) / 3600
        there_dec[:OBJECTS] = np.clip(dec + step[0], -90, 90)
        there_ra[:OBJECTS] = (ra + step[1] / np.maximum(np.cos(np.radians(there_dec[:OBJECTS])), 1e-5)) % 360
        keys = rng.permutation(ROWS) + 2**62
        keys[rng.integers(0, ROWS, 200)] = keys[:200]
        luminosity = rng.normal(46, 1, ROWS)
        luminosity[::7], luminosity[::11], luminosity[::13] = np.nan, 0, -999
        number = rng.integers(-5, 5, ROWS)
        number[::17] = -999
        self.other = Table({
            "PLATE": MaskedColumn(keys, mask=rng.random(ROWS) < 0.05), "RA": there_ra, "DEC": there_dec,
            "LOGLBOL": luminosity, "NUMBER": number, "NAME": [f"J{i % 990}  " for i in range(ROWS)],
        })  # fmt: skip
        self.other["LOGLBOL"].unit = "erg/s"

    def write_other(self, form, table=None):
        file = self.folder / f"other.{form}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            (self.other if table is None else table).write(file, format=FORMS[form], overwrite=True)
        return file

    def run_chain(self, file, options, *args, more="", expect=0):
        chain = self.write("j.toml", CHAIN.format(file=file.name, options=options, more=more))
        self.qsohost("--chain", chain, "--check")
        return self.qsohost("--chain", chain, "--run-dir", "run", *args, expect=expect)

    def joined(self, form, options):
        self.run_chain(self.write_other(form), options, "--restart")
        return read_table(self.folder / "run/j_catalog.fits")[0]

    def stage(self):
        status = json.loads(self.qsohost("status", "run", "--json").stdout)
        return next(s for s in status["stages"] if s["stage"] == "other")

    def counts(self):
        return {(c["item"], c["what"]): c["n"] for c in self.stage()["counts"]}

    def by_key(self):
        rows = self.other[~self.other["PLATE"].mask]
        rows["row"] = np.arange(len(rows))
        first = unique(rows, "PLATE", keep="first")
        expected = join(self.objects, first, keys_left="plate", keys_right="PLATE", join_type="left")
        expected.sort("source_id")
        return expected

    def test_by_key(self):
        expected = self.by_key()
        matched = ~np.ma.getmaskarray(expected["LOGLBOL"])
        self.assertGreater(matched.sum(), 100)
        self.assertGreater((~matched).sum(), 50)
        luminosity = nan_of(expected["LOGLBOL"])
        was_sentinel = np.isin(luminosity, [0, -999])
        luminosity[was_sentinel] = np.nan
        number = np.ma.masked_equal(expected["NUMBER"], -999)
        options = BY_KEY + '[[stage.valid]]\ncolumns = ["LOGLBOL"]\nmin = 40\n'
        for form in FORMS:
            with self.subTest(form):
                table = self.joined(form, options)
                self.assertEqual(list(table["source_id"]), list(expected["source_id"]))
                np.testing.assert_allclose(table["q_LOGLBOL"], luminosity, rtol=1e-14)
                names = [n.strip() for n in table["q_NAME"]]
                self.assertEqual(names, [str(n).strip() for n in np.ma.filled(expected["NAME"].astype(object), "")])
                self.assert_integers(number)
                self.assertNotIn("q_PLATE", table)
                counts = self.counts()
                self.assertEqual(counts["q_LOGLBOL", "values that are null_values or not valid"], was_sentinel.sum())
                raw = nan_of(expected["LOGLBOL"])
                self.assertEqual(counts["q_LOGLBOL", "values missing in the catalogue"], np.isnan(raw[matched]).sum())
                repeated = np.isin(self.objects["plate"], self.repeated_keys()).sum()
                self.assertEqual(counts["objects", "whose key is in several rows"], repeated)
                self.assertEqual(self.stage()["not_found"], (~matched).sum())

    def repeated_keys(self):
        keys, counts = np.unique(self.other["PLATE"].compressed(), return_counts=True)
        return keys[counts > 1]

    def assert_integers(self, expected):
        """Nulls too, which only astropy's Table reads back."""
        column = Table.read(self.folder / "run/j_catalog.fits")["q_NUMBER"]
        np.testing.assert_array_equal(np.ma.getmaskarray(column), np.ma.getmaskarray(expected))
        np.testing.assert_array_equal(np.ma.compressed(column), np.ma.compressed(expected))

    def test_by_position(self):
        ours = SkyCoord(self.objects["ra"], self.objects["dec"], unit="deg")
        theirs = SkyCoord(self.other["RA"], self.other["DEC"], unit="deg")
        nearest, separation, _ = match_coordinates_sky(ours, theirs)
        separation = separation.to_value(units.arcsec)
        near = separation <= 2
        self.assertGreater(near.sum(), 200)
        self.assertGreater((~near).sum(), 10)
        for form in FORMS:
            with self.subTest(form):
                table = self.joined(form, BY_POSITION)
                np.testing.assert_array_equal(np.isfinite(table["q_separation"]), near)
                np.testing.assert_allclose(table["q_separation"][near], separation[near], atol=1e-7)
                np.testing.assert_allclose(table["q_RA"][near], self.other["RA"][nearest[near]], rtol=1e-14)
                np.testing.assert_array_equal(np.isnan(table["q_RA"]), ~near)
        matches = [np.count_nonzero(o.separation(theirs).to_value(units.arcsec) <= 2) for o in ours]
        several = sum(m > 1 for m in matches)
        self.assertEqual(self.counts().get(("objects", "with several rows in the radius"), 0), several)

    def test_wide_columns_and_units(self):
        self.other["CIV"] = np.arange(6.0 * ROWS).reshape(ROWS, 6)
        self.other["CIV"][0, 2] = np.nan
        self.run_chain(self.write_other("fits"), BY_KEY)
        table, header = read_table(self.folder / "run/j_catalog.fits")
        self.assertEqual(table["q_CIV"].shape, (OBJECTS, 6))
        expected = self.by_key()["CIV"]
        np.testing.assert_array_equal(table["q_CIV"], np.ma.filled(expected, np.nan))
        number = 1 + list(table).index("q_LOGLBOL")
        self.assertEqual(units.Unit(header[f"TUNIT{number}"]), units.Unit("erg/s"))

    def test_listed_columns(self):
        self.run_chain(self.write_other("fits"), BY_KEY + 'columns = ["NUMBER", "loglbol"]\n')
        table, _ = read_table(self.folder / "run/j_catalog.fits")
        self.assertEqual(list(table), ["source_id", "ra", "dec", "plate", "q_NUMBER", "q_loglbol"])
        self.assert_integers(np.ma.masked_equal(self.by_key()["NUMBER"], -999))

    def test_later_stages_read_what_is_joined(self):
        file = self.write_other("fits")
        self.run_chain(file, BY_KEY, more='[[stage]]\nuse = "require"\ncolumns = ["q_LOGLBOL"]\n')
        luminosity = nan_of(self.by_key()["LOGLBOL"])
        kept = np.isfinite(luminosity) & (luminosity != -999)
        table, _ = read_table(self.folder / "run/j_catalog.fits")
        self.assertEqual(len(table["source_id"]), kept.sum())
        done = self.run_chain(file, BY_KEY, "--restart", expect=2,
                              more='[[stage]]\nuse = "require"\ncolumns = ["q_LOGBOL"]\n')  # fmt: skip
        self.assertIn("q_LOGBOL", done.stderr)
        self.assertIn("did you mean 'q_LOGLBOL'", done.stderr)

    def test_the_index_is_kept_and_a_changed_catalogue_is_refused(self):
        file = self.write_other("fits")
        self.run_chain(file, BY_KEY, "--limit", "100")
        done = self.run_chain(file, BY_KEY, "--restart")
        self.assertIn("index made before", done.stderr)
        self.other["LOGLBOL"][3] += 1
        self.write_other("fits")
        done = self.run_chain(file, BY_KEY, "--resume", expect=2)
        self.assertIn("other.fits", done.stderr)
        done = self.run_chain(file, BY_KEY, "--restart")
        self.assertNotIn("index made before", done.stderr)

    def test_threads_and_batches_do_not_matter(self):
        file = self.write_other("fits")
        self.run_chain(file, BY_POSITION, "-j1", "--set", "chain.batch_rows=7")
        one = read_table(self.folder / "run/j_catalog.fits")[0]
        self.run_chain(file, BY_POSITION, "--restart", "-j4")
        other = read_table(self.folder / "run/j_catalog.fits")[0]
        for name in one:
            np.testing.assert_array_equal(one[name], other[name], name)

    def test_files_that_cannot_be_joined(self):
        file = self.write_other("fits")
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        done = self.run_chain(file, BY_KEY, expect=1)
        self.assertIn("other.fits", done.stderr)
        file.write_bytes(whole)
        done = self.run_chain(file, BY_KEY.replace('"PLATE"', '"LOGLBOL"'), "--restart", expect=1)
        self.assertIn("'LOGLBOL' (option 'their_key')", done.stderr)
        done = self.run_chain(file, BY_POSITION.replace('"q_"', '""'), "--restart", expect=2)
        self.assertIn("would add column 'RA'", done.stderr)
        done = self.run_chain(self.write_other("csv", self.other[:0]), BY_KEY, "--restart", expect=1)
        self.assertIn("has no rows", done.stderr)
        done = self.run_chain(self.folder / "none.fits", BY_KEY, "--restart", expect=1)
        self.assertIn("none.fits", done.stderr)

    def test_duplicates_as_errors(self):
        done = self.run_chain(self.write_other("fits"), BY_KEY + 'duplicates = "error"\n', expect=3)
        self.assertIn("are in several rows", done.stderr)
        status = self.qsohost("status", "run").stdout
        self.assertRegex(status, r"row \d+ and row \d+ of .*other.fits match it")


if __name__ == "__main__":
    unittest.main()
