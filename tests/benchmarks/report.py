"""The report page of a large run: seconds, peak memory, size.

    python3 tests/benchmarks/report.py BUILD_FOLDER RUN_DIR [OBJECTS]      (default: 200000)

RUN_DIR: a finished run, e.g. that of the quickstart. Its catalogue, ZTF light curves and fits are made
OBJECTS rows long by repeating their rows under new source_ids; the arrays of repeated rows are the same
bytes of the file, so that the disk holds them once. Takes some 2 kB of temporary disk space a row.
"""

import pathlib
import shutil
import sys
import tempfile
import time

import numpy as np
from astropy.io import fits

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from chains import peak_memory  # noqa: E402

PRODUCTS = ("matched_catalog", "matched_ztf_lc", "cleaned_ztf_lc", "loo_ztf_g", "loo_ztf_r")
BLOCK = 2880


def padded(raw, fill=b"\0"):
    return raw + fill * (-len(raw) % BLOCK)


def repeat_rows(source, target, objects):
    with fits.open(source) as hdus:
        header = hdus[1].header.copy()
        dtype = hdus[1].columns.dtype.newbyteorder(">")
        start = hdus[1]._data_offset
        primary = source.read_bytes()[: hdus[1]._header_offset]
    raw = source.read_bytes()[start:]
    rows = np.frombuffer(raw, dtype, header["NAXIS2"])
    heap = raw[rows.nbytes : rows.nbytes + header["PCOUNT"]]
    many = rows[np.arange(objects) % len(rows)]
    many["source_id"] = np.arange(objects)
    header["NAXIS2"] = objects
    for name in ("CHECKSUM", "DATASUM"):
        header.remove(name, ignore_missing=True)
    text = header.tostring(endcard=True, padding=True).encode()
    with open(target, "wb") as file:
        for part in (primary, text, padded(many.tobytes() + heap)):
            file.write(part)


def main():
    build, run = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    objects = int(sys.argv[3]) if len(sys.argv) > 3 else 200_000
    folder = pathlib.Path(tempfile.mkdtemp(prefix="qsohost-report-"))
    try:
        for name in PRODUCTS:
            source = min(run.glob(f"*_{name}.fits"), key=lambda path: len(path.name))
            repeat_rows(source, folder / source.name, objects)
        begin = time.monotonic()
        memory = peak_memory([build / "bin/qsohost", "report", folder], folder)
        seconds = time.monotonic() - begin
        size = (folder / "report.html").stat().st_size
        print(f"{objects} objects: {seconds:.1f} s, {memory / 1e3:.0f} MB, page {size / 1e6:.2f} MB")
        shutil.copy(folder / "report.html", "report_large.html")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
