"""fits-crossmatch on a simulated sky and on a random one, against astropy's matching."""

import shutil
import subprocess
import tempfile
import time
import unittest
import pathlib

import numpy as np
from astropy.io import fits
from astropy.table import Table

import expected
from chains import SKYSIM, ChainTest

SOURCES = 1500
CHAIN = """
[chain]
name = "match"
batch_rows = 100
[[stage]]
use = "fits-crossmatch"
label = "match"
left = "left.fits"
right = "right.fits"
where = "is_qso_final = 1"
[[stage]]
use = "fits-sink"
what = "catalog"
"""


def random_sky(folder, n_left, n_right, seed):
    """Clumped positions with all that is awkward: RA 0, poles, duplicates, none at all."""
    rng = np.random.default_rng(seed)
    ra = rng.uniform(0, 360, n_left)
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, n_left)))
    tenth = n_left // 10
    clump = 1e-5 * tenth  # deg: some pairs for each, whatever the number
    ra[:tenth] = rng.normal(0, clump, tenth) % 360
    dec[:tenth] = rng.normal(10, clump, tenth)
    dec[tenth : 2 * tenth] = 90 - np.abs(rng.normal(0, clump, tenth))
    dec[2 * tenth : 3 * tenth] = -90 + np.abs(rng.normal(0, clump, tenth))
    ra[3 * tenth], dec[3 * tenth] = 10, 90
    ra[3 * tenth + 1], dec[3 * tenth + 1] = 200, 90
    near = rng.integers(0, n_left, n_right)
    away = rng.exponential(0.8, n_right) / 3600
    angle = rng.uniform(0, 2 * np.pi, n_right)
    right_dec = np.clip(dec[near] + away * np.sin(angle), -90, 90)
    right_ra = ra[near] + away * np.cos(angle) / np.maximum(np.cos(np.radians(dec[near])), 1e-6)
    right_ra = np.mod(right_ra, 360)
    right_ra[::7] -= 360 * (right_ra[::7] > 180)  # some are written as negative
    right_ra[-5:], right_dec[-5:] = ra[:5], dec[:5]
    ra[-1], dec[-2], right_ra[0] = np.nan, 123.0, np.nan
    Table(
        {
            "name": [f"q{i}" for i in range(n_left)],
            "ra": ra,
            "dec": dec,
            "is_qso_final": rng.integers(0, 2, n_left).astype("i2"),
            "z": np.where(rng.uniform(size=n_left) < 0.1, np.nan, rng.uniform(0, 5, n_left)),
            "mag": rng.normal(20, 1, (n_left, 5)).astype("f4"),
        }
    ).write(folder / "left.fits")
    Table(
        {
            "source_id": rng.permutation(n_right).astype("i8") + 2**61,
            "ra": right_ra,
            "dec": right_dec,
            "is_variable": rng.integers(0, 2, n_right).astype(bool),
            "Z": rng.integers(-5, 5, n_right).astype("i4"),
        }
    ).write(folder / "right.fits")


