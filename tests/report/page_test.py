"""The page's bytes: equal for equal runs, made from what is there, and harmless whatever that is."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import numpy as np
from astropy.io import fits
from astropy.table import Table

from support import QSOHOST, Page, make_run

EVIL = "<script>alert('1')</script>\"&'"


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = pathlib.Path(tempfile.mkdtemp(prefix="qsohost-report-"))
        cls.addClassCleanup(shutil.rmtree, cls.base, True)
        cls.run_dir = make_run(cls.base)

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=self.base))

    def copy(self, name="copy"):
        return pathlib.Path(shutil.copytree(self.run_dir, self.folder / name))

    def report(self, *args, expect=0):
        """The page, and what was said on stderr."""
        done = subprocess.run([QSOHOST, "report", *map(os.fspath, args)], capture_output=True,
                              cwd=self.folder)  # fmt: skip
        said = done.stderr.decode(errors="replace")
        self.assertEqual(done.returncode, expect, done.stdout.decode(errors="replace") + said)
        if expect != 0:
            return None, said
        page = Page(self.folder / os.fsdecode(done.stdout.rstrip(b"\n")))
        self.check(page)
        return page, said

    def check(self, page):
        """What holds for every page."""
        page.figures()  # each is parsed
        text = page.text
        self.assertLess(len(text.encode()), 5_000_000)
        self.assertNotIn(EVIL, text)
        left_out = r'<script.*?</script>|<style.*?</style>|<pre.*?</pre>|data:[^"]*'
        shown = re.sub(left_out, "", text, flags=re.S)
        self.assertEqual(re.findall(r"(?i).{30}(?<![a-z])(?:nan|inf)(?![a-z]).{30}", shown), [])
        for data in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.S):
            json.loads(data, parse_constant=self.fail)  # NaN is no JSON
        for reference in re.findall(r'(?:src|href)\s*=\s*"([^"]*)"', text):
            self.assertRegex(reference, r"^(#|data:)")
        ids = re.findall(r'\sid="([^"]+)"', text)
        self.assertEqual(len(ids), len(set(ids)), [i for i in ids if ids.count(i) > 1])
        self.assertEqual(text.count("<script>"), 1)


def raw_rows(file):
    """The rows of a product in the file itself; arrays are their descriptors. And where they are."""
    with fits.open(file) as hdus:
        dtype = hdus[1].columns.dtype.newbyteorder(">")
        start, rows = hdus[1]._data_offset, hdus[1].header["NAXIS2"]
    return np.memmap(file, dtype, "r+", start, (rows,)), start


def keep_first(file, count):
    """The rows behind become a gap before the heap."""
    rows, start = raw_rows(file)
    raw = file.read_bytes()
    with fits.open(file) as hdus:
        heap = rows.nbytes
        extra = hdus[1].header["PCOUNT"] + heap - count * rows.dtype.itemsize
    for old, name, value in (("NAXIS2", "NAXIS2", count), ("PCOUNT", "PCOUNT", extra),
                             ("CHECKSUM", "THEAP", heap)):  # fmt: skip
        at = raw.rfind(f"{old:8}=".encode(), 0, start)
        raw = raw[:at] + f"{name:8}= {value:>20}".ljust(80).encode() + raw[at + 80 :]
    file.write_bytes(raw)


def set_all_nan(file):
    rows, start = raw_rows(file)
    for name in rows.dtype.names:
        if rows.dtype[name].kind == "f":
            rows[name] = np.nan
    rows.flush()
    raw = file.read_bytes()
    heap = start + rows.nbytes
    file.write_bytes(raw[:heap] + b"\xff" * (len(raw) - heap))  # NaN in both widths


class OneRun(PageTest):
    def test_equal_runs_give_equal_pages_but_for_one_line(self):
        page, said = self.report(self.run_dir)
        self.assertEqual(said, "")
        self.assertEqual(page.path.name, "report.html")
        other, _ = self.report(self.copy("another folder"), "--out", "x.html")
        lines = [p.text.splitlines() for p in (page, other)]
        differ = [pair for pair in zip(*lines, strict=True) if pair[0] != pair[1]]
        self.assertEqual(len(differ), 1, differ[1:2])
        self.assertIn('class="made"', differ[0][0])
        self.assertEqual(list(self.folder.glob("*.part")), [])

    def test_outcomes_are_those_of_the_run(self):
        page, _ = self.report(self.run_dir)
        status = subprocess.run([QSOHOST, "status", self.run_dir], capture_output=True, text=True)
        for name in ("crossmatch", "gaia", "ztf", "loo"):
            with self.subTest(stage=name):
                row = next(r for r in page.tables()["Stages"] if r[0] == name)
                line = re.search(rf"^{name} .*$", status.stdout, re.M).group()
                self.assertEqual([cell for cell in row if cell], line.split("not ")[0].split())

    def test_rules_alone_and_in_order(self):
        page, _ = self.report(self.run_dir)
        names, *rows = page.tables()["What the rules remove"]
        cuts = {(r[0], r[1]): r for r in page.tables()["Epochs through the cuts"][1:]}
        number = lambda text: int(text.replace(",", ""))  # noqa: E731
        for curve in ("ztf.g", "ztf.r"):
            of_curve = [r for r in rows if r[:2] == ["quality", curve]]
            self.assertEqual([r[2] for r in of_curve], ["catflags", "sharp", "chi", "airmass"])
            removed = sum(number(r[5]) for r in of_curve)
            self.assertEqual(removed, number(cuts["quality", curve][4]))
            self.assertTrue(all(number(r[5]) <= number(r[3]) for r in of_curve))

    def test_products_alone(self):
        folder = self.copy()
        shutil.rmtree(folder / ".qsohost")
        page, _ = self.report(folder)
        self.assertIn("outcomes of objects and counts of stages are not known", page.text)
        whole, _ = self.report(self.run_dir)
        without = {"archives"} - set(page.sections())
        self.assertEqual(without, {"archives"})
        self.assertEqual([s for s in whole.sections() if s != "archives"],
                         [s for s in page.sections() if s != "left-out"])  # fmt: skip

    def test_one_object_and_none(self):
        for count, name in ((1, "one"), (0, "none")):
            with self.subTest(objects=name):
                folder = self.copy(name)
                shutil.rmtree(folder / ".qsohost")
                for file in folder.glob("*.fits"):
                    keep_first(file, count)
                page, _ = self.report(folder)
                self.assertIn("outcomes", page.sections())

    def test_options(self):
        page, _ = self.report(self.run_dir, "--title", EVIL, "--light-curves", "3", "--out", "a.html")
        self.assertIn("<h1>&lt;script&gt;", page.text)
        self.assertEqual(page.text.count('"id":"'), 3)
        _, said = self.report(self.run_dir, "--out", "nowhere/a.html", expect=1)
        self.assertIn("nowhere/a.html: cannot be written: No such file or directory", said)


class BadInput(PageTest):
    def test_no_run(self):
        _, said = self.report("nothing", expect=2)
        self.assertIn("nothing: not a folder", said)
        (self.folder / "empty").mkdir()
        _, said = self.report("empty", expect=2)
        self.assertIn("empty: holds neither products (*.fits) nor a run", said)

    def test_products_of_other_programs_and_damaged_ones_are_told(self):
        folder = self.copy()
        table = fits.BinTableHDU.from_columns([fits.Column("X", "D", array=np.arange(3.0))])
        table.writeto(folder / "other.fits")
        (folder / "text.fits").write_text("no FITS at all")
        (folder / "nothing.fits").write_bytes(b"")
        whole = folder / "quickstart_loo_ztf_r.fits"
        whole.write_bytes(whole.read_bytes()[:20000])
        page, said = self.report(folder)
        told = "\n".join(page.column("What could not be read or shown", "what, and why"))
        for name in ("other.fits", "text.fits", "nothing.fits", "quickstart_loo_ztf_r.fits"):
            self.assertIn(name, told)
            self.assertIn(name, said)
        self.assertNotIn(str(folder), told)
        self.assertIn("tau-sigma", page.sections())

    def test_what_is_called_fits_but_is_no_file_is_told(self):
        folder = self.copy()
        (folder / "folder.fits").mkdir()
        os.symlink("loop.fits", folder / "loop.fits")
        os.mkfifo(folder / "pipe.fits")
        _, said = self.report(folder)
        self.assertIn("folder.fits: not a regular file", said)
        self.assertIn("loop.fits: Too many levels of symbolic links", said)
        self.assertIn("pipe.fits: not a regular file", said)

    def edit(self, file, change):
        with fits.open(file, memmap=False) as hdus:
            columns = change(list(hdus[1].columns), hdus[1].data)
            table = fits.BinTableHDU.from_columns(columns, header=hdus[1].header)
            fits.HDUList([hdus[0], table]).writeto(file, overwrite=True)

    def test_columns_that_are_missing_or_of_other_types(self):
        folder = self.copy()

        def change(columns, data):
            kept = [c for c in columns if c.name not in ("log_sigma_post", "z", "baseline")]
            for c in kept:
                if c.name == "log_tau_post":
                    c.name = "was_log_tau_post"
            texts = np.array(["x"] * len(data))
            return kept + [fits.Column("log_tau_post", "1A", array=texts)]

        for file in folder.glob("*_loo_*_?.fits"):
            self.edit(file, change)
        self.report(folder)

    def test_nan_everywhere(self):
        folder = self.copy()
        for file in folder.glob("*.fits"):
            set_all_nan(file)
        page, _ = self.report(folder)
        self.assertIn("outcomes", page.sections())

    def test_hostile_names(self):
        folder = self.copy(f"run {EVIL.replace('/', '_')}")
        file = folder / "quickstart_loo_ztf_g.fits"
        with fits.open(file, mode="update") as hdus:
            hdus[1].header["EXTNAME"] = "loo.</script><b>"
            hdus[1].header["CHAIN"] = EVIL

        def hostile_ids(columns, data):
            ids = [EVIL, "</script>", "javascript:alert(1)", "\xe2\x80\xa8", "\xff\xfe", "a,b\n\"c\""] * len(data)
            raw = np.array([i.encode("latin-1") for i in ids[: len(data)]])
            return [fits.Column("source_id", f"{raw.dtype.itemsize}A", array=raw)] + [
                c for c in columns if c.name != "source_id"]  # fmt: skip

        for name in ("quickstart_loo_ztf_r.fits", "quickstart_raw_ztf_lc.fits"):
            self.edit(folder / name, hostile_ids)
        os.rename(folder / "quickstart_multi.fits", os.fsencode(folder) + b"/\xff<script>.fits")
        shutil.rmtree(folder / ".qsohost")
        self.report(folder)


class TwoRuns(PageTest):
    def test_side_by_side(self):
        other = self.copy("other")
        file = other / "quickstart_loo_ztf_g.fits"
        rows, _ = raw_rows(file)
        rows["log_tau_post"] += 0.25
        rows.flush()
        keep_first(file, len(rows) - 2)
        for product in other.glob("*.fits"):
            raw = product.read_bytes()
            product.write_bytes(raw.replace(b"loo.min_points = 10", b"loo.min_points = 12"))
        page, _ = self.report(self.run_dir, other)
        self.assertEqual(page.path.parent, self.run_dir)
        self.assertEqual(page.sections()[0], "differences")
        objects = {row[0]: row for row in page.tables()["Objects, found by source_id"][1:]}
        self.assertEqual(objects["loo.ztf.g"][2:], [str(len(rows) - 2), "2", "0"])
        self.assertIn(["loo.min_points", "10", "12"], page.tables()["Chains"])
        numbers = page.tables()["Results of the same light curves, B − A"]
        of_tau = {row[1]: row for row in numbers if row[0] == "ln tau"}
        self.assertEqual(of_tau["ztf.g"][3:5], ["0.25", "0"])
        self.assertEqual(of_tau["ztf.r"][3:5], ["0", "0"])
        figures = page.figures()
        self.assertIn("differences-ln-tau", figures)
        names = [name[2:] for name in figures if name.startswith("a-")]
        self.assertGreater(len(names), 10)
        self.assertEqual(names, [name[2:] for name in figures if name.startswith("b-")])

    def test_three_are_too_many(self):
        _, said = self.report(*[self.run_dir] * 3, expect=2)
        self.assertIn("RUN_DIR", said)


class Catalogues(PageTest):
    def compare(self, *catalogs, run=None, expect=0):
        page, said = self.report(run or self.run_dir, "--out", "c.html", "--compare-catalog",
                                 *catalogs, expect=expect)  # fmt: skip
        return page or said

    def catalogue(self, *names):
        """Columns of the run's largest catalogue without the first three rows; how many it has."""
        with fits.open(self.run_dir / "quickstart_catalog.fits") as hdus:
            data = hdus[1].data
            return Table({name: np.array(data[name]) for name in names})[3:], len(data)

    def test_formats_are_matched_by_source_id(self):
        table, rows = self.catalogue("source_id", "ra", "dec", "z")
        for name in ("other.fits", "other.csv", "other.vot"):
            with self.subTest(file=name):
                form = {"format": "votable"} if name.endswith(".vot") else {}
                table.write(self.folder / name, overwrite=True, **form)
                page = self.compare(name)
                left, right = page.tables()["Objects in both catalogues and in one"][1:]
                self.assertEqual(left[1:4], [str(rows), str(rows - 3), "3"])
                self.assertEqual(right[1:4], [str(rows - 3), str(rows - 3), "0"])
                section = page.section("catalogs")
                self.assertIn("Matched by source_id", section)
                self.assertRegex(section, rf"Of {rows} objects of .* were fitted")

    def test_without_overlap_redshifts_or_identifiers(self):
        table, rows = self.catalogue("source_id", "ra", "dec")
        table["source_id"] += 1
        table.write(self.folder / "others.fits")
        page = self.compare("others.fits")
        left, right = page.tables()["Objects in both catalogues and in one"][1:]
        self.assertEqual(left[2:4], ["0", str(rows)])
        self.assertEqual(right[2:4], ["0", str(rows - 3)])
        del table["source_id"]
        table.write(self.folder / "nameless.csv")
        page = self.compare("nameless.csv", "others.fits")
        self.assertIn("Matched by position", page.section("catalogs"))
        self.assertIn("nameless.csv has no column", page.section("catalogs"))
        del table["dec"]
        table.write(self.folder / "nowhere.csv")
        self.assertIn("nowhere.csv: there are no columns", self.compare("nowhere.csv", expect=1))

    def test_a_run_without_fits(self):
        folder = self.copy()
        shutil.rmtree(folder / ".qsohost")
        for file in [*folder.glob("*_loo_*"), folder / "quickstart_multi.fits"]:
            file.unlink()
        page = self.compare(folder, run=folder)
        self.assertIn("the run has no products of fits", page.section("catalogs"))


