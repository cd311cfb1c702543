"""What tests of Gaia epochs share: a sky, chains that fetch its epochs, and what must come out."""

import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile

import numpy as np
from astropy.io import fits

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
import postgres  # noqa: E402, F401  (for the tests)
from chains import PATIENCE, SHARED, SKYSIM, ChainTest, interrupt, read_table, wait_until  # noqa: E402, F401
from proxy import Proxy  # noqa: E402, F401

ARRAYS = [f"{prefix}_{what}" for prefix, time in (("g_transit", "time"), ("bp", "obs_time"), ("rp", "obs_time"))
          for what in (time, "mag", "flux", "flux_error")]  # fmt: skip
FLAGS = [f"photometry_flag_{f}" for f in ("noisy_data", "sm_unavailable", "bp_unavailable", "rp_unavailable", "sm_reject")]
FLAGS += [f"variability_flag_{band}_reject" for band in ("g", "bp", "rp")]

CHAIN = """
[chain]
name = "gaia"
batch_rows = {batch_rows}
[[stage]]
use = "catalog-source"
label = "catalog"
path = "{catalog}"
columns = ["ra", "dec"]
[[stage]]
use = "gaia-epoch"
label = "epochs"
{archive}
columns = ["transit_id"]
[[stage]]
use = "fits-sink"
label = "product"
what = "gaia"
"""


class GaiaTest(ChainTest):
    """A sky for all tests of a class, and its rows of epoch_photometry by source_id."""

    SOURCES = 150

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = pathlib.Path(tempfile.mkdtemp(prefix="gaia-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.shared, True)
        cls.sky = cls.shared / "sky"
        make_sky(cls.sky, cls.SOURCES)
        cls.rows = epoch_rows(cls.sky / "gaia_epoch.fits")
        cls.catalog = [int(i) for i in read_table(cls.sky / "gaia_source.fits")[0]["source_id"]]

    def chain(self, archive, name="chain.toml", batch_rows=100, catalog=None):
        catalog = catalog or self.sky / "gaia_source.fits"
        return self.write(name, CHAIN.format(catalog=catalog, archive=archive, batch_rows=batch_rows))

    def files(self, *paths):
        paths = paths or (self.sky / "gaia_epoch.fits",)
        return 'archive = "files"\npaths = [' + ", ".join(f'"{p}"' for p in paths) + "]"

    def assert_product(self, path, ids=None, rows=None):
        """Row by row what the table has, epochs in its order; nothing for sources that it lacks."""
        product, _ = read_table(path)
        ids = self.catalog if ids is None else ids
        rows = self.rows if rows is None else rows
        self.assertEqual([int(i) for i in product["source_id"]], list(ids))
        epochs = 0
        for k, source in enumerate(ids):
            row = rows.get(source)
            for name in ARRAYS + FLAGS:
                found = product[name][k]
                if row is None:
                    self.assertEqual(len(found), 0)
                elif name in FLAGS:
                    np.testing.assert_array_equal(flags(found), row[name])
                else:
                    np.testing.assert_array_equal(found, row[name])
            epochs += 0 if row is None else len(row["g_transit_mag"])
        return epochs

    def outcomes(self, run, stage=1):
        with sqlite3.connect(run / ".qsohost/run.db") as db:
            return {int(i): (outcome, reason) for i, outcome, reason in db.execute(
                "SELECT source_id, outcome, reason FROM object WHERE stage = ?", (stage,))}  # fmt: skip

    def assert_outcomes(self, run):
        outcomes = self.outcomes(run)
        self.assertEqual(sorted(outcomes), sorted(set(self.catalog)))
        for source, (outcome, reason) in outcomes.items():
            self.assertEqual(outcome, 0 if source in self.rows else 1, reason)


def make_sky(folder, sources, seed=5):
    subprocess.run([SKYSIM, "make", folder, "--sources", str(sources), "--seed", str(seed)],
                   check=True, capture_output=True)  # fmt: skip


def epoch_rows(path):
    """Rows by source_id; those of one source, of which skysim makes some, end to end in time."""
    table, _ = read_table(path)
    rows = {}
    for k in sorted(range(len(table["source_id"])), key=lambda k: table["transit_id"][k][0]):
        row = {name: np.array(table[name][k]) for name in [*ARRAYS, "transit_id"]}
        row |= {name: flags(table[name][k]) for name in FLAGS}
        before = rows.get(int(table["source_id"][k]))
        if before is not None:
            row = {name: np.concatenate([before[name], row[name]]) for name in row}
        rows[int(table["source_id"][k])] = row
    return rows


def write_targets(path, ids):
    lines = [f"{i},{(k * 0.37) % 360:.5f},{k % 80}" for k, i in enumerate(ids)]
    path.write_text("\n".join(["source_id,ra,dec", *lines]) + "\n")


def copy_rows(source, destination, rows, add=0):
    """Some rows of a table, by position, `add` added to their source_id; the arrays stand in the heap
    as they did. (astropy mixes up arrays of tables that are cut.) Returns the identifiers."""
    with fits.open(source, memmap=False) as file:
        header = file[1].header
        width, count, pcount = header["NAXIS1"], header["NAXIS2"], header["PCOUNT"]
        start = file[1].fileinfo()["datLoc"]
        offset = int(file[1].columns.dtype.fields["source_id"][1])
        gap = header.get("THEAP", width * count) - width * count
    raw = pathlib.Path(source).read_bytes()
    old = np.frombuffer(raw, np.uint8, width * count, start).reshape(count, width)
    heap = raw[start + width * count + gap:start + width * count + pcount]
    new = old[rows].copy()
    ids = new[:, offset:offset + 8].copy().view(">i8")[:, 0] + add
    new[:, offset:offset + 8] = ids.astype(">i8").reshape(-1, 1).view(np.uint8)
    header["NAXIS2"] = len(new)
    header["PCOUNT"] = len(heap)
    for key in ("THEAP", "CHECKSUM", "DATASUM"):
        header.remove(key, ignore_missing=True)
    with open(destination, "wb") as out:
        for part in (fits.PrimaryHDU().header.tostring().encode(), header.tostring().encode(),
                     new.tobytes(), heap):  # fmt: skip
            out.write(part)
        out.write(b"\0" * (-out.tell() % 2880))
    return [int(i) for i in ids]


def tiled(source, destination, times, step=1_000_003):
    """The table of a file again and again, source_id larger by `step` each time."""
    with fits.open(source) as file:
        count = file[1].header["NAXIS2"]
    return copy_rows(source, destination, np.tile(np.arange(count), times),
                     np.repeat(np.arange(times) * step, count))  # fmt: skip


def fill_many(server, times, step=1_000_003):
    """Table `many` of a server: epoch_photometry again and again, as tiled() does it."""
    columns = [r[0] for r in server.query(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'gaia_dr3.epoch_photometry'::regclass "
        "AND attnum > 0 ORDER BY attnum")]  # fmt: skip
    values = [f"source_id + n * {step}" if c == "source_id" else c for c in columns]
    server.query(
        "DROP TABLE IF EXISTS many; CREATE TABLE many (LIKE gaia_dr3.epoch_photometry);"
        f"INSERT INTO many SELECT {', '.join(values)} FROM gaia_dr3.epoch_photometry, "
        f"generate_series(0, {times - 1}) n; CREATE INDEX ON many (source_id); ANALYZE many")  # fmt: skip


def flags(cells):
    """astropy gives the letters of arrays of logicals as numbers."""
    cells = np.asarray(cells)
    return (cells == ord("T")) if cells.dtype != bool and ((cells == 70) | (cells == 84)).any() else cells.astype(bool)
