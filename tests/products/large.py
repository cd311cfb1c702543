#!/usr/bin/python3
"""A product of over 4 GB with over 4 GB of arrays: written, read back and compared with astropy. Not run
by ctest: it takes 15 GB of disk for some minutes.

    large.py QSOHOST [--folder DIR] [--rows 90000]
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from astropy.io import fits

COLUMNS = [("mjd_g", ">f8"), ("mag_g", ">f4"), ("magerr_g", ">f4"), ("catflags_g", ">i4"),
           ("sharp_g", ">f4"), ("chi_g", ">f4"), ("limitmag_g", ">f4"), ("airmass_g", ">f4")]
BYTES = sum(np.dtype(d).itemsize for _, d in COLUMNS)
BLOCK = 500
MOST_MEGABYTES = 300


def lengths_of(rows):
    return np.random.default_rng(4).integers(0, 2700, rows)


def values(dtype, row, n):
    """What the arrays of a row hold: other numbers in each."""
    return (row * 7 % 5000 + np.arange(n) / 8).astype(dtype)


def write_input(path, rows):
    """Rows and heap as 64-bit descriptors want them, written in pieces: no library holds it all."""
    lengths = lengths_of(rows)
    columns = [fits.Column("source_id", "K"), fits.Column("ra", "D", unit="deg"),
               fits.Column("dec", "D", unit="deg")]
    columns += [fits.Column(name, "Q" + {"f8": "D", "f4": "E", "i4": "J"}[d[1:]] + "()")
                for name, d in COLUMNS]
    header = fits.BinTableHDU.from_columns(columns, nrows=0).header
    header["NAXIS2"], header["PCOUNT"] = rows, int(lengths.sum()) * BYTES
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]) * BYTES
    table = np.zeros(rows, [("id", ">i8"), ("ra", ">f8"), ("dec", ">f8"),
                            ("arrays", ">i8", (len(COLUMNS), 2))])
    table["id"] = np.arange(rows) + 1
    table["ra"] = np.arange(rows) / rows * 360
    offset = 0
    for i, (_, dtype) in enumerate(COLUMNS):
        table["arrays"][:, i, 0] = lengths
        table["arrays"][:, i, 1] = starts + lengths * offset
        offset += np.dtype(dtype).itemsize
    with open(path, "wb") as out:
        out.write(fits.PrimaryHDU().header.tostring().encode() + header.tostring().encode())
        out.write(table.tobytes())
        for row, n in enumerate(lengths):
            out.write(b"".join(values(d, row, n).tobytes() for _, d in COLUMNS))
        out.write(b"\0" * (-out.tell() % 2880))


def copy(program, folder, name, source):
    """The product of a chain that only reads `source` and writes it; its memory is looked at."""
    chain = folder / f"{name}.toml"
    chain.write_text(f'[chain]\nname = "{name}"\n[[stage]]\nuse = "lightcurve-source"\n'
                     f'paths = ["{source}"]\n[[stage]]\nuse = "fits-sink"\nwhat = "ztf"\n')
    begin = time.monotonic()
    with open(folder / f"{name}.txt", "w") as said:
        process = subprocess.Popen([program, "--chain", chain, "--run-dir", folder / name],
                                   stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit((folder / f"{name}.txt").read_text())
    megabytes = usage.ru_maxrss / 1024
    product = folder / name / f"{name}_ztf_lc.fits"
    print(f"{name}: {product.stat().st_size / 1e9:.2f} GB in {time.monotonic() - begin:.0f} s, "
          f"at most {megabytes:.0f} MB of memory", flush=True)
    assert megabytes < MOST_MEGABYTES
    return product


def compare(product, rows):
    """Rows at both ends and around 2 and 4 GB of arrays, with astropy."""
    lengths = lengths_of(rows)
    ends = np.cumsum(lengths) * BYTES
    around = [int(np.searchsorted(ends, limit)) for limit in (2**31, 2**32)]
    with fits.open(product, memmap=True) as hdus:
        formats = {c.format[:2] for c in hdus[1].columns if c.name.endswith("_g")}
        assert all(f.lstrip("1")[0] == "Q" for f in formats), formats
        assert len(hdus[1].data) == rows and hdus[1].header["PCOUNT"] == ends[-1] > 2**32
        compared = sorted({r + d for r in (1, *around, rows - 2) for d in (-1, 0, 1)})
        for name, dtype in COLUMNS:  # whole columns: astropy finds no heap for a slice of rows
            column = hdus[1].data[name]
            for row in compared:
                assert np.array_equal(column[row], values(dtype, row, lengths[row])), (row, name)
        assert list(hdus[1].data["source_id"][compared]) == [row + 1 for row in compared]
        print(f"compared with astropy: rows {compared}, counted from 0", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path, help="on a disk with 15 GB of free space")
    parser.add_argument("--rows", type=int, default=90000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="qsohost-large-") as name:
        folder = pathlib.Path(name)
        source = folder / "large.fits"
        write_input(source, args.rows)
        first = copy(args.program.resolve(), folder, "first", source)
        source.unlink()
        second = copy(args.program.resolve(), folder, "second", first)
        # Only now: a process starts with the memory of its parent, as far as the system tells.
        compare(first, args.rows)
        compare(second, args.rows)
        # Headers differ in their history; rows and arrays must not.
        sums = [fits.getheader(product, 1)["DATASUM"] for product in (first, second)]
        assert sums[0] == sums[1], sums
    print("ok")


if __name__ == "__main__":
    sys.exit(main())
