"""Small tables of every form: as they are, as products of a run, and as stages read them."""

import base64
import gzip
import io
import struct

import numpy as np
from astropy.io import fits

from answers import CURVE_COLUMNS, GAIA_TABLE, ZTF_FIELDS, ZTF_ROWS
from answers import votable as answered


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


def products():
    """Of a catalogue, light curves and a fit, with names that would be markup in a page."""
    text = "<fuzz>&\"'"
    ids = fits.Column("source_id", "K", array=np.array([1, 2, 3]))
    place = [fits.Column(name, "D", unit="deg", array=np.array([10.0, 20, 30])) for name in ("ra", "dec")]
    yield "catalog", [ids, *place, fits.Column("z", "D", array=np.array([0.5, 1, 2])), fits.Column("<fuzz>", "12A", unit=text, array=np.full(3, text))], {}
    rows = np.arange(1, 25)
    all_ids = fits.Column("source_id", "K", array=rows)
    roles = {"mjd": 1, "mag": 1, "magerr": 0.01}
    keywords = {"QLC1": "ztf.g", "QSURV1": "ztf", "QBAND1": "g", "QTIME1": "mjd", "QMAG1": "mag", "QMERR1": "magerr", "QTSYS1": "MJD UTC"}
    for k, name in enumerate(roles, 1):
        keywords |= {f"QCOL{k}": f"{name}_g", f"QIN{k}": "ztf.g", f"QNAME{k}": name}
    yield "ztf", [all_ids, *(fits.Column(f"{name}_g", "PE()", array=arrays(rows % 9, "f4") * unit) for name, unit in roles.items())], keywords
    numbers = ("z", "log_sigma_full", "log_tau_full", "logD_full", "log_sigma_post", "log_tau_post", "logD_post", "err_logD_post")
    columns = [fits.Column(name, "D", array=np.cos(k + rows) / 2 + 1) for k, name in enumerate(numbers)]
    columns += [fits.Column("band", "4A", array=np.full(len(rows), "<f>"))]
    columns += [fits.Column(name, "J", array=values) for name, values in (("n_epochs", rows + 9), ("n_removed", rows % 3), ("flags", rows % 9 // 8 * 20))]
    columns += [fits.Column(f"posterior_log_{name}", "PE()", array=arrays(rows % 4 + 1, "f4")) for name in ("sigma", "tau", "weight")]
    yield "loo.ztf.g", [all_ids, *columns], {}


def write_products(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, columns, keywords in products():
        table = fits.BinTableHDU.from_columns(columns)
        for key, value in {"EXTNAME": name, "CHAIN": "<fuzz>", "CHAINHSH": "0", **keywords}.items():
            table.header[key] = value
        for line in "stage loo = ou-loo (ou 1.0)", "loo.rule = <fuzz>", "loo.prior = log-uniform", "loo.tau_bounds = [0.1, 10000.0]":
            table.header["HISTORY"] = line
        table.writeto(folder / f"{name}.fits", overwrite=True)


def fits_of(columns, **keywords):
    table = fits.BinTableHDU.from_columns(columns)
    table.header.update(keywords)
    file = io.BytesIO()
    table.writeto(file)
    return file.getvalue()


def gaia_arrays():
    ids = fits.Column("source_id", "K", array=np.array([4711, 815, 1]))
    names = GAIA_TABLE[: GAIA_TABLE.index("\n")].split(",")[1:]
    kinds = [("L", "?") if "flag" in name else ("K", "i8") if name == "transit_id" else ("D", "f8") for name in names]
    return [ids, *(fits.Column(name, f"P{kind}()", array=arrays([2, 0, 1], dtype)) for name, (kind, dtype) in zip(names, kinds))]


EPOCH_ROWS = "source_id,ra,filter,mjd,mag,mag_err,flux,flux_err,flag\n"
EPOCHS = [f"{k % 2},{k % 2 + 0.5},{'gr'[k % 3 % 2]},{57000 + k},{18 + k},0.1,{100 - k},2.5,{k}\n" for k in range(7)]
OTHER_COLUMNS = [("source_id", "long", ""), ("ra", "double", ' unit="deg"'), ("dec", "float", ' unit="deg"'), ("z", "float", "")]
OTHER_ROWS = ["4711,10,20,0.5", "815,150.25113,2.20417,", "4711,10.0001,20,-999"]
OTHERS = {
    "csv": "source_id,ra,dec,z,name\n" + "".join(f"{row},a\n" for row in OTHER_ROWS),
    "votable": answered(OTHER_COLUMNS, OTHER_ROWS),
    "degrees": "# %ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n# - {name: source_id, datatype: string}\n# - {name: ra, unit: arcsec, datatype: float32}\n# - {name: dec, unit: rad, datatype: float64}\n# - {name: z, datatype: int8}\n# - {name: v, datatype: string, subtype: 'float64[2]'}\nsource_id,ra,dec,z,v\n4711,36000,0.35,1,\"[1,2]\"\n",
}


def files_of_stages():
    """For stages that read files."""
    curves = votable("TABLEDATA").replace("c4", "source_id").replace("c3", "mjd_g").replace("c6", "mag_g").replace('unit="d" ref="t"', "")
    curves = curves.replace("<TD>null</TD>", "<TD>7</TD>").replace("<TD>-1</TD>", "<TD>8</TD>")
    ztf = {name: fits_of(columns, **keywords) for name, columns, keywords in products()}["ztf"]
    ids = fits.Column("source_id", "K", array=np.array([4711, 815]))
    place = [fits.Column(name, "D", array=np.array([10.0, 20.0])) for name in ("ra", "dec", "z")]
    others = {**OTHERS, "fits": fits_of([ids, *place, fits.Column("v", "2E", array=np.ones((2, 2)))])}
    return {
        "curves": {"ztf": ztf, "gaia": fits_of(gaia_arrays()), "votable": curves},
        "curve-rows": {"csv": EPOCH_ROWS + "".join(EPOCHS), "votable": answered([(name, {"filter": "char", "source_id": "long"}.get(name, "float"), "") for name in EPOCH_ROWS.strip().split(",")], [row.strip() for row in EPOCHS])},
        "ztf-files": {"csv": CURVE_COLUMNS + "\n" + "\n".join(ZTF_ROWS) + "\n", "votable": answered(ZTF_FIELDS, ZTF_ROWS)},
        "gaia-files": {"rows": GAIA_TABLE, "floats": GAIA_TABLE.replace("4711", "4711.5"), "arrays": fits_of(gaia_arrays())},
        "catalog-join": others,
        "fits-crossmatch": others,
    }
