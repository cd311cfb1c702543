"""gaia-epoch from FITS files: a simulated table, and the real one."""

import csv
import json
import time
import unittest

import numpy as np
from astropy.io import fits
from support import SHARED, GaiaTest, copy_rows, epoch_rows, read_table, tiled, write_targets

BULK = SHARED / "gaia/epoch_photometry_bulk.ecsv"


class Files(GaiaTest):
    def test_products_are_the_rows_of_the_table(self):
        chain = self.chain(self.files())
        self.qsohost("--chain", chain, "--check")
        done = self.qsohost("--chain", chain, "--run-dir", "run")
        self.assertIn("index made", done.stdout + done.stderr)
        epochs = self.assert_product(self.folder / "run/gaia_gaia_lc.fits")
        self.assertEqual(epochs, sum(len(r["transit_id"]) for r in self.rows.values()))
        self.assertGreater(epochs, 2000)
        self.assert_outcomes(self.folder / "run")

    def test_several_files_and_an_index_that_is_kept(self):
        table = self.sky / "gaia_epoch.fits"
        copy_rows(table, self.folder / "a.fits", slice(0, 40))
        copy_rows(table, self.folder / "b.fits", slice(40, None))
        chain = self.chain(self.files(self.folder / "b.fits", self.folder / "a.fits"))
        self.qsohost("--chain", chain, "--run-dir", "run")
        self.assert_product(self.folder / "run/gaia_gaia_lc.fits")
        again = self.qsohost("--chain", chain, "--run-dir", "run", "--restart")
        self.assertIn("index made before", again.stdout + again.stderr)
        # A file with fewer sources.
        copy_rows(table, self.folder / "a.fits", slice(0, 10))
        again = self.qsohost("--chain", chain, "--run-dir", "run", "--restart")
        self.assertIn("index made again", again.stdout + again.stderr)
        copy_rows(table, self.folder / "both.fits", [*range(10), *range(40, len(read_table(table)[0]["source_id"]))])
        rows = epoch_rows(self.folder / "both.fits")
        self.assertLess(len(rows), len(self.rows))
        self.assert_product(self.folder / "run/gaia_gaia_lc.fits", rows=rows)

    def test_a_dry_run_keeps_nothing(self):
        done = self.qsohost("--chain", self.chain(self.files()), "--run-dir", "run", "--dry-run", "20")
        self.assertIn("index made", done.stdout + done.stderr)
        self.assertFalse((self.folder / "run").exists())

    def test_killed_and_resumed(self):
        chain = self.chain(self.files(), batch_rows=5)
        begin = time.monotonic()
        self.qsohost("--chain", chain, "--run-dir", "whole")
        self.kill_and_resume(["--chain", chain], "run", time.monotonic() - begin)
        self.assert_same_files(self.folder / "whole", self.folder / "run")

    def test_unsettled_and_wrong_inputs(self):
        chain = self.chain(self.files("none.fits"))
        self.assertIn("none.fits", self.qsohost("--chain", chain, "--run-dir", "run", expect=1).stderr)
        chain = self.chain(self.files(self.sky / "gaia_source.fits"))
        done = self.qsohost("--chain", chain, "--run-dir", "other", expect=1)
        self.assertIn("epoch_photometry", done.stderr)
        self.assertIn("g_transit_time", done.stderr)
        chain = self.chain('archive = "files"')
        done = self.qsohost("--chain", chain, "--check", expect=2)
        self.assertIn("chain.toml:", done.stderr)
        self.assertIn("paths", done.stderr)

    def test_quality_flags_cut(self):
        chain = self.chain(self.files())
        text = chain.read_text().replace('[[stage]]\nuse = "fits-sink"', '[[stage]]\nuse = "gaia-quality"\n'
                                         'flags = ["variability_flag_bp_reject", "photometry_flag_noisy_data"]\n'
                                         '[[stage]]\nuse = "fits-sink"')  # fmt: skip
        chain.write_text(text)
        self.qsohost("--chain", chain, "--check")
        self.qsohost("--chain", chain, "--run-dir", "run")
        product, _ = read_table(self.folder / "run/gaia_gaia_lc.fits")
        cut = 0
        for k, source in enumerate(product["source_id"]):
            row = self.rows.get(int(source))
            if row is None:
                continue
            for band, flag in (("g_transit", "photometry_flag_noisy_data"),
                               ("bp", "variability_flag_bp_reject")):  # fmt: skip
                keep = ~row[flag]
                np.testing.assert_array_equal(product[f"{band}_flux"][k], row[f"{band}_flux"][keep])
                cut += np.count_nonzero(~keep)
            np.testing.assert_array_equal(product["rp_flux"][k], row["rp_flux"])
        self.assertGreater(cut, 50)
        # Asked for a flag that is not fetched.
        chain.write_text(text.replace("photometry_flag_noisy_data", "photometry_flag_af1_reject"))
        done = self.qsohost("--chain", chain, "--check", expect=2)
        self.assertIn('columns = ["photometry_flag_af1_reject"] in gaia-epoch', done.stderr)

    def test_memory_is_flat(self):
        peaks = []
        for times in (10, 100):
            ids = list(dict.fromkeys(tiled(self.sky / "gaia_epoch.fits", self.folder / "many.fits", times)))
            write_targets(self.folder / "targets.csv", ids)
            chain = self.chain(self.files(self.folder / "many.fits"), catalog="targets.csv", batch_rows=25)
            peaks.append(self.peak_memory("--chain", chain, "--run-dir", "peak", "--restart"))
            product, _ = read_table(self.folder / "peak/gaia_gaia_lc.fits")
            self.assertEqual([int(i) for i in product["source_id"]], ids)
            last = self.rows[ids[-1] - (times - 1) * 1_000_003]
            np.testing.assert_array_equal(product["bp_mag"][-1], last["bp_mag"])
        print(f"peak memory: {peaks[0]} kB, and of ten times the sources {peaks[1]} kB")
        self.assertLess(peaks[1], 1.3 * peaks[0])


