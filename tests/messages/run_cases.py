"""As cases.py: mistakes that a run finds in its tables, its folders and its servers."""

import gzip

import numpy as np
from astropy.io import fits

from inputs import (
    CATALOG,
    CURVES,
    FIT,
    GOOD,
    RUN,
    SINK,
    SOURCE,
    Case,
    chain,
    curves,
    fits_bytes,
    source,
    stage,
    votable,
)

AGAIN = r"go on with\n  qsohost --chain chain.toml --run-dir run --resume"
AWAY = 'url = "http://127.0.0.1:9/tap"\npatience = 1\nmax_attempts = 1\n'


def tables():
    def case(name, what, where, expected, to_do, text=GOOD, **files):
        in_stage = r"stage 'cat' \(\S+ of plugin \S+ \S+\): \S+"
        files = {name.replace("_", "."): content for name, content in files.items()}
        return Case(name, what, in_stage + where, expected, to_do, text, RUN, files, 1)

    def catalog(old, new):
        return CATALOG.replace(old, new).encode()

    other = SOURCE.replace("cat.csv", "%s")
    yield case(
        "no file", "there is no such file", r"none\.csv", "check the path", "check",
        chain(other % "none.csv", SINK),
    )  # fmt: skip
    yield case("folder", "is a folder", "/:", "not a file", AGAIN, chain(other % ".", SINK))
    yield case("empty file", "is empty", r"cat\.csv", "not one byte", "get it again", cat_csv=b"")
    yield case(
        "cut gzip", "damaged or cut short", r"cat\.csv\.gz", "is gzipped", "get it again",
        chain(other % "cat.csv.gz", SINK), cat_csv_gz=gzip.compress(CATALOG.encode() * 50)[:-20],
    )  # fmt: skip
    yield case(
        "no identifier", "no column 'source_id'", r"cat\.csv: .*option 'id'", "did you mean", "'source_idd'",
        cat_csv=catalog("source_id", "source_idd"),
    )  # fmt: skip
    yield case(
        "no header", "no column 'source_id'", r"cat\.csv: .*option 'id'", "there are '11'", "there are",
        cat_csv=CATALOG.split("\n", 1)[1].encode(),
    )  # fmt: skip
    yield case(
        "identifier twice", "same identifier 11", r"cat\.csv: line 2 and line 4", 'repeats = "keep"',
        "remove one",
        cat_csv=catalog("13,", "11,"),
    )  # fmt: skip
    yield case(
        "identifiers that are no integers", "holds f64", r"cat\.csv: column 'source_id' \(option 'id'\)",
        "must be integers or texts", "export the identifiers", cat_csv=catalog("11,", "11.5,"),
    )  # fmt: skip
    yield case(
        "position that is no number", "cannot be taken", r"cat\.csv: column 'ra' .*line 3 has 'ten'",
        "must be numbers", "correct that or name another column", cat_csv=catalog("10.1", "ten"),
    )  # fmt: skip
    yield case(
        "row with too few cells", "3 cells", r"cat\.csv: line 3", "the header has 5",
        "each row must have as many",
        cat_csv=catalog(",0.5,b", ""),
    )  # fmt: skip
    yield case(
        "quote that is not closed", "never closed", r"cat\.csv: line 3", "a quote opened in this row",
        "take it out",
        cat_csv=catalog(",b", ',"b'),
    )  # fmt: skip
    yield case(
        "zero byte", "has a zero byte", r"cat\.csv: line 3", "which no text has", "must be of another form",
        cat_csv=catalog("b", "\0"),
    )  # fmt: skip
    yield case(
        "unknown column", "no column 'zz'", r"cat\.csv: .*option 'columns'", "did you mean 'z'",
        "did you mean",
        chain(source(columns='["zz"]'), SINK),
    )  # fmt: skip
    light_curves = chain(CURVES, SINK)
    yield case(
        "cut FITS file", "is cut short", r"lc\.fits", "promises 2 rows", "copy or make the file again",
        light_curves, lc_fits=curves()[:-2880],
    )  # fmt: skip
    yield case(
        "unknown HDU", "no HDU 'CURVES'", r"lc\.fits", "its HDUs are", r"1 'LC' \(table",
        chain(CURVES + 'hdu = "CURVES"\n', SINK),
    )
    no_curves = fits.BinTableHDU.from_columns([fits.Column("source_id", "K", array=np.array([1, 2]))])
    yield case(
        "no light curves", "no light curve is recognised", r"lc\.fits", "group, time, mag, mag_err",
        "name them in",
        light_curves, lc_fits=fits_bytes(no_curves),
    )  # fmt: skip
    in_votable = chain(other % "cat.vot", SINK)
    yield case(
        "cut VOTable", "ends before its </VOTABLE>", r"cat\.vot: line 6", "cut transfer", "get it again",
        in_votable, cat_vot=votable("<TR><TD>1</TD><TD>10</TD><TD>2"),
    )  # fmt: skip
    end = "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    yield case(
        "cell of a VOTable", "'x' is not a number", r"cat\.vot: line 6: column 'ra'",
        "its datatype wants", AGAIN,
        in_votable, cat_vot=votable(f"<TR><TD>1</TD><TD>x</TD><TD>2</TD></TR>{end}"),
    )  # fmt: skip
    refused = '<INFO name="QUERY_STATUS" value="ERROR">no such table</INFO>'
    yield case(
        "refused query", "QUERY_STATUS ERROR.*no such table", r"cat\.vot: line 1", "this is no table",
        "ask it again",
        in_votable, cat_vot=f"<VOTABLE><RESOURCE>{refused}</RESOURCE></VOTABLE>",
    )  # fmt: skip
    yield case(
        "page of an archive", "is an HTML page", r"cat\.vot", "instead of a table", "get the table again",
        in_votable, cat_vot="<html><body>log in</body></html>",
    )  # fmt: skip


