#!/usr/bin/python3
"""Looks at a FITS product with an independent reader (astropy, and fitsverify where installed).

    check_fits.py FILE [--columns NAME:TFORM[:UNIT],...] [--rows N] [--json]

Opens the file with checksums checked and every warning an error, reads every cell, and compares the
columns with those given: name, format letter (D, E, J, K, I, L, A, PD, PE, ...; a count in front is
compared if given) and unit if given. --json prints what the table holds. Exits 1 with a message for
the first thing that is wrong.
"""
import argparse
import json
import re
import shutil
import subprocess
import sys
import warnings

import numpy as np
from astropy.io import fits


def letter(form):
    return re.sub(r"\(\d+\)$", "", form)


def check_columns(table, wanted):
    names = [spec.split(":")[0] for spec in wanted]
    if table.columns.names != names:
        sys.exit(f"columns are {table.columns.names}, not {names}")
    for spec in wanted:
        name, form, *unit = spec.split(":")
        column = table.columns[name]
        found = letter(column.format)
        bare = re.sub(r"^1?(?=[A-Z])", "", found) if not form[0].isdigit() else found
        if bare != form:
            sys.exit(f"column {name} has format {column.format}, not {form}")
        if unit and (column.unit or "") != unit[0]:
            sys.exit(f"column {name} has unit {column.unit!r}, not {unit[0]!r}")


def summary(table):
    columns = []
    for column in table.columns:
        entry = {"name": column.name, "format": letter(column.format), "unit": column.unit or "",
                 "null": column.null}
        values = table.data[column.name]
        if re.match(r"1?[PQ]", column.format):
            lengths = [len(cell) for cell in values]
            flat = np.concatenate(list(values)) if lengths else np.array([])
            entry["lengths"] = [int(n) for n in lengths]
        else:
            flat = np.asarray(values).ravel()
        entry["values"] = int(flat.size)
        if flat.size and flat.dtype.kind in "iuf":
            entry["sum"] = float(np.nansum(flat.astype(float)))
            entry["nan"] = int(np.isnan(flat.astype(float)).sum())
        if flat.size:
            first = flat[0]
            entry["first"] = first.item() if isinstance(first, np.generic) else str(first)
            if isinstance(entry["first"], float) and entry["first"] != entry["first"]:
                entry["first"] = None
        columns.append(entry)
    header = table.header
    return {"extension": table.name, "rows": len(table.data), "columns": columns,
            "chain": header.get("CHAIN"), "hash": header.get("CHAINHSH"),
            "history": [str(line) for line in header["HISTORY"]] if "HISTORY" in header else [],
            "comments": {c: header.get(f"TCOMM{i + 1}", "")
                         for i, c in enumerate(table.columns.names)}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--columns", default="")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("error")
    with fits.open(args.file, memmap=False, checksum=True) as hdus:
        for hdu in hdus:
            for key in ("CHECKSUM", "DATASUM"):
                if key not in hdu.header:
                    sys.exit(f"HDU {hdu.name!r} has no {key}")
            for key in ("DATE", "DATE-OBS"):
                if key in hdu.header:
                    sys.exit(f"HDU {hdu.name!r} has a {key}: products must not depend on the day")
        table = hdus[1]
        if args.columns:
            check_columns(table, args.columns.split(","))
        if args.rows is not None and len(table.data) != args.rows:
            sys.exit(f"{len(table.data)} rows, not {args.rows}")
        found = summary(table)
    if shutil.which("fitsverify"):
        run = subprocess.run(["fitsverify", "-q", args.file], capture_output=True, text=True)
        if run.returncode != 0 or "OK" not in run.stdout:
            full = subprocess.run(["fitsverify", args.file], capture_output=True, text=True)
            sys.exit(f"fitsverify: {full.stdout}{full.stderr}")
    if args.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