@unittest.skipUnless(BULK.exists(), f"no survey data in {SHARED}; set QSO_SHARED_DATA")
class RealTable(GaiaTest):
    SOURCES = 5

    def write_real(self, path):
        """The real rows as a FITS table, nulls of numbers as NaN; identifiers cannot be NaN: 0."""
        with open(BULK, newline="") as file:
            rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
        columns = []
        for name, first in rows[0].items():
            if not first.startswith("["):
                form = "I" if name == "n_transits" else "K"
                columns.append(fits.Column(name, form, array=np.array([int(r[name]) for r in rows])))
                continue
            arrays = [json.loads(r[name].replace('"True"', "true").replace('"False"', "false")) for r in rows]
            if "flag" in name:
                form, dtype = "PL", bool
            elif name == "transit_id":
                form, dtype = "PK", np.int64
                arrays = [[0 if v is None else v for v in a] for a in arrays]
            elif name == "g_transit_n_obs":
                form, dtype = "PI", np.int16
            else:
                form, dtype = ("PE", np.float32) if name.endswith("over_error") else ("PD", float)
                arrays = [[np.nan if v is None else v for v in a] for a in arrays]
            cells = np.empty(len(arrays), object)
            cells[:] = [np.array(a, dtype) for a in arrays]
            columns.append(fits.Column(name, form + "()", array=cells))
        fits.BinTableHDU.from_columns(columns).writeto(path)
        return [int(r["source_id"]) for r in rows]

    def test_real_rows(self):
        path = self.folder / "real.fits"
        ids = self.write_real(path)
        write_targets(self.folder / "targets.csv", [*reversed(ids), 17])
        chain = self.chain(self.files(path), catalog="targets.csv")
        self.qsohost("--chain", chain, "--run-dir", "run")
        epochs = self.assert_product(self.folder / "run/gaia_gaia_lc.fits", [*reversed(ids), 17], epoch_rows(path))
        self.assertEqual(epochs, 120)
        product, _ = read_table(self.folder / "run/gaia_gaia_lc.fits")
        self.assertEqual(sum(np.isnan(a).sum() for a in product["bp_mag"]), 16)
        self.assertEqual(sum(np.isnan(a).sum() for a in product["g_transit_flux"]), 3)

    def test_real_file_as_the_archive_gives_it(self):
        """ECSV, with flags as quoted words in lists."""
        path = self.folder / "real.fits"
        write_targets(self.folder / "targets.csv", self.write_real(path))
        sums = []
        for run, file in (("fits", path), ("ecsv", BULK)):
            self.qsohost("--chain", self.chain(self.files(file), catalog="targets.csv"), "--run-dir", run)
            sums.append(read_table(self.folder / run / "gaia_gaia_lc.fits")[1]["DATASUM"])
        self.assertEqual(*sums)


if __name__ == "__main__":
    unittest.main()
