"""Light curves with one row per epoch: the same results as from arrays, whatever the order of the rows
and the form of the file; also of shards, and of runs that were killed."""

import time
import unittest
import warnings

from forms_test import FORMS, ChainTest, np, read_table
from astropy.io import fits
from astropy.table import Table

OBJECTS = 90
SINKS = """
[[stage]]
use = "ou-fit"
label = "fit"
groups = ["ztf.g", "ztf.r"]
redshift = ""
rest_frame = false
[[stage]]
use = "fits-sink"
label = "curves"
what = "ztf"
keep_chunks = true
[[stage]]
use = "fits-sink"
label = "fits"
what = "fit"
keep_chunks = true
"""
SOURCE = """
[chain]
name = "c"
batch_rows = 4
[[stage]]
use = "lightcurve-source"
label = "lc"
paths = ["{file}"]
columns = ["ra", "dec"]
"""
BAND = """
  [[stage.band]]
  group = "ztf.{band}"
  time = "mjd"
  mag = "mag"
  mag_err = "magerr"
  columns = ["catflags"]
  band_column = "filter"
  band_value = "{band}"
"""
ARRAYS = SOURCE + SINKS
ROWS = SOURCE + BAND.format(band="g") + BAND.format(band="r") + SINKS


def epochs(objects=OBJECTS):
    """Rows sorted by object; g and r are mixed, and some objects have one band only."""
    rng = np.random.default_rng(7)
    columns = {name: [] for name in ("source_id", "ra", "dec", "filter", "mjd", "mag", "magerr", "catflags")}
    for i in range(objects):
        n = int(rng.integers(1, 40))
        columns["source_id"] += [6917528997577384321 + (i * 7919) % 1009] * n
        columns["ra"] += [i * 3.5] * n
        columns["dec"] += [i / 2 - 20] * n
        columns["filter"] += list(rng.choice(["g", "r"] if i % 5 else ["g"], n))
        columns["mjd"] += list(np.round(58000 + np.sort(rng.uniform(0, 1500, n)), 5))
        columns["mag"] += list(np.round(19 + rng.normal(0, 0.2, n), 4))
        columns["magerr"] += list(np.round(rng.uniform(0.01, 0.05, n), 4))
        columns["catflags"] += list(rng.integers(0, 9, n))
    return Table(columns)


def mixed(table):
    """The rows in another order; that of objects' first rows, and of each object's rows, stays."""
    ids = np.array(table["source_id"])
    firsts = np.sort(np.unique(ids, return_index=True)[1])
    rest = np.setdiff1d(np.arange(len(ids)), firsts)
    labels = np.random.default_rng(2).permutation(ids[rest])
    order = np.empty_like(rest)
    order[np.argsort(labels, kind="stable")] = rest[np.argsort(ids[rest], kind="stable")]
    return table[np.concatenate([firsts, order])]


def write_arrays(table, path):
    ids = np.array(table["source_id"])
    firsts = np.sort(np.unique(ids, return_index=True)[1])
    columns = [fits.Column("source_id", "K", array=ids[firsts]),
               *(fits.Column(c, "D", array=np.array(table[c])[firsts]) for c in ("ra", "dec"))]  # fmt: skip
    for band in ("g", "r"):
        for name, code in {"mjd": "D", "mag": "D", "magerr": "D", "catflags": "K"}.items():
            cells = np.empty(len(firsts), object)
            for k, i in enumerate(ids[firsts]):
                cells[k] = np.array(table[name])[(ids == i) & (np.array(table["filter"]) == band)]
            columns.append(fits.Column(f"{name}_{band}", f"P{code}()", array=cells))
    fits.BinTableHDU.from_columns(columns).writeto(path)


