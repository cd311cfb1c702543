"""catalog-join on a large catalogue: seconds and memory, with the index made and kept.

    python3 tests/benchmarks/catalog_join.py BUILD_FOLDER [ROWS] [OBJECTS]      (default: 2000000 50000)

Fails if ten times the rows take 16 MB more. Takes some 100 bytes of temporary disk space a row, for the
catalogue and its index.
"""

import os
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOST_MORE = 16 * 1024  # kB

CHAIN = """
[chain]
name = "join"
[[stage]]
use = "catalog-source"
path = "objects.fits"
[[stage]]
use = "catalog-join"
path = "{catalogue}"
columns = ["LOGLBOL", "LOGMBH"]
{how}
[[stage]]
use = "fits-sink"
what = "catalog"
"""
WAYS = {
    "key": 'key = "source_id"\ntheir_key = "ID"',
    "position": 'radius_arcsec = 1.0\ntheir_ra = "RA"\ntheir_dec = "DEC"',
}


def make_tables(folder, np, Table, rows, objects):
    rng = np.random.default_rng(1)
    ids = rng.permutation(rows) + 2**60
    ra, dec = rng.uniform(0, 360, rows), np.degrees(np.arcsin(rng.uniform(-1, 1, rows)))
    table = Table({"ID": ids, "RA": ra, "DEC": dec, "LOGLBOL": rng.normal(46, 1, rows), "LOGMBH": rng.normal(9, 1, rows)})
    table.write(folder / "all.fits")
    table[: rows // 10].write(folder / "tenth.fits")
    table.write(folder / "all.csv", format="ascii.fast_csv")
    chosen = rng.choice(rows, objects, replace=False)
    Table({"source_id": ids[chosen], "ra": ra[chosen], "dec": dec[chosen]}).write(folder / "objects.fits")


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    os.environ["QSOHOST"] = str(build / "bin/qsohost")
    os.environ["QSOHOST_PLUGIN_PATH"] = str(build / "lib/qsohost/plugins")
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 2_000_000
    objects = int(sys.argv[3]) if len(sys.argv) > 3 else 50_000
    sys.path.insert(0, str(ROOT / "tests/support"))
    import numpy as np
    from astropy.table import Table
    from chains import QSOHOST, peak_memory

    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        make_tables(folder, np, Table, rows, objects)
        peaks = {}
        for how, options in WAYS.items():
            for catalogue in ("tenth.fits", "all.fits", "all.csv"):
                chain = folder / f"{how}.toml"
                chain.write_text(CHAIN.format(catalogue=catalogue, how=options))
                run = folder / f"{how}-{catalogue}.run"
                for index in ("made", "kept"):
                    begin = time.monotonic()
                    peak = peak_memory([QSOHOST, "--chain", chain, "--run-dir", run, "--restart"], folder)
                    seconds = time.monotonic() - begin
                    print(f"{how:8} {catalogue:10} index {index}: {seconds:6.2f} s {peak / 1024:6.1f} MB", flush=True)
                    peaks[how, catalogue, index] = peak
        for how in WAYS:
            more = peaks[how, "all.fits", "made"] - peaks[how, "tenth.fits", "made"]
            if more > MOST_MORE:
                sys.exit(f"by {how}: ten times the rows take {more / 1024:.1f} MB more")


if __name__ == "__main__":
    main()
