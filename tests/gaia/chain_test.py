"""From a sky to products: cross-match, Gaia epochs from files and from a database, flags, LOO fits.
What reaches the fitter is what astropy reads in the table of epochs."""

import subprocess
import unittest

import numpy as np
from support import ARRAYS, SKYSIM, GaiaTest, copy_rows, postgres, read_table

SOURCE = """
[chain]
name = "gaia"
batch_rows = 40
[[stage]]
use = "fits-crossmatch"
label = "match"
left = "{sky}/sdss_dr16q.fits"
right = "{right}"
where = "is_qso_final = 1"
"""
STAGES = """
[[stage]]
use = "gaia-epoch"
label = "epochs"
{archive}
[[stage]]
use = "gaia-quality"
flags = {flags}
[[stage]]
use = "ou-loo"
label = "loo"
groups = ["gaia.g", "gaia.bp", "gaia.rp"]
[[stage]]
use = "fits-sink"
label = "catalog"
what = "catalog"
[[stage]]
use = "fits-sink"
label = "epochs-out"
what = "gaia"
[[stage]]
use = "fits-sink"
label = "loo-out"
what = "loo"
"""
FLAGS = {"g": "photometry_flag_noisy_data", "bp": "variability_flag_bp_reject", "rp": "variability_flag_rp_reject"}
PRODUCTS = ["catalog", "gaia_lc", "loo_gaia_g", "loo_gaia_bp", "loo_gaia_rp"]
MAG_PER_RELATIVE_FLUX = 2.5 / np.log(10)


