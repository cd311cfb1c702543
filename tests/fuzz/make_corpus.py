#!/usr/bin/env python3
"""Writes what the fuzzers begin with, DIR/<target>: small tables of every form, answers of archives, ...

    make_corpus.py DIR PLUGIN.so
"""
import base64
import gzip
import pathlib
import struct
import sys
import zipfile

import numpy as np
from astropy.io import fits

from answers import ARCHIVES, TAP, zipped


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
        fits.Column("b", "PK()", array=arrays(lengths, "i8")),
    ]
    yield "empty", [
        fits.Column("source_id", "K", array=np.array([], np.int64)),
        fits.Column("name", "8A", array=np.array([], "S8")),
        fits.Column("mjd_g", "PD()", array=arrays([], "f8")),
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


def write_fits(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, columns in tables():
        path = folder / f"{name}.fits"
        kind = fits.TableHDU if name == "text" else fits.BinTableHDU
        table = kind.from_columns(columns, name=name)
        if name == "unsigned":
            table.header["TSCAL4"] = 0.5  # behind astropy's back, which would scale the numbers
            table.header["TZERO4"] = 1.0
        if name == "beyond":
            table.header["TZERO2"] = 2**63
        table.writeto(path, overwrite=True)
        (folder / f"{name}.fits.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))


# datatype, arraysize, cells as texts, cells as bytes (of three rows); the second row is null.
VOTABLE_FIELDS = [
    ("boolean", "", ["T", "?", "0"], [b"T", b"?", b"0"]),
    ("unsignedByte", "", ["0x1f", "", "255"], [b"\x1f", b"\0", b"\xff"]),
    ("short", "2x2", ["1 2 3 4", "", "5 6 7 -1"], [struct.pack(">4h", *v) for v in ([1, 2, 3, 4], [-1] * 4, [5, 6, 7, -1])]),
    ("int", "*", ["1 2", "", "3"], [struct.pack(">3i", 2, 1, 2), struct.pack(">i", 0), struct.pack(">2i", 1, 3)]),
    ("long", "", ["1237650371555231745", "null", "-1"], [struct.pack(">q", v) for v in (1237650371555231745, 0, -1)]),
    ("float", "", ["1.5", "NaN", "+Inf"], [struct.pack(">f", v) for v in (1.5, float("nan"), float("inf"))]),
    ("double", "3x*", ["1 2 3", "", "NaN 1e5 3"], [struct.pack(">i3d", 1, 1, 2, 3), struct.pack(">i", 0), struct.pack(">i3d", 1, 4, 5, 6)]),
    ("char", "*", ["0012", "", "&lt;x>"], [b"\0\0\0\x040012", b"\0\0\0\0", b"\0\0\0\x01\xfc"]),
    ("char", "4x2", ["ab  cd", "", "efgh"], [b"ab  cd  ", b"        ", b"efgh\0\0\0\0"]),
    ("unicodeChar", "2", ["\u00fc", "", "xy"], [b"\0\xfc\0\0", b"\0\0\0\0", b"\0x\0y"]),
    ("bit", "10", ["1 0", "", "1"], [b"\1\2"] * 3),
    ("floatComplex", "", ["1 2", "", "3 4"], [b"\0" * 8] * 3),
]


def votable_data(form):
    if form == "TABLEDATA":
        rows = zip(*(texts for _, _, texts, _ in VOTABLE_FIELDS))
        return "".join("<TR>" + "".join(f"<TD>{cell}</TD>" for cell in row) + "</TR>\n" for row in rows)
    flags = [b"\0\0", b"\xff\xf0", b"\0\0"] if form == "BINARY2" else [b""] * 3
    rows = zip(flags, *(cells for _, _, _, cells in VOTABLE_FIELDS))
    return f'<STREAM encoding="base64">\n{base64.b64encode(b"".join(b"".join(row) for row in rows)).decode()}</STREAM>'


def votable(form, encoding="UTF-8"):
    fields = "".join(
        f'<FIELD name="c{i}" ID="i{i}" datatype="{t}" {f"arraysize={size!r}" if size else ""} unit="d" ref="t">'
        '<DESCRIPTION>a column</DESCRIPTION><VALUES null="-1"/></FIELD>\n'
        for i, (t, size, _, _) in enumerate(VOTABLE_FIELDS)
    )
    return f"""<?xml version="1.0" encoding="{encoding}"?>
<!DOCTYPE VOTABLE [<!ENTITY e "entity">]>
<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE>
<INFO name="QUERY_STATUS" value="OVERFLOW">&e;</INFO><PARAM name="p" value="1"/>
<TIMESYS ID="t" timeorigin="MJD-origin" timescale="UTC" refposition="TOPOCENTER"/>
<TABLE name="a" nrows="3">{fields}<DATA><{form}>{votable_data(form)}</{form}></DATA></TABLE>
<TABLE name="b"><FIELD name="x" datatype="short"/><DATA><BINARY><STREAM>AAEAAg==</STREAM></BINARY></DATA></TABLE>
</RESOURCE></VOTABLE>
"""


def write_votables(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for form in "TABLEDATA", "BINARY", "BINARY2":
        (folder / f"{form}.vot").write_text(votable(form))
    for encoding, codec in ("UTF-16", "utf-16"), ("windows-1252", "cp1252"):
        (folder / f"{encoding}.vot").write_bytes(votable("TABLEDATA", encoding).encode(codec))


TEXTS = {
    "csv": "id,name,z\r\n0012,\"a, \"\"b\"\"\",1.5D+00\r\n-0x1f,NULL,nan\r\n12895678123456789013, \"x\" ,1e400\r\n",
    "tsv": "\ufeff# a comment\n\nid\tname\n1\t\u00fc\n\\N\t--\n",
    "semicolons": "a;b\r1;2,5\r3;\r",
    "blanks": "# made today\n#id ra dec\n# - - -\n 1 2.5  \"a b\"\n 2 nan \"\"\n",
    "latin1": "id,name\n1,Jos\udce9\n2,\n",
    "ecsv": """# %ECSV 1.0
# ---
# delimiter: ','
# datatype:
# - {name: id, unit: deg, datatype: int16, description: 'it''s {a}
#     text'}
# - name: b
#   datatype: bool
#   description: "caf\\xe9 \\u03bb\\
#     \\ long"
#   meta: !!omap
#   - {k: &a [1, *a]}
# - {name: v, datatype: string, subtype: 'float64[null]'}
# - {name: m, datatype: string, subtype: 'int32[2,2]'}
# - {name: t, datatype: string, subtype: 'string[2]'}
# - {name: u, datatype: uint64}
# meta: {comments: [a, 'b: c']}
# schema: astropy-2.0
id,b,v,m,t,u
1,True,"[1.5, NaN,null]","[[1,2],[3,null]]","[""a\\ud83d\\ude00"",null]",18446744073709551615
,,[],,,
""",
    "ecsv_blanks": "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: a b, datatype: float32}\n\"a b\"\n1.5\n\"\"\n",
    "ipac": """\\fixlen = T
\\NAME = 'a survey'
|  id|    ra|name|      day|  |
|long|double|   c|     date|  |
|    |   rad|    |         |  |
|null|  -999|   x|     null|  |
    1    1.5 0012 2020-01-1  3
 null   -999    x
""",
}


def write_texts(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in TEXTS.items():
        (folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))


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


def products():
    """Of a catalogue, light curves and a fit, with names that would be markup in a page."""
    text = "<fuzz>&\"'"
    lengths = [0, 3, 1]
    ids = fits.Column("source_id", "K", array=np.array([1, 2, 3]))
    place = [fits.Column(name, "D", unit="deg", array=np.array([10.0, 20, 30])) for name in ("ra", "dec")]
    yield "catalog", [ids, *place, fits.Column("z", "D", array=np.array([0.5, 1, 2])), fits.Column("<fuzz>", "12A", unit=text, array=np.full(3, text))], {}
    epochs = {"QHG1": "ztf.g"}
    yield "ztf", [ids, *(fits.Column(name + "_g", f"P{kind}()", array=arrays(lengths, dtype)) for name, kind, dtype in (("mjd", "D", "f8"), ("mag", "E", "f4"), ("magerr", "E", "f4")))], epochs
    names = ("z", "log_sigma_full", "log_tau_full", "logD_full", "log_sigma_post", "log_tau_post", "logD_post")
    yield "loo.ztf.g", [ids, *(fits.Column(name, "D", array=np.array([0.5, -1, np.nan])) for name in names), fits.Column("band", "4A", array=np.full(3, "<f>")), *(fits.Column(name, "J", array=np.array([1, 20, 300])) for name in ("n_epochs", "n_removed", "flags"))], {}


def write_products(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, columns, keywords in products():
        table = fits.BinTableHDU.from_columns(columns, name=name)
        for key, value in {"CHAIN": "<fuzz>", "CHAINHSH": "0", **keywords}.items():
            table.header[key] = value
        table.header["HISTORY"] = "stage loo = ou-loo (ou 1.0)"
        table.header["HISTORY"] = "loo.rule = <fuzz>"
        table.writeto(folder / f"{name}.fits", overwrite=True)


def main():
    folder, plugin = map(pathlib.Path, sys.argv[1:])
    write_fits(folder / "fits")
    write_votables(folder / "votable")
    write_texts(folder / "text")
    write_products(folder / "report")
    write_all(folder / "zip", ZIPS)
    write_all(folder / "chain", CHAINS)
    write_all(folder / "note", {"plugin": small_elf(note_of(plugin))})
    write_all(folder / "copy", {f"by{part}": bytes([part, 1]) + copy_stream() for part in (6, 255)})
    write_all(folder / "http", HTTP)
    write_all(folder / "tap", TAP)
    for stage, files in ARCHIVES.items():
        write_all(folder / stage, files)


if __name__ == "__main__":
    main()
