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
        fits.Column("image", "6J", dim="(3,2)", null=-9, array=np.arange(18).reshape(3, 2, 3)),
        fits.Column("words", "12A", dim="(4,3)", array=np.full((3, 3), "abc")),
        fits.Column("name", "8A", array=np.array(["a", "bb", ""])),
    ]
    yield "unsigned", [
        fits.Column("a", "I", bzero=2**15, array=np.array([1, 2, 3], np.uint16)),
        fits.Column("b", "J", bzero=2**31, array=np.array([1, 2, 3], np.uint32)),
        fits.Column("c", "K", bzero=2**63, array=np.array([1, 2, 3], np.uint64)),
        fits.Column("d", "I", array=np.array([1, 2, 3], np.int16)),
    ]
    yield "beyond", [
        fits.Column("a", "K", bzero=2**63, array=np.array([1, 2**63 + 5, 3], np.uint64)),
        fits.Column("b", "PK()", bzero=2**63, array=arrays(lengths, "i8")),
    ]
    yield "text", [
        fits.Column("source_id", "I20", array=np.array([1, 2, 3])),
        fits.Column("n", "I4", null="-9", array=np.array([1, -9, 3])),
        fits.Column("z", "F8.4", array=np.array([1.5, -2, np.nan])),
        fits.Column("flux", "D25.17", unit="Jy", array=np.array([1e-30, 2, 3])),
        fits.Column("name", "A8", array=np.array(["a", "bb", ""])),
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
        kind = fits.TableHDU if name == "text" else fits.BinTableHDU
        table = kind.from_columns(columns, name=name)
        if name == "unsigned":
            table.header["TSCAL4"] = 0.5  # behind astropy's back, which would scale the numbers
            table.header["TZERO4"] = 1.0
        table.writeto(path, overwrite=True)
        (folder / f"{name}.fits.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))


if __name__ == "__main__":
    main()
