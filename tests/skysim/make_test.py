"""The files of a simulated sky: bytes, columns, and the numbers that make it like the real one."""

import os
import re
import shutil
import subprocess
import unittest

import numpy as np
from astropy import units

from support import (
    CATALOGUES,
    SKYSIM,
    TABLES,
    SkyTest,
    column_list,
    flat,
    is_sanitized,
    pairs_within,
    read_table,
    separation,
    skysim,
)

ZTF = ("ztf_g", "ztf_r", "ztf_i")
LETTERS = {"bool": "L", "int16": "I", "int32": "J", "int64": "K", "float32": "E", "float64": "D"}
# No units of the FITS standard: the astronomers' own, or logarithms.
OWN_UNITS = ("electron s-1", "nanomaggy", "nanomaggy-2", "dex", "log(cm s-2)", "log(cm-2)", "")


class Make(SkyTest):
    MAKE = ("--sources", "2500", "--seed", "7", "-j", "2")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tables, cls.headers = {}, {}
        for name in TABLES:
            cls.tables[name], cls.headers[name] = read_table(cls.sky / f"{name}.fits")

    def test_threads_do_not_change_a_byte(self):
        args = ("--sources", 500, "--seed", 3)
        for threads in (1, 3):
            skysim("make", self.folder / f"j{threads}", *args, "-j", threads)
        skysim("make", self.folder / "other", "--sources", 500, "--seed", 4)
        for name in TABLES:
            one = (self.folder / "j1" / f"{name}.fits").read_bytes()
            self.assertEqual(one, (self.folder / "j3" / f"{name}.fits").read_bytes(), name)
            self.assertNotEqual(one, (self.folder / "other" / f"{name}.fits").read_bytes(), name)

    def test_no_temporary_files_are_left(self):
        names = sorted(p.name for p in self.sky.iterdir())
        self.assertEqual(names, sorted(f"{t}.fits" for t in TABLES))

    def test_files_have_the_columns_of_the_surveys(self):
        counts = {"sdss_dr16q": 183, "gaia_source": 152, "gaia_epoch": 48}
        for table in TABLES:
            header = self.headers[table]
            wanted = column_list(table)
            self.assertEqual(header["TFIELDS"], counts.get(table, len(wanted)))
            for n, (name, form, unit, text, _) in enumerate(wanted, 1):
                self.assertEqual(header[f"TTYPE{n}"], name)
                self.assertEqual(header.get(f"TUNIT{n}", ""), unit)
                self.assertEqual(header[f"TCOMM{n}"], text)
                if unit not in OWN_UNITS:
                    units.Unit(unit, format="fits")
                self.check_form(name, form, header[f"TFORM{n}"])

    def check_form(self, name, form, tform):
        base, _, count = form.partition("[")
        if base in ("char", "string"):
            self.assertRegex(tform, r"^\d+A$", name)
        elif count == "]":
            self.assertRegex(tform, rf"^1P{LETTERS[base]}\(\d+\)$", name)
        else:
            self.assertEqual(tform, f"{int(count[:-1]) if count else 1}{LETTERS[base]}", name)

    def test_files_pass_fitsverify(self):
        if not shutil.which("fitsverify"):
            self.skipTest("no fitsverify")
        for table in TABLES:
            done = subprocess.run(["fitsverify", "-q", self.sky / f"{table}.fits"],
                                  capture_output=True, text=True)  # fmt: skip
            self.assertIn("verification OK", done.stdout)

    def test_quasars_have_plausible_positions_and_redshifts(self):
        sdss, truth = self.tables["sdss_dr16q"], self.tables["truth"]
        self.assertEqual(len(sdss), 2500)
        self.assertAlmostEqual(np.median(sdss["z"]), 1.6, delta=0.1)
        self.assertGreaterEqual(sdss["z"].min(), 0.02)
        self.assertLessEqual(sdss["z"].max(), 5)
        g = truth["mean_gaia_g"]
        self.assertTrue(((g >= 16) & (g <= 21)).all())
        for where in (sdss["dec"] > 86, sdss["dec"] < -28, (sdss["ra"] < 0.02) | (sdss["ra"] > 359.98)):
            self.assertTrue(2 <= where.sum() <= 100, where.sum())
        self.assertAlmostEqual((sdss["is_qso_final"] == 1).mean(), 0.95, delta=0.02)
        names = [re.fullmatch(r"\d{6}\.\d\d[+-]\d{6}\.\d", n) for n in sdss["sdss_name"]]
        self.assertTrue(all(names))

    def test_gaia_sources_are_plausible(self):
        sdss, gaia, truth = (self.tables[t] for t in ("sdss_dr16q", "gaia_source", "truth"))
        ids = gaia["source_id"]
        self.assertTrue((np.diff(ids) >= 0).all())
        self.assertTrue((ids > 0).all())
        place = {int(s): k for k, s in enumerate(ids)}
        matched = truth[truth["in_gaia"]]
        at = [place[int(s)] for s in matched["source_id"]]
        # A source that stands twice has a second position, 0.1 arcsec away.
        apart = separation(gaia["ra"][at], gaia["dec"][at], matched["ra"], matched["dec"])
        self.assertTrue(((apart > 0.04) & (apart < 0.62)).all(), (apart.min(), apart.max()))
        self.assertTrue(((apart < 0.501).mean()) > 0.995)
        self.assertAlmostEqual(len(matched) / len(truth), 0.93, delta=0.02)
        # All of them, within 1 arcsec, by another's match: quasars, companions, duplicates.
        i, j = pairs_within(sdss, gaia, 1).T
        found = set(gaia["source_id"][j])
        self.assertLessEqual(set(matched["source_id"]), found)
        several = np.bincount(i)[np.bincount(i) > 1]
        self.assertTrue(3 <= len(several) <= 60, len(several))
        _, times = np.unique(ids, return_counts=True)
        self.assertTrue(1 <= (times > 1).sum() <= 15)
        of_two = np.bincount(j)  # one Gaia source beside two entries of SDSS
        self.assertTrue(1 <= (of_two > 1).sum() <= 20)
        # The source_id says where it is: its upper bits are a HEALPix pixel (order 12: 52 arcsec).
        same = np.flatnonzero(np.diff(ids >> 35) == 0)
        apart = separation(gaia["ra"][same], gaia["dec"][same], gaia["ra"][same + 1],
                           gaia["dec"][same + 1])  # fmt: skip
        self.assertGreater(len(same), 20)
        self.assertLess(apart[np.abs(gaia["dec"][same]) < 80].max(), 150)

    def test_gaia_epochs_are_plausible(self):
        epochs, truth = self.tables["gaia_epoch"], self.tables["truth"]
        part = truth["has_gaia_epochs"].sum() / truth["in_gaia"].sum()
        self.assertAlmostEqual(part, 0.46, delta=0.04)
        self.assertEqual(set(epochs["source_id"]), set(truth["source_id"][truth["has_gaia_epochs"]]))
        _, rows = np.unique(epochs["source_id"], return_counts=True)
        self.assertTrue(1 <= (rows == 2).sum() <= 25)  # two rows for one source
        for name, form, *_ in column_list("gaia_epoch"):
            if form.endswith("[]"):
                lengths = np.array([len(c) for c in epochs[name]])
                self.assertTrue((lengths == epochs["n_transits"]).all(), name)
        self.assertTrue(30 < np.median(epochs["n_transits"]) < 80)
        times = flat(epochs["g_transit_time"])
        self.assertTrue(((times > 1600) & (times < 2800)).all())
        mag, flux = flat(epochs["bp_mag"]), flat(epochs["bp_flux"])
        self.assertTrue(0.01 < np.isnan(mag).mean() < 0.06)
        self.assertTrue((np.isnan(mag) == np.isnan(flux)).all())
        # astropy gives the letters of an array of flags.
        lost = flat(epochs["photometry_flag_bp_unavailable"]) == ord("T")
        self.assertTrue((np.isnan(mag) == lost).all())
        good = ~np.isnan(mag)
        self.assertLess(np.abs(mag - (25.3385 - 2.5 * np.log10(flux)))[good].max(), 1e-4)

    def test_ztf_light_curves_are_plausible(self):
        objects, curves = self.tables["ztf_objects"], self.tables["ztf_light_curves"]
        truth = self.tables["truth"]
        self.assertTrue((objects["oid"] == curves["oid"]).all())
        self.assertEqual(len(np.unique(objects["oid"])), len(objects))
        self.assertTrue((objects["nobs"] == [len(m) for m in curves["mjd"]]).all())
        for band, median in zip(ZTF, (384, 635, 98)):
            n = truth[f"n_epochs_{band}"]
            self.assertAlmostEqual(np.median(n[n > 0]) / median, 1, delta=0.08, msg=band)
        self.assertFalse(truth["in_ztf"][truth["dec"] < -28].any())
        self.assertTrue(0.93 < truth["in_ztf"].mean() < 0.99)
        oid = objects["oid"]
        for name, digits in (("field", oid // 10**12), ("fid", oid // 10**11 % 10),
                             ("ccdid", oid // 10**9 % 100), ("qid", oid // 10**8 % 10)):  # fmt: skip
            self.assertTrue((objects[name] == digits).all(), name)
        mjd = flat(curves["mjd"])
        self.assertTrue(58190 < mjd.min() and mjd.max() < 61041)  # 2018 to 2025
        per_source = self.oids_per_source()
        self.assertEqual(per_source.min(), 2)
        self.assertEqual(per_source.max(), 6)
        # Bigger errors for fainter ones.
        faint, bright = objects["medianmag"] > 20, objects["medianmag"] < 18
        self.assertGreater(np.median(objects["medmagerr"][faint]),
                           4 * np.median(objects["medmagerr"][bright]))  # fmt: skip

    def oids_per_source(self):
        objects, truth = self.tables["ztf_objects"], self.tables["truth"]
        return np.unique(pairs_within(truth, objects, 0.001)[:, 0], return_counts=True)[1]

    def test_cadence_has_seasons_moon_and_repeats(self):
        curves = self.tables["ztf_light_curves"]
        longest = max(range(len(curves)), key=lambda k: len(curves["mjd"][k]))
        dec = curves["dec"][longest][0]
        gaps = np.diff(curves["mjd"][longest])
        self.assertTrue((gaps >= 0).all())
        self.assertGreater((gaps < 0.2).sum(), 10)  # nights with two exposures
        seasonal = [k for k in range(len(curves)) if abs(curves["dec"][k][0]) < 20]
        k = max(seasonal, key=lambda k: len(curves["mjd"][k]))
        self.assertGreaterEqual((np.diff(curves["mjd"][k]) > 50).sum(), 5, dec)
        g = flat(curves["mjd"][self.tables["ztf_objects"]["fid"] == 1])
        phase = (g - 58208.526) / 29.530589 % 1
        full = ((phase < 0.05) | (phase > 0.95)).mean()
        self.assertLess(full, 0.03)  # a tenth of the time, were there no moon

    def test_rates_of_flags_and_outliers(self):
        curves, truth = self.tables["ztf_light_curves"], self.tables["truth"]
        column = {n: flat(curves[n]) for n in ("catflags", "sharp", "chi", "airmass")}
        passes = ((column["catflags"] == 0) & (abs(column["sharp"]) < 0.25)
                  & (column["chi"] > 0.5) & (column["chi"] < 1.5) & (column["airmass"] < 1.8))  # fmt: skip
        self.assertTrue(0.30 < 1 - passes.mean() < 0.40, 1 - passes.mean())
        self.assertTrue((column["catflags"] == 32768).any())
        self.assertGreater((column["catflags"] % 32768 != 0).sum(), 1000)
        why = flat([w for b in ZTF for w in truth[f"outlier_why_{b}"]])
        offset = flat([w for b in ZTF for w in truth[f"outlier_offset_{b}"]])
        gross = (why >= 1) & (why <= 3)
        self.assertAlmostEqual(gross.sum() / passes.sum(), 0.003, delta=0.0004)
        self.assertGreaterEqual(np.abs(offset[gross]).min(), 0.6)
        self.assertTrue((np.isnan(flat(curves["hjd"]))).any())
        self.assertAlmostEqual(truth["has_neighbour"].mean(), 0.02, delta=0.01)

    def test_outliers_are_where_the_truth_says(self):
        """With the outliers of the truth removed, what is left follows the process."""
        objects, curves, truth = (self.tables[t] for t in ("ztf_objects", "ztf_light_curves", "truth"))
        in_g = {}
        for k in np.flatnonzero(objects["fid"] == 1):
            in_g.setdefault(objects["ra"][k], []).append(k)
        checked = 0
        for t in truth[(truth["mean_ztf_g"] < 18.5) & truth["in_ztf"] & ~truth["has_neighbour"]]:
            mine = in_g.get(t["ra"])
            if not mine:
                continue
            mjd, mag = flat(curves["mjd"][mine]), flat(curves["mag"][mine])
            spoilt = np.isin(mjd, t["outlier_time_ztf_g"][t["outlier_why_ztf_g"] < 4])
            self.assertEqual(spoilt.sum(), (t["outlier_why_ztf_g"] < 4).sum())
            order = np.argsort(mjd)
            smooth = np.array([np.median(mag[order][max(0, k - 4):k + 5]) for k in range(len(mag))])
            apart = np.abs(mag[order] - smooth)
            if spoilt.any():
                self.assertGreater(np.median(apart[spoilt[order]]), 0.4)
            self.assertLess(np.median(apart[~spoilt[order]]), 0.15)
            checked += 1
        self.assertGreater(checked, 20)

    def test_the_truth_has_the_epochs_of_neighbours(self):
        """All epochs but the quasars', object by object."""
        objects, curves, truth = (self.tables[t] for t in ("ztf_objects", "ztf_light_curves", "truth"))
        near = {}
        for i, j in pairs_within(truth, objects, 7):
            if separation(truth["ra"][i], truth["dec"][i], objects["ra"][j], objects["dec"][j]) > 0.1:
                near.setdefault((i, objects["fid"][j]), []).append(j)
        with_neighbours = 0
        for i, row in enumerate(truth):
            for fid, band in enumerate(ZTF, 1):
                there = sorted(zip(row[f"neighbour_time_{band}"], row[f"neighbour_mag_{band}"]))
                of_objects = [pair for j in near.get((i, fid), [])
                              for pair in zip(curves["mjd"][j], curves["mag"][j])]  # fmt: skip
                self.assertEqual(there, sorted(of_objects))
                with_neighbours += bool(there) and row["has_neighbour"]
        self.assertGreater(with_neighbours, 20)

    def test_a_clean_sky_has_no_flags_or_outliers(self):
        skysim("make", self.folder / "clean", "--sources", 60, "--profile", "clean")
        curves, _ = read_table(self.folder / "clean/ztf_light_curves.fits")
        truth, _ = read_table(self.folder / "clean/truth.fits")
        self.assertFalse(flat(curves["catflags"]).any())
        self.assertTrue((flat(curves["chi"]) == 1).all())
        self.assertEqual(sum(len(w) for b in ZTF for w in truth[f"outlier_why_{b}"]), 0)
        # The reported errors are those of the noise: differences within a night show nothing else.
        scatter = []
        for mjd, mag, err in zip(curves["mjd"], curves["mag"], curves["magerr"]):
            close = np.flatnonzero(np.diff(mjd) < 0.1)
            scatter += list((mag[close + 1] - mag[close]) / np.hypot(err[close], err[close + 1]))
        self.assertGreater(len(scatter), 500)
        self.assertAlmostEqual(np.std(scatter), 1, delta=0.15)

    def test_catalogues_can_be_made_alone(self):
        skysim("make", self.folder / "only", "--catalog-only", "--sources", 2500, "--seed", 7)
        self.assertEqual(sorted(p.stem for p in (self.folder / "only").iterdir()), sorted(CATALOGUES))
        for name in CATALOGUES:
            same = (self.folder / "only" / f"{name}.fits").read_bytes()
            self.assertEqual(same, (self.sky / f"{name}.fits").read_bytes())
        skysim("make", self.folder / "stars", "--catalog-only", "--sources", 10, "--stars", 7)
        stars, _ = read_table(self.folder / "stars/gaia_source.fits")
        self.assertTrue(14 <= len(stars) <= 20, len(stars))

    @unittest.skipIf(is_sanitized(), "a sanitizer needs several times the program's memory")
    def test_memory_does_not_grow_with_the_sky(self):
        peaks = []
        for sources in (4000, 40000):
            process = subprocess.Popen(
                [SKYSIM, "make", self.folder / "large", "--catalog-only", "--sources", str(sources),
                 "-j", "2"])  # fmt: skip
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = status
            self.assertEqual(status, 0)
            peaks.append(usage.ru_maxrss)
        files = sum(p.stat().st_size for p in (self.folder / "large").iterdir()) / 1024
        self.assertLess(peaks[1] - peaks[0], 0.2 * files)

    def test_mistakes_are_reported(self):
        skysim("make", expect=2)
        skysim("make", self.folder / "x", "--sources", 5, "--profile", "real", expect=2)
        file = self.folder / "file"
        file.write_text("")
        self.assertIn("file", skysim("make", file / "x", "--sources", 5, expect=1).stderr)


if __name__ == "__main__":
    unittest.main()