class Chain(GaiaTest):
    SOURCES = 200

    def run_whole(self, run, archive, source=SOURCE, flags=True, right=None):
        chosen = "[" + ", ".join(f'"{f}"' for f in FLAGS.values()) + "]" if flags else "[]"
        right = right or self.sky / "gaia_source.fits"
        text = (source + STAGES).format(sky=self.sky, right=right, archive=archive, flags=chosen)
        chain = self.write(f"{run}.toml", text)
        self.qsohost("--chain", chain, "--check")
        self.qsohost("--chain", chain, "--run-dir", run)
        return [read_table(self.folder / run / f"gaia_{name}.fits")[0] for name in PRODUCTS]

    def kept(self, source, band):
        """Arrays of one band of one source as the fitter must have them."""
        row = self.rows[source]
        keep = ~row[FLAGS[band]]
        prefix = "g_transit" if band == "g" else band
        return {a.removeprefix(f"{prefix}_"): row[a][keep] for a in ARRAYS if a.startswith(f"{prefix}_")}

    def assert_fitted(self, products):
        """Every epoch that astropy reads takes part in the fits, but for what has no error."""
        catalog, curves, *fits = products
        ids = [int(i) for i in catalog["source_id"]]
        self.assertGreater(len(ids), 100)
        self.assertEqual(ids, [int(i) for i in curves["source_id"]])
        fitted = 0
        for band, table in zip(FLAGS, fits):
            self.assertEqual(ids, [int(i) for i in table["source_id"]])
            np.testing.assert_array_equal(table["z"], catalog["z"])
            for k, source in enumerate(ids):
                if source not in self.rows:
                    self.assertEqual(table["n_epochs"][k], 0)
                    continue
                epochs = self.kept(source, band)
                for name, values in epochs.items():
                    prefix = "g_transit" if band == "g" else band
                    np.testing.assert_array_equal(curves[f"{prefix}_{name}"][k], values)
                with np.errstate(invalid="ignore", divide="ignore"):
                    error = MAG_PER_RELATIVE_FLUX * epochs["flux_error"] / epochs["flux"]
                    time = next(values for name, values in epochs.items() if name.endswith("time"))
                    good = (epochs["flux"] > 0) & (error > 0) & np.isfinite(epochs["mag"]) & np.isfinite(time)
                self.assertEqual(table["n_epochs"][k], np.count_nonzero(good), (source, band))
                removed = table["n_removed"][k]
                self.assertEqual(len(table["removed_mjd"][k]), max(removed, 0))
                self.assertTrue(np.isin(table["removed_mjd"][k], time[good]).all())
                fitted += bool(np.isfinite(table["logD_full"][k]))
        self.assertGreater(fitted, 200)

    def test_from_files(self):
        products = self.run_whole("files", self.files())
        self.assert_fitted(products)
        self.assertGreater(sum(products[2]["n_removed"] > 0), 0)

    def test_quasars_that_share_a_source(self):
        # Another quasar 0.2 arcsec beside some: both get the source, and both its epochs and fits.
        table, _ = read_table(self.sky / "sdss_dr16q.fits")
        count = len(table["ra"])
        copy = self.folder / "sdss_dr16q.fits"
        self.copy_sdss(copy, np.concatenate([np.arange(count), np.arange(0, count, 10)]))
        source = SOURCE.replace("{sky}", str(self.folder))
        products = self.run_whole("twice", self.files(), source)
        self.assert_fitted(products)
        ids = products[0]["source_id"]
        _, first, times = np.unique(ids, return_index=True, return_counts=True)
        self.assertGreater(np.count_nonzero(times == 2), 10)
        for k in first[times == 2]:
            self.assertEqual(ids[k], ids[k + 1])
            for product in products[1:]:
                for name in product:
                    np.testing.assert_array_equal(product[name][k], product[name][k + 1], name)

    def copy_sdss(self, path, rows):
        from astropy.io import fits

        with fits.open(self.sky / "sdss_dr16q.fits", memmap=False) as file:
            fits.BinTableHDU(file[1].data[rows], file[1].header).writeto(path)

    @unittest.skipUnless(postgres.programs() and postgres.has_q3c(), "no PostgreSQL with q3c here")
    def test_from_a_database(self):
        with postgres.Postgres() as server:
            subprocess.run([SKYSIM, "load", self.sky, "--dsn", server.dsn], check=True, capture_output=True)
            archive = f'archive = "wsdb"\ndsn = "{server.dsn}"'
            source = SOURCE[:SOURCE.index("[[stage]]")] + (
                f'[[stage]]\nuse = "wsdb-crossmatch"\nlabel = "match"\ndsn = "{server.dsn}"\n'
                'where = "is_qso_final = 1"\n')
            mixed = self.run_whole("mixed", archive)
            database = self.run_whole("database", archive, source)
        self.assert_fitted(mixed)
        files = self.run_whole("files", self.files())
        for name, *tables in zip(PRODUCTS, files, mixed, database):
            for table in tables[1:]:
                self.assertEqual(list(table), list(tables[0]))
                for column in table:
                    for a, b in zip(table[column], tables[0][column]):
                        if column == "match_separation":
                            self.assertAlmostEqual(a, b, delta=1e-9)
                        else:
                            np.testing.assert_array_equal(a, b, f"{name}: {column}")

    def test_duplicates_as_errors_need_no_transit_id(self):
        from astropy.io import fits

        with fits.open(self.sky / "gaia_epoch.fits", memmap=False) as file:
            ids = np.array(file[1].data["source_id"])
        _, first, times = np.unique(ids, return_index=True, return_counts=True)
        single = sorted(first[times == 1])
        copy_rows(self.sky / "gaia_epoch.fits", self.folder / "single.fits", single)
        raw = (self.folder / "single.fits").read_bytes()
        self.assertEqual(raw.count(b"'transit_id'"), 1)
        (self.folder / "without.fits").write_bytes(raw.replace(b"'transit_id'", b"'some_thing'"))
        path = self.folder / "without.fits"
        products = self.run_whole("without", self.files(path) + '\nduplicates = "error"', flags=False)
        whole = self.run_whole("with", self.files(self.folder / "single.fits"), flags=False)
        for a, b in zip(products[1]["bp_mag"], whole[1]["bp_mag"]):
            np.testing.assert_array_equal(a, b)
        self.assertGreater(sum(len(a) for a in products[1]["bp_mag"]), 1000)


if __name__ == "__main__":
    unittest.main()
