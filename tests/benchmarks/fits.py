#!/usr/bin/python3
"""Speed of writing, reading and merging FITS tables beside that of cp and astropy, in one run.

    tests/benchmarks/fits.py [--rows 8529] [--chunks 450] [--folder DIR] [--build build]

Builds build/bin/fits_bench, makes a table of 27 columns like the published ZTF light curves (about
350 MB) in a folder of its own, and prints ratios of speed; more is faster. Each time is the best of
three, from page cache; nobody waits for the disk (no fsync). Needs python3-astropy.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np
from astropy.io import fits
from astropy.table import Table

ROOT = pathlib.Path(__file__).resolve().parents[2]


def best(runs):
    return min(runs, key=lambda run: run[0])


def cp(source, target):
    def once():
        target.unlink(missing_ok=True)
        begin = time.monotonic()
        subprocess.run(["cp", source, target], check=True)
        return time.monotonic() - begin, 0.0

    once()
    return best([once() for _ in range(3)])


def bench(program, *arguments, output=None):
    def once():
        if output:
            output.unlink(missing_ok=True)
        out = subprocess.run([program, *map(str, arguments)], check=True, capture_output=True,
                             text=True).stdout
        seconds, memory = out.split()[:2]
        return float(seconds), float(memory)

    return best([once() for _ in range(3)])


def astropy_read(path):
    begin = time.monotonic()
    table = Table.read(path)
    for name in table.colnames:
        for cell in table[name]:
            np.asarray(cell)
    return time.monotonic() - begin


def astropy_write(path, target):
    with fits.open(path, memmap=False) as hdus:
        columns = [fits.Column(c.name, c.format, unit=c.unit, array=hdus[1].data[c.name])
                   for c in hdus[1].columns]
    begin = time.monotonic()
    fits.BinTableHDU.from_columns(columns).writeto(target, overwrite=True)
    return time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=8529)
    parser.add_argument("--chunks", type=int, default=450)
    parser.add_argument("--chunk-rows", type=int, default=500)
    parser.add_argument("--folder", type=pathlib.Path, help="on the disk to measure")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--without-astropy", action="store_true")
    args = parser.parse_args()
    subprocess.run(["cmake", "--build", args.build, "--target", "fits_bench"], check=True,
                   stdout=subprocess.DEVNULL)
    program = args.build / "bin" / "fits_bench"
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="qsohost-bench-") as name:
        folder = pathlib.Path(name)
        table = folder / "table.fits"
        write = bench(program, "write", table, args.rows, output=table)
        copy = cp(table, folder / "copy.fits")
        read = bench(program, "read", table)
        print(f"{table.stat().st_size / 1e6:.0f} MB, {args.rows} rows x 27 columns")
        print(f"cp      {copy[0]:7.3f} s")
        print(f"write   {write[0]:7.3f} s   {copy[0] / write[0]:5.2f} x cp")
        print(f"read    {read[0]:7.3f} s   {copy[0] / read[0]:5.2f} x cp   peak {read[1]:.0f} MB")
        if not args.without_astropy:
            slow_read = astropy_read(table)
            slow_write = astropy_write(table, folder / "astropy.fits")
            print(f"astropy writes in {slow_write:.2f} s: {slow_write / write[0]:.1f} x faster")
            print(f"astropy reads in  {slow_read:.2f} s: {slow_read / read[0]:.1f} x faster")
        merge(program, folder, table, args)


# As many chunks as asked for from one table: some are links to the same file.
def merge(program, folder, table, args):
    (folder / "chunks").mkdir()
    subprocess.run([program, "chunks", folder / "chunks", table, str(args.chunk_rows)], check=True)
    made = sorted((folder / "chunks").iterdir())[: max(1, args.rows // args.chunk_rows)]
    need = sum(made[i % len(made)].stat().st_size for i in range(args.chunks))
    free = shutil.disk_usage(folder).free
    if free < 3 * need:
        sys.exit(f"merging needs {3 * need / 1e9:.0f} GB in {folder}, there are {free / 1e9:.0f}")
    table.unlink()
    parts = [made[i % len(made)] for i in range(args.chunks)]
    target = folder / "merged.fits"
    runs = []
    for _ in range(2):
        target.unlink(missing_ok=True)
        merged = bench_once(program, "merge", target, *parts)
        runs.append(merged)
    copied = cp_once(target, folder / "merged_copy.fits")
    merged = best(runs)
    print(f"merging {args.chunks} chunks of {args.chunk_rows}, {target.stat().st_size / 1e9:.1f} GB")
    print(f"cp      {copied:7.3f} s")
    print(f"merge   {merged[0]:7.3f} s   {copied / merged[0]:5.2f} x cp   peak {merged[1]:.0f} MB")


def bench_once(program, *arguments):
    out = subprocess.run([program, *map(str, arguments)], check=True, capture_output=True,
                         text=True).stdout
    seconds, memory = out.split()[:2]
    return float(seconds), float(memory)


def cp_once(source, target):
    times = []
    for _ in range(2):
        target.unlink(missing_ok=True)
        begin = time.monotonic()
        subprocess.run(["cp", source, target], check=True)
        times.append(time.monotonic() - begin)
    return min(times)


if __name__ == "__main__":
    main()