class EpochRows(ChainTest):
    def setUp(self):
        super().setUp()
        self.table = epochs()
        self.mixed = mixed(self.table)
        self.assertTrue((self.mixed["mjd"] != self.table["mjd"]).sum() > len(self.table) / 2)

    def run_on(self, file, run="run", text=ROWS, more=()):
        chain = self.write("c.toml", text.format(file=file))
        done = self.qsohost("--chain", chain, "--run-dir", run, *more)
        return self.products(run), done.stderr

    def products(self, run):
        return {p.name: read_table(p)[0] for p in sorted((self.folder / run).glob("*.fits"))}

    def assert_same(self, got, want):
        self.assertEqual(list(got), list(want))
        self.assertEqual(len(want), 3)
        for name, table in want.items():
            self.assertEqual(list(got[name]), list(table), name)
            for column, values in table.items():
                self.assertEqual(len(got[name][column]), len(values))
                for a, b in zip(got[name][column], values):
                    np.testing.assert_array_equal(a, b, f"{name}: {column}")

    def test_rows_are_as_good_as_arrays(self):
        write_arrays(self.table, self.folder / "arrays.fits")
        want, _ = self.run_on("arrays.fits", "arrays", ARRAYS)
        self.assertEqual(len(want["c_ztf_lc.fits"]["mjd_g"]), OBJECTS)
        self.assertGreater(np.isfinite(want["c_fit_ztf_g.fits"]["log_tau"]).sum(), OBJECTS / 2)
        for name, table in (("sorted", self.table), ("mixed", self.mixed)):
            with self.subTest(name):
                table.write(self.folder / f"{name}.fits")
                got, said = self.run_on(f"{name}.fits", name)
                self.assert_same(got, want)
                self.assertEqual("sorted in a temporary file" in said, name == "mixed")

    def test_any_order_of_rows(self):
        order = np.random.default_rng(3).permutation(len(self.table))
        self.table.write(self.folder / "sorted.fits")
        self.table[order].write(self.folder / "shuffled.fits")
        want = self.run_on("sorted.fits", "sorted")[0]["c_ztf_lc.fits"]
        got = self.run_on("shuffled.fits", "shuffled")[0]["c_ztf_lc.fits"]
        self.assertEqual(list(got["source_id"]), list(dict.fromkeys(self.table["source_id"][order])))
        rows = {i: k for k, i in enumerate(got["source_id"])}
        for k, i in enumerate(want["source_id"]):
            for band in "gr":
                times = want[f"mjd_{band}"][k]
                at = np.argsort(got[f"mjd_{band}"][rows[i]])
                for name in ("mjd", "mag", "catflags"):
                    column = f"{name}_{band}"
                    np.testing.assert_array_equal(got[column][rows[i]][at], want[column][k])
                self.assertEqual(list(times), sorted(times))

    def test_every_form_of_a_table(self):
        self.mixed.write(self.folder / "mixed.fits")
        want, _ = self.run_on("mixed.fits")
        for form, write in FORMS.items():
            with self.subTest(form), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                write(self.mixed, self.folder / f"{form}.table")
                got, _ = self.run_on(f"{form}.table", form)
                self.assert_same(got, want)

    def test_a_wrong_row_is_named_with_its_line(self):
        self.mixed["mjd"][17] += 2400000.5
        self.mixed.write(self.folder / "rows.csv")
        chain = self.write("c.toml", ROWS.format(file="rows.csv"))
        said = self.qsohost("--chain", chain, "--run-dir", "run", expect=1).stderr
        self.assertIn("rows.csv: line 19: column 'mjd' of light curve", said)

    def test_what_the_program_says_can_be_pasted(self):
        self.mixed.write(self.folder / "mixed.fits")
        source = SOURCE.replace('columns = ["ra", "dec"]', "").format(file="mixed.fits")
        sink = '[[stage]]\nuse = "fits-sink"\nwhat = "survey"\n'
        chain = self.write("c.toml", source + sink)
        said = self.qsohost("--chain", chain, "--run-dir", "run", expect=1).stderr
        entry = said[said.index("  [[stage.band]]"):].split("\n\n")[0]
        value = self.mixed["filter"][0]
        self.assertIn(f'band_value = "{value}"', entry)
        described = self.qsohost("describe", "mixed.fits").stdout
        for name, text in {"error": source + entry + "\n" + sink,
                           "described": '[chain]\nname = "c"\n' + described[described.index("[[stage]]"):]
                           + "\n" + sink}.items():  # fmt: skip
            with self.subTest(name):
                table = self.run_on("mixed.fits", name, text)[0]["c_survey_lc.fits"]
                self.assertEqual(sum(map(len, table[f"mjd_{value}"])), (self.mixed["filter"] == value).sum())

    def test_shards(self):
        self.mixed.write(self.folder / "mixed.fits")
        want, _ = self.run_on("mixed.fits", "whole")
        for name, part in {"a": ("--limit", 13), "b": ("--skip", 13, "--limit", 40), "c": ("--skip", 53)}.items():
            self.run_on("mixed.fits", name, more=part)
        self.qsohost("merge", "a", "b", "c", "--into", "merged")
        self.assert_same(self.products("merged"), want)

    def test_killed_and_resumed(self):
        self.mixed.write(self.folder / "mixed.fits")
        begin = time.monotonic()
        self.run_on("mixed.fits", "whole")
        self.kill_and_resume(["--chain", "c.toml"], "killed", time.monotonic() - begin)
        self.assert_same_files(self.folder / "whole", self.folder / "killed")


if __name__ == "__main__":
    unittest.main()
