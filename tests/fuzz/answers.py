"""What archives answer, for archive_fuzzer and tap_fuzzer; the form: canned_answers.hpp."""

import base64
import io
import struct
import zipfile


def answers(*parts):
    """Of (status and word, body) each."""
    blobs = [body if isinstance(body, bytes) else body.encode() for _, body in parts]
    return b"\n".join(b"@@@ " + head.encode() + b"\n" + blob for (head, _), blob in zip(parts, blobs))


def votable(fields, rows, status="OK"):
    names = "".join(f'<FIELD name="{name}" datatype="{kind}"{size}/>' for name, kind, size in fields)
    cells = "".join("<TR>" + "".join(f"<TD>{c}</TD>" for c in row.split(",")) + "</TR>" for row in rows)
    return (
        f'<?xml version="1.0"?>\n<VOTABLE version="1.4"><RESOURCE type="results"><INFO name="QUERY_STATUS" '
        f'value="{status}">words</INFO><TABLE>{names}<DATA><TABLEDATA>{cells}</TABLEDATA></DATA></TABLE>'
        f"</RESOURCE></VOTABLE>\n"
    )


def of_type(kind, *names):
    return [(name, kind, "") for name in names]


TEXT = ' arraysize="*"'
TWO_IDS = votable(of_type("long", "source_id"), ["4711", "815"])
HTML = "<!DOCTYPE html><html><body><b>Message: </b>pool empty</body></html>"

TAP = {
    "sync": b"\0" + answers(("200 sync", TWO_IDS)),
    "csv": b"\4" + answers(("200? sync", "source_id,ra\n1,2.5\n"), ("200? sync", "source_id,ra\n1,2.5\n")),
    "overflow": b"\4" + answers(("200 sync", votable(of_type("int", "n"), ["1", "2"], "OVERFLOW"))),
    "error": b"\0" + answers(("200 sync", votable([], [], "ERROR")), ("200 sync", HTML), ("503 sync Retry-After: 5", "")),
    "binary": b"\0" + answers(("200 sync", TWO_IDS[: TWO_IDS.index("<TABLEDATA>")].encode() + b"<BINARY2><STREAM encoding='base64'>" + base64.b64encode(struct.pack(">bq", 0, 4711)) + b"</STREAM></BINARY2></DATA></TABLE></RESOURCE></VOTABLE>")),
    "job": b"\3"
    + answers(
        ("201 /async Location: http://a/tap/async/1", ""),
        ("200 /async/1/phase", "PENDING"),
        ("200 /async/1/phase", "QUEUED\n"),
        ("200 /async/1/phase", "COMPLETED"),
        ("200 /async/1/results/result", TWO_IDS),
    ),
    "document": b"\1"
    + answers(
        ("200 /async Location: ../uws/9?x=1", '<?xml version="1.0"?><uws:job xmlns:uws="http://www.ivoa.net/xml/UWS/v1.0"><uws:jobId>9</uws:jobId><uws:phase>EXECUTING</uws:phase></uws:job>'),
        ("200 /phase", "ERROR"),
        ("200 /error", votable([], [], "ERROR")),
    ),
}

ATLAS_TABLE = """###MJD          m      dm   uJy   duJy F err chi/N     RA       Dec        x        y     maj  min   phi  apfit mag5sig Sky   Obs
57300.500000  18.510  0.050  144   15 o 0   1.20 150.25113   2.20417  2179.59  9252.78 3.41 3.09 -51.0 -0.396 19.28 21.28 02a59228o0102c
57301.500000 -19.000  0.050  -91   15 c 0   1.20 150.25113   2.20417  2179.59  9252.78 3.41 3.09 -51.0 -0.396 19.28 21.28 02a59228o0102c
"""


def atlas_task(end="null", result="null", error="null"):
    return (
        f'{{"url": "http://a/queue/41/", "id": 41, "starttimestamp": null, "finishtimestamp": {end}, '
        f'"result_url": {result}, "error_msg": {error}}}'
    )


