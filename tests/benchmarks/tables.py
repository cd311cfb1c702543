#!/usr/bin/python3
"""Speed of reading whole tables beside astropy and, where it is installed, STILTS, in one run.

    tests/benchmarks/tables.py [--rows 2000000] [--folder DIR] [--build build]

Makes one table of 10 columns (integers, floats, a text, missing values) as CSV, VOTable BINARY2 and
FITS, and reads each in all columns: ours by build/bin/tables_bench, which it builds, in blocks of
4,096 rows; astropy by Table.read into memory; STILTS by `tpipe omode=stats`,
its JVM's start included. Best of two. All find the same number of rows. Needs python3-astropy.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np
from astropy.table import Table

ROOT = pathlib.Path(__file__).resolve().parents[2]


def make(folder, rows):
    rng = np.random.default_rng(1)
    table = Table({"source_id": rng.permutation(rows) + 6917528997577384321})
    for name in ("ra", "dec", "z", "mag", "mag_err", "parallax"):
        table[name] = np.round(rng.normal(size=rows) * 90, 7)
    table["z"][rng.random(rows) < 0.1] = np.nan
    table["n"] = rng.integers(0, 500, rows).astype("i4")
    table["flags"] = rng.integers(0, 2**15, rows).astype("i2")
    table["name"] = np.char.add("J", rng.integers(10**8, 10**9, rows).astype(str))
    table.write(folder / "t.csv", format="csv")
    table.write(folder / "t.fits")
    table.write(folder / "t.vot", format="votable", tabledata_format="binary2")


ASTROPY = """
import sys, time, warnings
warnings.simplefilter("ignore")
from astropy.table import Table
begin = time.perf_counter()
table = Table.read(sys.argv[1], format=sys.argv[2])
for name in table.colnames: table[name][:].sum() if table[name].dtype.kind in "if" else None
print(len(table), time.perf_counter() - begin)
"""


def best(command, runs=2):
    out = [subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True).stdout.split()
           for _ in range(runs)]  # fmt: skip
    return min(out, key=lambda words: float(words[-1] if len(words) == 2 else words[3]))


def stilts(file, form):
    begin = time.perf_counter()
    subprocess.run(["stilts", "tpipe", f"ifmt={form}", f"in={file}", "omode=stats"], check=True,
                   capture_output=True)  # fmt: skip
    return time.perf_counter() - begin


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=2_000_000)
    options.add_argument("--folder", type=pathlib.Path)
    options.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    args = options.parse_args()
    subprocess.run(["cmake", "--build", args.build, "--target", "tables_bench"], check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        folder = pathlib.Path(name)
        make(folder, args.rows)
        has_stilts = shutil.which("stilts") is not None
        if not has_stilts:
            print("stilts is not installed: no times of it")
        for file, form in (("t.csv", "csv"), ("t.vot", "votable"), ("t.fits", "fits")):
            ours = best([args.build / "bin/tables_bench", folder / file])
            theirs = best([sys.executable, "-c", ASTROPY, folder / file,
                           "ascii.csv" if form == "csv" else form])  # fmt: skip
            assert int(ours[0]) == int(theirs[0]) == args.rows, (ours, theirs)
            size = (folder / file).stat().st_size / 1e6
            clock = float(ours[3])
            line = (f"{file}: {size:.0f} MB, ours {clock:.2f} s ({size / clock:.0f} MB/s, {ours[4]} MB of "
                    f"memory), astropy {float(theirs[1]):.2f} s: {float(theirs[1]) / clock:.1f} times ours")  # fmt: skip
            if has_stilts:
                seconds = min(stilts(folder / file, form) for _ in range(2))
                line += f", STILTS {seconds:.2f} s: {seconds / clock:.1f} times ours"
            print(line, flush=True)


if __name__ == "__main__":
    main()
