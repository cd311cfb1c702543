#!/usr/bin/python3
"""Speed of the matching of fits-crossmatch beside that of astropy and STILTS, in one run.

    tests/benchmarks/crossmatch.py [--left 750000] [--right 3000000] [--folder DIR] [--build build]

Builds build/bin/crossmatch_bench and matches quasars, clustered as surveys are (fields of three
degrees in a footprint), with sources of which 600,000 are theirs: each left row's nearest within 1
arcsec. Ours and astropy's match_to_catalog_sky (which makes its tree each time) start from positions
in memory and are the best of three; STILTS' tmatch2 is a whole run of the command on FITS files of
two columns, its JVM's start included, the better of two. All find the same rows, which is checked.
Processor time beside that of the clock tells how much other work on the machine was in the way.
Needs python3-astropy and python3-scipy; without stilts there is no line of it.
"""
import argparse
import pathlib
import re
import resource
import shutil
import subprocess
import tempfile
import time

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Table

ROOT = pathlib.Path(__file__).resolve().parents[2]
RADIUS = 1.0  # arcsec


def field_positions(rng, n):
    """Half of them evenly over the northern sky, half in fields."""
    ra = rng.uniform(0, 360, n)
    dec = np.degrees(np.arcsin(rng.uniform(-0.2, 1, n)))
    fields = rng.integers(0, n // 2, 800)
    which = rng.integers(0, len(fields), n // 2)
    angle, away = rng.uniform(0, 2 * np.pi, n // 2), 1.5 * np.sqrt(rng.uniform(0, 1, n // 2))
    dec[n // 2 : n // 2 * 2] = np.clip(dec[fields[which]] + away * np.sin(angle), -90, 90)
    cosine = np.maximum(np.cos(np.radians(dec[n // 2 : n // 2 * 2])), 0.01)
    ra[n // 2 : n // 2 * 2] = (ra[fields[which]] + away * np.cos(angle) / cosine) % 360
    return ra, dec


def make(n_left, n_right):
    rng = np.random.default_rng(1)
    left = field_positions(rng, n_left)
    right = field_positions(rng, n_right)
    theirs = rng.permutation(n_left)[: min(n_left * 4 // 5, n_right)]
    rows = rng.permutation(n_right)[: len(theirs)]
    away = 0.2 / 3600 * rng.normal(size=(2, len(theirs)))
    right[0][rows] = (left[0][theirs] + away[0] / np.cos(np.radians(left[1][theirs]))) % 360
    right[1][rows] = np.clip(left[1][theirs] + away[1], -90, 90)
    return left, right


def ours(program, folder, threads):
    out = subprocess.run(
        [program, folder / "left.raw", folder / "right.raw", str(RADIUS), str(threads)],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    return (float(out[0]), float(out[1])), int(out[2]), float(out[3])


def astropys(left, right):
    seconds, cpu = [], []
    for _ in range(3):
        a, b = (SkyCoord(p[0] * u.deg, p[1] * u.deg) for p in (left, right))
        begin, cpu_begin = time.monotonic(), time.process_time()
        _, away, _ = a.match_to_catalog_sky(b)
        inside = away.arcsec <= RADIUS
        seconds.append(time.monotonic() - begin)
        cpu.append(time.process_time() - cpu_begin)
    return (min(seconds), min(cpu)), int(inside.sum()), float(away.arcsec[inside].sum())


def stilts(folder):
    """None where it is not installed."""
    if not shutil.which("stilts"):
        return None
    seconds, cpu = [], []
    for _ in range(2):
        begin, used = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        out = subprocess.run(
            ["stilts", "tmatch2", f"in1={folder}/left.fits", f"in2={folder}/right.fits",
             "matcher=sky", f"params={RADIUS}", "values1=ra dec", "values2=ra dec", "find=best1",
             "omode=count", "progress=none"],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        seconds.append(time.monotonic() - begin)
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.append(now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime)
    return (min(seconds), min(cpu)), int(re.search(r"rows:\s*(\d+)", out).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--left", type=int, default=750_000)
    parser.add_argument("--right", type=int, default=3_000_000)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    args = parser.parse_args()
    subprocess.run(
        ["cmake", "--build", args.build, "--target", "crossmatch_bench"],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    folder = args.folder or pathlib.Path(tempfile.mkdtemp(prefix="qsohost-match-"))
    try:
        left, right = make(args.left, args.right)
        for name, (ra, dec) in (("left", left), ("right", right)):
            np.concatenate([ra, dec]).tofile(folder / f"{name}.raw")
            Table({"ra": ra, "dec": dec}).write(folder / f"{name}.fits", overwrite=True)
        program = args.build / "bin/crossmatch_bench"
        one, rows, total = ours(program, folder, 1)
        two, *again = ours(program, folder, 2)
        tree, tree_rows, tree_total = astropys(left, right)
        java = stilts(folder)
        assert [rows, total] == again, "threads change the result"
        assert rows == tree_rows, f"{rows}, {tree_rows} rows"
        assert java is None or rows == java[1], f"{rows}, {java[1]} rows"
        assert abs(total - tree_total) < 1e-6 * rows, "other separations"
        print(f"{args.left:,} x {args.right:,}, {RADIUS} arcsec: {rows:,} rows")
        print("seconds by the clock and of the processor; how many times ours on one thread")
        lines = [("ours, one thread", one), ("ours, two threads", two), ("astropy", tree)]
        lines += [("STILTS tmatch2", java[0])] if java else []
        for what, (clock, cpu) in lines:
            print(f"{what:18s}{clock:8.3f}{cpu:8.3f}{clock / one[0]:8.1f}{cpu / one[1]:8.1f}")
        if java is None:
            print("STILTS tmatch2    skipped: stilts is not installed")
    finally:
        if not args.folder:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
