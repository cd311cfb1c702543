"""gaia-epoch from FITS files: a simulated table, and the real one."""

import csv
import json
import time
import unittest

import numpy as np
from astropy.io import fits
from support import ARRAYS, FLAGS, SHARED, GaiaTest, copy_rows, epoch_rows, read_table, tiled, write_targets

def text(value):
    """As CSV of an archive: true and false, nothing for a missing number."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    return "" if value != value else repr(value.item() if hasattr(value, "item") else value)


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

    def transits(self):
        """Source, position in its arrays; by time, so that the rows of sources are mixed."""
        places = [(self.rows[i]["g_transit_time"][k], i, k) for i in self.rows for k in range(len(self.rows[i]["transit_id"]))]
        return [(i, k) for _, i, k in sorted(places)]

    def assert_saved(self, name, columns, lines):
        (self.folder / name).write_text("\n".join([",".join(columns), *lines]) + "\n")
        self.qsohost("--chain", self.chain(self.files(self.folder / name)), "--run-dir", "run", "--restart")
        self.assert_product(self.folder / "run/gaia_gaia_lc.fits")
        self.assert_outcomes(self.folder / "run")

    def test_saved_answers_with_a_row_a_transit(self):
        names = ["transit_id", *ARRAYS, *FLAGS]
        lines = [",".join([str(i), *(text(self.rows[i][name][k]) for name in names)]) for i, k in self.transits()]
        self.assert_saved("transits.csv", ["source_id", *names], lines)

    def test_saved_answers_of_the_old_long_form(self):
        bits = {"photometry_flag_noisy_data": (0, 24), "photometry_flag_sm_unavailable": (0, 0),
                "photometry_flag_sm_reject": (0, 12), "photometry_flag_bp_unavailable": (1, 10),
                "photometry_flag_rp_unavailable": (2, 11)}  # fmt: skip
        lines = []
        for i, k in self.transits():
            row = self.rows[i]
            for number, band in enumerate(("g", "bp", "rp")):
                other = sum(int(row[flag][k]) << bit for flag, (of, bit) in bits.items() if of == number)
                values = [row[name][k] for name in ARRAYS[4 * number:4 * number + 4]]
                values += [row[f"variability_flag_{band}_reject"][k], other]
                lines.append(",".join([str(i), str(row["transit_id"][k]), band.upper(), *map(text, values)]))
        self.assert_saved("long.csv", ["source_id", "transit_id", "band", "time", "mag", "flux", "flux_error",
                                       "rejected_by_variability", "other_flags"], lines)  # fmt: skip

    def test_a_saved_answer_that_lacks_columns(self):
        (self.folder / "short.csv").write_text("source_id,transit_id,g_transit_time\n1,2,1700.5\n")
        done = self.qsohost("--chain", self.chain(self.files(self.folder / "short.csv")), "--run-dir", "run", expect=1)
        self.assertIn("short.csv: no column for g_transit_mag", done.stderr)

    def test_a_saved_answer_whose_identifiers_have_lost_digits(self):
        names = ["source_id", "transit_id", *ARRAYS, *FLAGS]
        row = ["1.5e18", "2", *["17.5"] * len(ARRAYS), *["false"] * len(FLAGS)]
        (self.folder / "short.csv").write_text(f"{','.join(names)}\n{','.join(row)}\n")
        done = self.qsohost("--chain", self.chain(self.files(self.folder / "short.csv")), "--run-dir", "run", expect=1)
        self.assertIn("short.csv: column 'source_id' (option 'paths') holds f64", done.stderr)

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