class Plots(PageTest):
    def plots(self, text, expect=0):
        (self.folder / "plots.toml").write_text(text)
        page, said = self.report(
            self.run_dir, "--plots", "plots.toml", "--out", "p.html", expect=expect
        )
        return page or said

    def test_columns_of_several_products_are_joined(self):
        page = self.plots(
            '[[plot]]\nx = "phot_g_mean_mag"\ny = "log_sigma_post"\nproduct = "loo.ztf.g"\n'
            'colour = "z"\ncut = "n_epochs >= 30 and z < 3"\nfit = "line"\ntitle = "Mine"\n'
        )
        svg, data = page.figures()["plots-1"]
        with fits.open(self.run_dir / "quickstart_loo_ztf_g.fits") as hdus:
            fit = hdus[1].data
            kept = (fit["n_epochs"] >= 30) & (fit["z"] < 3) & np.isfinite(fit["log_sigma_post"])
            wanted = sorted(fit["log_sigma_post"][kept])
        with fits.open(self.run_dir / "quickstart_matched_catalog.fits") as hdus:
            mags = dict(zip(hdus[1].data["source_id"], hdus[1].data["phot_g_mean_mag"]))
        names, *rows = [line.split(",") for line in data.splitlines()]
        x, y = ([float(r[names.index(c)]) for r in rows if r[0] != "robust line"] for c in "xy")
        np.testing.assert_allclose(sorted(y), wanted, rtol=1e-6)
        of_y = {round(float(s), 6): mags[i] for s, i in zip(fit["log_sigma_post"], fit["source_id"])}
        for a, b in zip(x, y):
            self.assertAlmostEqual(of_y[round(b, 6)], a, places=4)
        self.assertIn("slope", page.section("plots"))

    def test_mistakes_are_told_with_their_place(self):
        start = '[[plot]]\nx = "log_tau_post"\ny = "log_sigma_post"\n'
        for text, said in (
            ('[[plot]]\nx = "log_tau_pots"\ny = "z"\n',
             "plots.toml:2:5: no product has a column of single numbers 'log_tau_pots'; did you mean"
             " 'log_tau_post'"),
            (start + 'colour = "zz"\n', "plots.toml:4:10: no product has a column"),
            (start + 'product = "loo.ztf.h"\n', "plots.toml:4:11: the run has no product 'loo.ztf.h'"),
            (start + 'colur = "z"\n', "plots.toml:4:1: unknown key 'colur'; did you mean 'colour'"),
            (start + 'fit = "curve"\n', "plots.toml:4:7: fit = 'curve'; \"line\" or \"none\""),
            (start + "log_x = 1\n", "plots.toml:4:9: log_x must be true or false"),
            (start + 'cut = "z <"\n', "character 4: a number is missing"),
            (start + 'cut = "z < 3 or z > 4"\n', "character 7: 'and', or the end, is expected here"),
            (start + 'cut = "z ~ 3"\n', "character 3: <, <=, >, >=, = or != is expected here"),
            (start + 'cut = "z < 3x"\n', "character 5: '3x' is not a number"),
            ('[[plot]]\nx = "z"\n', "plots.toml:1:1: a [[plot]] needs the column 'y'"),
            ("x = \n", "plots.toml:1:"),
            ("", "there is no [[plot]] in it"),
        ):  # fmt: skip
            with self.subTest(said=said):
                self.assertIn(said, self.plots(text, expect=2))


if __name__ == "__main__":
    del PageTest  # its cases are those of the classes above
    unittest.main()