class Matching(ChainTest):
    @classmethod
    def setUpClass(cls):
        cls.sky = pathlib.Path(tempfile.mkdtemp(prefix="qsohost-sky-"))
        cls.addClassCleanup(shutil.rmtree, cls.sky, True)
        subprocess.run(
            [SKYSIM, "make", cls.sky, "--sources", str(SOURCES), "--seed", "3", "--catalog-only"],
            check=True, capture_output=True,
        )  # fmt: skip

    def use_sky(self):
        (self.folder / "left.fits").symlink_to(self.sky / "sdss_dr16q.fits")
        (self.folder / "right.fits").symlink_to(self.sky / "gaia_source.fits")

    def use_random(self, n_left=2000, n_right=6000, seed=1):
        random_sky(self.folder, n_left, n_right, seed)

    def run_chain(self, *sets, expect=0):
        chain = self.write("chain.toml", CHAIN)
        args = [x for s in sets for x in ("--set", f"match.{s}")]
        return self.qsohost(
            "--chain", chain, "--run-dir", "run", "--restart", *args, expect=expect
        )  # fmt: skip

    def check(self, radius=1.0, take="is_qso_final", match="all", unique="keep"):
        """The product is what astropy says, row by row and column by column."""
        left, left_columns = expected.read(self.folder / "left.fits")
        right, right_columns = expected.read(self.folder / "right.fits")
        mask = None if take is None else left[take] == 1
        a, b, separation, n_matches = expected.pairs(left, right, radius, mask, match, unique)
        self.assertGreater(len(a), 100)
        got, _ = expected.read(self.folder / "run/match_catalog.fits")
        self.assertEqual(len(got), len(a))
        left_names, right_names = expected.names(left_columns, right_columns)
        names = [*left_names, *right_names, "match_separation", "n_matches", "ra", "dec"]
        names.remove("source_id")
        self.assertEqual(got.names, ["source_id", *names])  # products begin with it
        for table, rows, columns, in_result in (
            (left, a, left_columns.names, left_names),
            (right, b, right_columns.names, right_names),
        ):
            for column, name in zip(columns, in_result):
                self.assertTrue(expected.same(got[name], table[column][rows]), name)
        np.testing.assert_allclose(got["match_separation"], separation, rtol=0, atol=1e-6)
        np.testing.assert_array_equal(got["n_matches"], n_matches)
        np.testing.assert_array_equal(got["ra"], right["ra"][b])
        return len(a)

    def test_simulated_sky(self):
        self.use_sky()
        done = self.run_chain()
        rows = self.check()
        self.assertIn(f"{rows} pairs", done.stdout + done.stderr)

    def test_units_and_descriptions_go_along(self):
        self.use_sky()
        self.run_chain()
        _, columns = expected.read(self.folder / "run/match_catalog.fits")
        self.assertEqual(columns["sdss_ra"].unit, "deg")
        self.assertEqual(columns["parallax"].unit, "mas")
        self.assertEqual(columns["match_separation"].unit, "arcsec")

    def test_awkward_positions(self):
        for radius in (0.0, 0.5, 3.0, 15.0):
            with self.subTest(radius=radius):
                for file in self.folder.glob("*.fits"):
                    file.unlink()
                self.use_random(seed=int(radius) + 1)
                if radius == 0.0:
                    self.run_chain("radius_arcsec=0", "where=''")
                    got, _ = expected.read(self.folder / "run/match_catalog.fits")
                    self.assertGreaterEqual(len(got), 5)
                    self.assertEqual(got["match_separation"].max(), 0)
                    continue
                done = self.run_chain(f"radius_arcsec={radius}", "where=''")
                self.check(radius, None)
                self.assertRegex(done.stdout + done.stderr, r"left.fits: 2 of 2000 rows have no pos")
                self.assertRegex(done.stdout + done.stderr, r"right.fits: 1 of 6000 rows have no")

    def test_modes(self):
        self.use_random()
        counts = set()
        for match in ("all", "nearest"):
            for unique in ("keep", "nearest", "drop"):
                with self.subTest(match=match, unique=unique):
                    self.run_chain("radius_arcsec=2", f'match="{match}"', f'unique="{unique}"')
                    counts.add(self.check(2.0, match=match, unique=unique))
        self.assertEqual(len(counts), 6)

    def test_nearest_is_astropys_nearest(self):
        self.use_random()
        self.run_chain('match="nearest"')
        left, _ = expected.read(self.folder / "left.fits")
        right, _ = expected.read(self.folder / "right.fits")
        rows = expected.on_sky(left)
        rows = rows[left["is_qso_final"][rows] == 1]
        others = expected.on_sky(right)
        k, away, _ = expected.sky(left, rows).match_to_catalog_sky(expected.sky(right, others))
        inside = away.arcsec <= 1
        wanted = {left["name"][r]: right["source_id"][others[j]] for r, j in
                  zip(rows[inside], k[inside])}  # fmt: skip
        got, _ = expected.read(self.folder / "run/match_catalog.fits")
        self.assertEqual(dict(zip(got["name"], got["source_id"])), wanted)

    def test_larger_table_on_the_left(self):
        self.use_random(6000, 2000)
        self.run_chain("radius_arcsec=2")
        self.check(2.0)

    def test_where_and_columns(self):
        self.use_random()
        self.run_chain("where='Z > 1 and mod(is_qso_final, 2) = 0'", "columns=['-gaia.z']",
                       "prefixes=['a', 'gaia']")  # fmt: skip
        got, _ = expected.read(self.folder / "run/match_catalog.fits")
        self.assertEqual(got.names, ["source_id", "name", "a_ra", "a_dec", "is_qso_final", "a_z",
                                     "mag", "gaia_ra", "gaia_dec", "is_variable",
                                     "match_separation", "n_matches", "ra", "dec"])  # fmt: skip
        self.assertGreater(got["a_z"].min(), 1)
        self.assertEqual(got["is_qso_final"].max(), 0)

    def test_mistakes(self):
        self.use_random()
        for sets, words in (
            (["left_ra='raj'"], ["left.fits", "'raj'", "left_ra"]),
            (["where='is_qso_fnal = 1'"], ["where", "is_qso_fnal", "did you mean 'is_qso_final'"]),
            (["where='z >'"], ["where", "syntax"]),
            (["where='mag > 1'"], ["where", "several values"]),
            (["columns=['nme']"], ["columns", "did you mean 'name'"]),
            (["left='nowhere.fits'"], ["nowhere.fits"]),
            (["id='ra'"], ["id", "right.fits", "'ra'"]),
        ):
            with self.subTest(sets=sets):
                done = self.run_chain(*sets, expect=1)
                for word in words:
                    self.assertIn(word, done.stderr + done.stdout)
                self.assertFalse((self.folder / "run/match_catalog.fits").exists())
        done = self.run_chain("radius_arcsec=-1", expect=2)
        self.assertIn("radius_arcsec", done.stderr)
        done = self.run_chain('match="best"', expect=2)
        self.assertIn('"nearest"', done.stderr)

    def test_arrays_are_named_with_what_to_write(self):
        self.use_random()
        arrays = fits.BinTableHDU.from_columns(
            fits.ColDefs(expected.read(self.folder / "left.fits")[1])
            + fits.Column("epochs", "PD()", array=np.array([np.arange(3.0)] * 2000, dtype=object))
        )
        arrays.writeto(self.folder / "other.fits")
        done = self.run_chain("left='other.fits'", expect=1)
        self.assertIn('columns = ["all", "-sdss.epochs"]', done.stderr)
        self.run_chain("left='other.fits'", 'columns=["all", "-sdss.epochs"]')

    def test_gzipped(self):
        self.use_random()
        subprocess.run(["gzip", "-k", self.folder / "right.fits"], check=True)
        self.run_chain()
        one = (self.folder / "run/match_catalog.fits").rename(self.folder / "one.fits")
        self.run_chain("right='right.fits.gz'")
        self.check()
        first, second = (expected.read(f)[0] for f in (one, self.folder / "run/match_catalog.fits"))
        self.assertEqual(first.tobytes(), second.tobytes())

    def test_killed_and_resumed(self):
        self.use_sky()
        chain = self.write("chain.toml", CHAIN.replace("batch_rows = 100", "batch_rows = 3"))
        begin = time.monotonic()
        self.qsohost("--chain", chain, "--run-dir", "whole")
        self.kill_and_resume(["--chain", chain], "run", time.monotonic() - begin)
        self.assert_same_files(self.folder / "whole", self.folder / "run")

    def test_threads_change_nothing(self):
        self.use_random(20000, 60000)
        for threads in (1, 3):
            self.run_chain(f"threads={threads}", "radius_arcsec=2")
            (self.folder / "run/match_catalog.fits").rename(self.folder / f"{threads}.fits")
        first, second = (expected.read(self.folder / f"{n}.fits")[0] for n in (1, 3))
        self.assertEqual(first.tobytes(), second.tobytes())