def running():
    def case(name, what, where, expected, to_do, text, exit_code=1, **files):
        return Case(name, what, where, expected, to_do, text, RUN, files, exit_code)

    yield case(
        "column that no stage gives", "needs column 'zz'", r"chain\.toml:7:1: out", "did you mean 'z'",
        "did you mean",
        chain(SOURCE, SINK + 'sort_by = "zz"\n'), 2,
    )  # fmt: skip
    yield case(
        "group that no stage gives", "needs group 'ztf.g'|ztf.g", r"chain\.toml:\d+:1: fit",
        "no earlier stage gives", "put one that does before it",
        chain(SOURCE, FIT, SINK), 2,
    )  # fmt: skip
    yield case(
        "run directory that is a file", "cannot be made", "run directory /.*/run:", "Not a directory",
        "check the path",
        GOOD, run="",
    )  # fmt: skip
    yield case(
        "product that is a folder", "is a folder", "/run/run is to be a product", "another path",
        "move it away",
        chain(SOURCE, SINK + 'path = "run"\n'), 2, **{"run/run/x": ""},
    )  # fmt: skip
    yield case(
        "folder that cannot be made", "cannot be made", "/proc/nowhere:", "No such file or directory",
        "check the path",
        chain(SOURCE, SINK + 'path = "/proc/nowhere/x.fits"\n'),
    )  # fmt: skip
    yield case(
        "TAP service that is away", "Couldn't connect to server",
        "stage 'tap-catalog' .*http://127.0.0.1:9/tap",
        "asked 1 times", "go on with --resume", chain(stage("tap-catalog", table='"t"') + AWAY, SINK),
    )  # fmt: skip
    yield case(
        "database that is away", "no connection to PostgreSQL", "stage 'wsdb-crossmatch' .*127.0.0.1.*port 9",
        "given up after 6 attempts", "go on with --resume when the server is back",
        chain(stage("wsdb-crossmatch", dsn='"host=127.0.0.1 port=9 connect_timeout=1"'), SINK),
    )  # fmt: skip
    yield case(
        "secret that is not set", "is not set", "stage 'atlas' .*environment variable 'NO_TOKEN'",
        "should hold a secret", 'give the option "file:PATH"',
        chain(SOURCE, stage("atlas", url='"http://127.0.0.1:9"', token='"NO_TOKEN"'), SINK),
    )  # fmt: skip
    yield case(
        "folder of answers", "there is no folder", "stage 'ztf-files' .*path: .*/answers",
        "count from the chain file", "check it",
        chain(SOURCE, stage("ztf-files", path='"answers/{source_id}.csv"'), SINK),
    )  # fmt: skip
    yield case(
        "condition on an unknown column", "no such column: zz", "option 'where' = \"zz > 3\" on /.*/cat.csv",
        "did you mean 'z'", 'where = "" takes every row',
        chain(stage("fits-crossmatch", left='"cat.csv"', right='"cat.csv"', where='"zz > 3"'), SINK),
    )  # fmt: skip
    yield case(
        "key that is not there", "no column 'nokey'",
        r"stage 'catalog-join' .*cat\.csv: .*option 'their_key'",
        "there are 'source_id', 'ra'", "there are",
        chain(SOURCE, stage("catalog-join", path='"cat.csv"', key='["source_id"]', their_key='["nokey"]'), SINK),
    )  # fmt: skip
    yield case(
        "files of Gaia", "there is no such file", r"stage 'gaia-epoch' .*/none\.fits",
        "check the path", "check",
        chain(SOURCE, stage("gaia-epoch", archive='"files"', paths='["none.fits"]'), SINK),
    )  # fmt: skip
    texts = (
        'catalog = "cat.csv"\n[[stage.band]]\ngroup = "ztf.g"\ntime_system = "MJD UTC"\n'
        'time = "mjd_g"\nmag = "mag_g"\nmag_err = "magerr_g"\n'
    )
    yield case(
        "redshift that is a text", "redshift column 'name' holds strings", r"chain\.toml:\d+:1: fit",
        "not numbers", "not numbers",
        chain(CURVES + texts, FIT.replace("rest_frame = false", 'redshift = "name"'), SINK),
        2,
    )  # fmt: skip
