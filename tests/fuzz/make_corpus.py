#!/usr/bin/env python3
"""Writes small tables of every form, for the fuzzers to begin with: DIR/fits, DIR/votable,
DIR/text.

    make_corpus.py DIR
"""
import base64
import gzip
import pathlib
import struct
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


def main():
    folder = pathlib.Path(sys.argv[1])
    write_fits(folder / "fits")
    write_votables(folder / "votable")
    write_texts(folder / "text")


if __name__ == "__main__":
    main()
