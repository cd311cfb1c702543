#!/usr/bin/env python3
"""Writes small FITS tables of every kind into a folder, for the fuzzer to begin with.

    make_corpus.py DIR
"""
import gzip
import pathlib
import sys

import numpy as np
from astropy.io import fits


def arrays(lengths, dtype):
    out = np.empty(len(lengths), dtype=object)
    for i, n in enumerate(lengths):
        out[i] = np.arange(n).astype(dtype)
    return out


def tables():
    lengths = [0, 3, 1]
    yield "fixed", [
        fits.Column("source_id", "K", array=np.array([1, 2, 3]), null=-1),
        fits.Column("flag", "L", array=np.array([True, False, True])),
        fits.Column("u", "B", array=np.array([1, 2, 3], np.uint8)),
        fits.Column("vector", "3D", unit="nm", array=np.ones((3, 3))),
        fits.Column("name", "8A", array=np.array(["a", "bb", ""])),
    ]
    yield "unsigned", [
        fits.Column("a", "I", bzero=2**15, array=np.array([1, 2, 3], np.uint16)),
        fits.Column("b", "J", bzero=2**31, array=np.array([1, 2, 3], np.uint32)),
        fits.Column("c", "K", bzero=2**63, array=np.array([1, 2, 3], np.uint64)),
        fits.Column("d", "I", array=np.array([1, 2, 3], np.int16)),
    ]
    for kind in "PQ":
        yield kind, [
            fits.Column("source_id", "K", array=np.array([1, 2, 3])),
            fits.Column("mjd_g", kind + "D()", unit="d", array=arrays(lengths, "f8")),
            fits.Column("mag_g", kind + "E()", array=arrays(lengths, "f4")),
            fits.Column("catflags_g", kind + "J()", array=arrays(lengths, "i4")),
            fits.Column("oid_g", kind + "K()", array=arrays(lengths, "i8")),
            fits.Column("ok_g", kind + "L()", array=arrays(lengths, "?")),
        ]


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, columns in tables():
        path = folder / f"{name}.fits"
        table = fits.BinTableHDU.from_columns(columns, name=name)
        if name == "unsigned":
            table.header["TSCAL4"] = 0.5  # behind astropy's back, which would scale the numbers
            table.header["TZERO4"] = 1.0
        table.writeto(path, overwrite=True)
        (folder / f"{name}.fits.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))


if __name__ == "__main__":
    main()