ATLAS_LIST = '{"next": null, "results": [{"id": 41, "comment": "qsohost atlas, MJD 57200, reduced, source 4711", "ra": 10, "dec": 20}]}'
ATLAS_DONE = atlas_task('"2026-01-01T00:00:00Z"', '"http://a/results/41.txt"')
ATLAS = {
    "found": answers(
        ("200 http://a/queue/41", atlas_task()),
        ("200 http://a/queue/41", ATLAS_DONE),
        ("200 results", ATLAS_TABLE),
        ("201 comment=", atlas_task()),
        ("200 queue", ATLAS_LIST),
    ),
    "throttled": answers(
        ("429 comment=", '{"detail":"Request was throttled. Expected available in 27 seconds."}'),
        ("201 comment=", atlas_task()),
        ("200 queue/41", atlas_task('"2026"', "null", '"No data returned"')),
        ("200 queue", '{"next": "http://a/queue/?cursor=1", "results": []}'),
    ),
}

CURVE_COLUMNS = (
    "oid,expid,hjd,mjd,mag,magerr,catflags,filtercode,ra,dec,chi,sharp,filefracday,field,ccdid,qid,"
    "limitmag,magzp,magzprms,clrcoeff,clrcounc,exptime,airmass,programid"
)


def ztf_row(oid, mjd, band, ra="10.0", dec="20.0"):
    return (
        f"{oid},54248304,2458202.857,{mjd},17.5,0.0177,0,{band},{ra},{dec},0.725,-0.003,20180627483032,675,3,4,"
        "19.42,26.23,0.037,-0.057,8.8e-05,30,1.58,1"
    )


ZTF_ROWS = [ztf_row(oid, mjd, band) for oid, band in ((1, "zg"), (2, "zr"), (3, "zg")) for mjd in (58202.35, 58203.35)]
ZTF_OBJECTS = of_type("long", "n", "oid", "fid", "nobs")
ZTF_FIELDS = [(name, "char", TEXT) if name == "filtercode" else (name, "double", "") for name in CURVE_COLUMNS.split(",")]
ZTF = {
    "listed": answers(
        ("200 TAP", votable(ZTF_OBJECTS, ["0,1,1,2", "0,2,2,2", "0,3,1,2"])),
        ("200 CSV", CURVE_COLUMNS + "\n" + "\n".join(ZTF_ROWS) + "\n"),
    ),
    "cut": answers(
        ("200 TAP", votable(ZTF_OBJECTS, ["0,1,1,4"])),
        ("200? CSV", CURVE_COLUMNS + "\n" + "\n".join(ZTF_ROWS[:2]) + "\n"),
        ("200 VOTABLE", votable(ZTF_FIELDS, ZTF_ROWS[:2])),
    ),
}

NEOWISE_COLUMNS = (
    "ra,dec,mjd,w1mpro,w1sigmpro,w2mpro,w2sigmpro,cc_flags,ph_qual,qi_fact,qual_frame,saa_sep,"
    "moon_masked,nb,na,w1sat,w2sat,w1rchi2,w2rchi2,allwise_cntr,scan_id"
)
NEOWISE_ROWS = [f"0,10,20,5700{k},14.1,0.05,null,null,0000,AA,1,10,60,0000,1,0,0,0,1.1,1.2,null,01234r\n" for k in range(2)]
NEOWISE = {
    "counted": answers(
        ("200 COUNT", "n,n_rows\n0,2\n"),
        ("200 FORMAT=csv", f"n,{NEOWISE_COLUMNS}\n" + "".join(NEOWISE_ROWS)),
        ("200 FORMAT=votable", "n,n_rows\n0,2\n"),
    ),
    "votable": answers(
        ("200 COUNT", votable(of_type("int", "n", "n_rows"), ["0,2", "1,1"])),
        ("200 sync", f"n,{NEOWISE_COLUMNS}\n" + "".join(NEOWISE_ROWS)),
    ),
}

