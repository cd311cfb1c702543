#!/usr/bin/env python3
"""Writes what the fuzzers begin with, DIR/<target>: small tables of every form, answers of archives, ...

    make_corpus.py DIR PLUGIN.so
"""
import gzip
import pathlib
import struct
import sys
import warnings
import zipfile

from answers import ARCHIVES, TAP, zipped
from runs import PLOTS, RUNS, small_ledger
from tables import files_of_stages, write_fits, write_products, write_texts, write_votables


def write_all(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


ZIPS = {
    "deflated": zipped([("a.csv", "a,b\n" * 100), ("b/../c", "")]),
    "stored": zipped([("a.csv", "a,b\n"), ("\u00fc", b"\0\1")], zipfile.ZIP_STORED),
}

CHAINS = {
    "whole": """# a chain
[chain]
name = "mine"
batch_rows = 10
[[stage]]
use = "catalog-source"
path = "in.fits"
where = "z > 1"
[[stage]]
use = "irsa-ztf"
label = "ztf"
radius_arcsec = 2.0
bands = ["g", "r"]
[[stage]]
use = "ztf-quality"
label = "quality"
[[stage]]
use = "fits-sink"
what = "ztf"
@@@
ztf.radius_arcsec=1.5
quality.chi=[0.5, 1.5]
quality require
""",
    "values": """chain = {name = 'a', batch_megabytes = 0x10}
plugins = ["./none.so"]
[[stage]]
use = "require"
x = [1, 2.5, inf, true, 1979-05-27T07:32:00Z, \"\"\"a
b\"\"\", {a = {b = "\\u00e9"}}]
"quoted key".x = 1_000
""",
    "typed": "[[stage]]\nuse = 5\n[[stage]]\nlabel = 'x'\n[[stage]]\nuse='atlas'\nurl='http://a'\nmjd_min=1e400\n",
}


def small_elf(note):
    """The least shared object with this section `.qsohost`."""
    names = b"\0.qsohost\0.shstrtab\0"
    at = 64 + 56
    end = at + len(note) + len(names)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, end, end, 4096)
    sections = [(0, 0, 0, 0), (1, 1, at, len(note)), (10, 3, at + len(note), len(names))]
    table = b"".join(struct.pack("<IIQQQQIIQQ", n, kind, 0, 0, o, size, 0, 0, 1, 0) for n, kind, o, size in sections)
    head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 3, 62, 1, 0, 64, end, 0, 64, 56, 1, 64, 3, 2)
    return head + segment + note + names + table


def note_of(plugin):
    """The section `.qsohost` of a plugin."""
    content = plugin.read_bytes()
    at, size, count, names = struct.unpack_from("<Q10xHHH", content, 40)
    sections = [struct.unpack_from("<II16xQQ", content, at + k * size) for k in range(count)]
    for name, _, offset, length in sections:
        start = sections[names][2] + name
        if content[start:].startswith(b".qsohost\0"):
            return content[offset : offset + length]
    raise SystemExit(f"{plugin} has no note")


def copy_stream():
    def field(value):
        return struct.pack(">i", -1 if value is None else len(value)) + (value or b"")

    def array(kind, *values):
        return field(struct.pack(">iiiii", 1, 0, kind, len(values), 1) + b"".join(map(field, values)))

    numbers = [field(struct.pack(">" + kind, 1)) for kind in "q?hf"]
    arrays = []
    for oid, kind in (23, "i"), (701, "d"):
        arrays += [array(oid, *(struct.pack(">" + kind, k) for k in range(n))) for n in (3, 2)]
    arrays += [array(25, b"a", None, b"b"), array(25, b"c", b"d")]
    row = struct.pack(">h", 11) + b"".join([*numbers, field(b"ab "), *arrays])
    nulls = struct.pack(">h", 11) + field(None) * 11
    return b"PGCOPY\n\377\r\n\0" + struct.pack(">ii", 0, 0) + row + nulls + struct.pack(">h", -1)


HTTP = {
    "plain": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/csv; charset=utf-8\r\n\r\nab",
    "chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nDate: Thu, 26 Nov 2026 12:00:00 GMT\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    "later": "HTTP/1.1 429 Slow\r\nRetry-After: Thu, 26 Nov 2026 12:00:00 GMT\r\nContent-Length: 0\r\n\r\n",
    "stamp": "HTTP/1.0 503 Down\r\nRetry-After: 1800000000\r\n\r\n<html><b>down</b>",
    "redirect": "HTTP/1.1 302 Found\r\nLocation: //b/x\r\n\r\n",
    "continue": "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 No\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"a,b\n" * 99, mtime=0),
}


def main():
    folder, plugin = map(pathlib.Path, sys.argv[1:])
    warnings.simplefilter("ignore")  # names of columns that FITS does not recommend
    write_fits(folder / "fits")
    write_votables(folder / "votable")
    write_texts(folder / "text")
    write_products(folder / "report")
    write_all(folder / "report", {"plots": PLOTS})
    write_all(folder / "zip", ZIPS)
    write_all(folder / "chain", CHAINS)
    write_all(folder / "note", {"plugin": small_elf(note_of(plugin))})
    write_all(folder / "copy", {f"by{part}": bytes([part, 1]) + copy_stream() for part in (6, 255)})
    write_all(folder / "http", HTTP)
    write_all(folder / "tap", TAP)
    for stage, files in {**ARCHIVES, **files_of_stages()}.items():
        write_all(folder / stage, files)
    write_all(folder / "run", {**RUNS, "ledger": small_ledger()})


if __name__ == "__main__":
    main()