class Memory(ChainTest):
    def peak(self, n_right):
        """In kB, of 20,000 quasars matched with `n_right` sources of 800 bytes a row."""
        rng = np.random.default_rng(2)
        ra, dec = rng.uniform(0, 360, 20000), rng.uniform(-30, 80, 20000)
        Table({"ra": ra, "dec": dec}).write(self.folder / "left.fits", overwrite=True)
        near = np.arange(n_right) % 20000
        shift = np.where(np.arange(n_right) < 20000, 1e-4, 1.0)  # only the first ones match
        Table(
            {
                "source_id": np.arange(n_right),
                "ra": (ra[near] + shift) % 360,
                "dec": dec[near],
                "many": np.zeros((n_right, 97)),
            }
        ).write(self.folder / "right.fits", overwrite=True)
        chain = self.write("chain.toml", CHAIN)
        peak = self.peak_memory(
            "--chain", chain, "--run-dir", "run", "--restart", "--set", "match.where=''"
        )
        self.assertGreater(len(expected.read(self.folder / "run/match_catalog.fits")[0]), 15000)
        return peak

    def test_ten_times_the_sources(self):
        small, large = self.peak(25_000), self.peak(250_000)
        print(f"peak memory: {small} kB for 25,000 sources, {large} kB for 250,000")
        self.assertLess(large, 1.2 * small)


if __name__ == "__main__":
    unittest.main()