GAIA_COLUMNS = (
    "source_id,transit_id,g_transit_time,g_transit_mag,g_transit_flux,g_transit_flux_error,bp_obs_time,bp_mag,bp_flux,"
    "bp_flux_error,rp_obs_time,rp_mag,rp_flux,rp_flux_error,photometry_flag_noisy_data,photometry_flag_sm_unavailable,"
    "photometry_flag_bp_unavailable,photometry_flag_rp_unavailable,photometry_flag_sm_reject,"
    "variability_flag_g_reject,variability_flag_bp_reject,variability_flag_rp_reject"
)
GAIA_ROWS = [
    f"4711,{k},170{k}.5,18.1,1000.5,2.5,1700.6,18.5,500,5,1700.7,17.5,600,6,false,false,false,false,false,false,false,False\n"
    for k in range(2)
]
GAIA_TABLE = f"{GAIA_COLUMNS}\n" + "".join(GAIA_ROWS)
GAIA_ARRAYS = GAIA_COLUMNS + "\n" + "4711," + ",".join(['"[1.5, 2.5]"'] * 13) + "," + ",".join(['"{false,true}"'] * 8) + "\n"
COUNTS = "source_id,n_rows\n4711,1\n"
FLAGS = "source_id,has_epoch_photometry\n4711,true\n815,false\n"
GAIA_TAP = {
    "arrays": answers(("200 TOP", GAIA_COLUMNS + "\n"), ("200 COUNT", COUNTS), ("200 has_epoch", FLAGS), ("200 sync", GAIA_ARRAYS)),
    "rows": answers(("200 TOP", GAIA_TABLE), ("200 has_epoch", FLAGS), ("200 sync", GAIA_TABLE)),
}
VIZIER_COLUMNS = "Source,TimeG,Gmag,FG,e_FG,TimeBP,BPmag,FBP,e_FBP,TimeRP,RPmag,FRP,e_FRP,noisyFlag,GrVFlag,BPrVFlag,RPrVFlag"
VIZIER = {
    "rows": answers(
        ("200 TOP", VIZIER_COLUMNS + "\n"),
        ("200 COUNT", "Source,n_rows\n4711,1\n"),
        ("200 EpochPh", "Source,EpochPh\n4711,1\n815,0\n"),
        ("200 sync", VIZIER_COLUMNS + "\n4711,1700.5,18.1,1000.5,2.5,1700.6,18.5,500,5,1700.7,17.5,600,6,0,0,0,0\n"),
    )
}


def zipped(members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, text in members:
            archive.writestr(zipfile.ZipInfo(name), text, method)
    return out.getvalue()


GAIA_MEMBER = ("EPOCH_PHOTOMETRY-Gaia DR3 4711.csv", GAIA_TABLE)
DATALINK = {
    "zip": answers(("200 data", zipped([GAIA_MEMBER])), ("200 sync", FLAGS)),
    "stored": answers(("200 data", zipped([GAIA_MEMBER, ("XP_SAMPLED-Gaia DR3 4711.csv", "")], zipfile.ZIP_STORED)), ("200 sync", FLAGS)),
    "together": answers(("200 data", zipped([("EPOCH_PHOTOMETRY-COMBINED.csv", GAIA_TABLE)])), ("200 sync", FLAGS)),
    "structure": answers(("500 data", "Invalid Data Structure parameter"), ("200 data", GAIA_TABLE), ("200 sync", FLAGS)),
}

CATALOG_FIELDS = [("name", "char", TEXT), ("RA", "double", ' unit="deg"'), ("DEC", "float", ' unit="deg"'), ("n", "int", "")]
TAP_CATALOG = {
    "rows": answers(
        ("200 COUNT", votable(of_type("long", "n_rows", "n_ids"), ["2,2"])),
        ("200 sync", votable(CATALOG_FIELDS, ["a,10,20,1", "b,11,20,-5"])),
        ("200 sync", votable(CATALOG_FIELDS, ["b,11,20,-5"])),
    )
}

XMATCH = {
    "matched": answers(
        ("200 /x", 'angDist,qh_row,Source,RA_ICRS,DE_ICRS,Note\n0.081233,0,4711,10,20,"a, ""b"""\n0.2,1,815,150,2,\n'),
        ("200 TOP", "source_id,has_epoch_photometry\n"),
        ("200 tap", votable([("source_id", "long", ""), ("has_epoch_photometry", "boolean", "")], ["4711,true", "815,false"])),
    ),
    "busy": answers(("200 /x", HTML), ("403 /x", "too many jobs"), ("400 /x", "MAXREC"), ("200? /x", "angDist,qh_row,Source,RA_ICRS,DE_ICRS\n")),
}

ARCHIVES = {
    "atlas": ATLAS,
    "irsa-ztf": ZTF,
    "neowise": NEOWISE,
    "gaia-tap": GAIA_TAP,
    "gaia-vizier": VIZIER,
    "gaia-datalink": DATALINK,
    "tap-catalog": TAP_CATALOG,
    "xmatch": XMATCH,
}
