#!/usr/bin/python3
"""Product -> lightcurve-source -> fits-sink gives identical tables; so do files of the original's
forms as astropy writes them; shards merge to the same bytes; bad input gets a message.

    round_trip_test.py QSOHOST
"""
import gzip
import os
import pathlib
import tempfile

from runs import assert_same, chain, fits, np, qsohost

ZTF = ["mjd", "mag", "magerr", "catflags", "sharp", "chi", "limitmag", "airmass"]
GAIA = [f"g_transit_{c}" for c in ("time", "mag", "flux", "flux_error")]
GAIA += [f"{b}_{c}" for b in ("bp", "rp") for c in ("obs_time", "mag", "flux", "flux_error")]
FLAGS = ["photometry_flag_noisy_data", "photometry_flag_sm_unavailable",
         "photometry_flag_bp_unavailable", "photometry_flag_rp_unavailable",
         "photometry_flag_sm_reject", "variability_flag_g_reject", "variability_flag_bp_reject",
         "variability_flag_rp_reject"]
ROWS = 23


def arrays(rng, lengths, dtype):
    out = np.empty(len(lengths), dtype=object)
    for i, n in enumerate(lengths):
        values = rng.normal(20, 5, n)
        out[i] = values > 20 if dtype == "?" else values.astype(dtype)
        if dtype in ("f4", "f8") and n > 2:
            out[i][1] = np.nan
    return out


def write(path, columns, kind, rng, ids, gap=0):
    """columns: [(name, dtype letter, lengths)]; kind: P or Q; gap: bytes before the heap."""
    made = [fits.Column("source_id", "K", array=ids)]
    if columns[0][0].startswith("mjd"):
        made += [fits.Column(n, "D", unit="deg", array=rng.uniform(0, 80, len(ids)))
                 for n in ("ra", "dec")]
    for name, dtype, lengths in columns:
        letter = {"f8": "D", "f4": "E", "i4": "J", "?": "L"}[dtype]
        made.append(fits.Column(name, f"{kind}{letter}()", array=arrays(rng, lengths, dtype)))
    table = fits.BinTableHDU.from_columns(made)
    table.writeto(path, overwrite=True)
    if gap:
        add_gap(path, gap)


def add_gap(path, gap):
    """Puts unused bytes between rows and heap, as THEAP allows."""
    with fits.open(path, memmap=False) as hdus:
        header = hdus[1].header
        begin = hdus[1]._data_offset
        fixed, heap = header["NAXIS1"] * header["NAXIS2"], header["PCOUNT"]
        raw = path.read_bytes()
        rows, arrays_ = raw[begin:begin + fixed], raw[begin + fixed:begin + fixed + heap]
        header["PCOUNT"] = heap + gap
        header["THEAP"] = fixed + gap
        data = rows + b"\xff" * gap + arrays_
        data += b"\0" * (-len(data) % 2880)
        text = header.tostring().encode()
        path.write_bytes(hdus[0].header.tostring().encode() + text + data)


def ztf_columns(rng, bands):
    types = dict.fromkeys(ZTF, "f4") | {"mjd": "f8", "catflags": "i4"}
    for band in bands:
        lengths = rng.integers(0, 30, ROWS)
        yield from ((f"{c}_{band}", types[c], lengths) for c in ZTF)


def gaia_columns(rng):
    lengths = rng.integers(0, 30, ROWS)
    yield from ((c, "f8", lengths) for c in GAIA)
    yield from ((c, "?", lengths) for c in FLAGS)


def copy_of(folder, name, paths, what, **sink):
    listed = "[" + ", ".join(f'"{p}"' for p in paths) + "]"
    path = chain(folder, name, [("lightcurve-source", {"paths": listed}),
                                ("fits-sink", {"label": '"out"', "what": f'"{what}"', **sink})])
    qsohost("--chain", path, "--run-dir", folder / f"{name}.run")
    return folder / f"{name}.run" / f"{name}_{what}_lc.fits"


def check_forms(folder):
    rng = np.random.default_rng(1)
    ids = rng.permutation(ROWS) + 4_000_000_000_000_000_000
    for kind in "PQ":
        for gap in (0, 96):
            for bands in ("gri", "gr"):
                path = folder / "ztf.fits"
                write(path, list(ztf_columns(rng, bands)), kind, rng, ids, gap)
                copied = copy_of(folder, f"z{kind}{gap}{bands}", [path], "ztf")
                assert_same(path, copied)
                assert len(fits.open(copied)[1].columns) == (27 if bands == "gri" else 19)
                assert_same(copied, copy_of(folder, f"again{kind}{gap}{bands}", [copied], "ztf"))
            path = folder / "gaia.fits"
            write(path, list(gaia_columns(rng)), kind, rng, ids, gap)
            copied = copy_of(folder, f"g{kind}{gap}", [path], "gaia")
            assert_same(path, copied)
            assert len(fits.open(copied)[1].columns) == 21
    packed = folder / "ztf.fits.gz"
    packed.write_bytes(gzip.compress((folder / "ztf.fits").read_bytes()))
    assert_same(folder / "ztf.fits", copy_of(folder, "packed", [packed], "ztf"))
    both = copy_of(folder, "both", [folder / "ztf.fits", folder / "gaia.fits"], "gaia")
    assert_same(folder / "gaia.fits", both)


def check_bad_input(folder):
    def complaint(*paths, **source):
        listed = "[" + ", ".join(f'"{p}"' for p in paths) + "]"
        path = chain(folder, "bad", [("lightcurve-source", {"paths": listed, **source}),
                                     ("fits-sink", {"what": '"ztf"'})])
        text = qsohost("--chain", path, "--run-dir", folder / "bad.run", "--restart", code=None)
        return text

    good = (folder / "ztf.fits").read_bytes()
    bad = folder / "bad.fits"
    rng = np.random.default_rng(2)
    ids = np.arange(ROWS) + 1
    write(bad, list(ztf_columns(rng, "gr")), "P", rng, ids)
    said = complaint(folder / "ztf.fits", bad)
    assert "bad.fits: row 1 is object 1" in said and "ztf.fits has" in said, said
    bad.write_bytes(good[:-2880])
    assert "is cut short" in complaint(bad)
    bad.write_bytes(b"XYZ" + good)
    assert "has a zero byte, which no text has" in complaint(bad)
    bad.write_bytes(good.replace(b"'mjd_g", b"'mjx_g"))
    assert "is left out" in complaint(bad)
    band = '[{ group = "ps1.g", time = "mjd_x", mag = "mag_g", mag_err = "magerr_g" }]'
    assert "no column 'mjd_x' for light curve 'ps1.g'" in complaint(folder / "ztf.fits", band=band)
    assert "is a folder" in complaint(folder)
    if os.geteuid() != 0:
        bad.chmod(0)
        assert "Permission denied" in complaint(bad)


def check_shards(folder):
    path = chain(folder, "shards", [
        ("lightcurve-source", {"paths": f'["{folder / "ztf.fits"}"]'}),
        ("fits-sink", {"what": '"ztf"', "keep_chunks": "true", "sort_by": '"source_id"'})])
    product = "shards_ztf_lc.fits"
    qsohost("--chain", path, "--run-dir", folder / "whole")
    whole = (folder / "whole" / product).read_bytes()
    (folder / "whole" / product).unlink()
    qsohost("merge", folder / "whole")
    assert (folder / "whole" / product).read_bytes() == whole
    for name, *part in (("a", "--limit", 9), ("b", "--skip", 9, "--limit", 8), ("c", "--skip", 17),
                        ("d", "--skip", 5, "--limit", 12)):
        qsohost("--chain", path, "--run-dir", folder / name, *part)
    shards = [folder / name for name in "abc"]
    qsohost("merge", *shards, "--into", folder / "merged")
    assert (folder / "merged" / product).read_bytes() == whole
    said = qsohost("merge", folder / "a", folder / "c", "--into", folder / "merged", code=1)
    assert "objects 10 to 17 are in none" in said, said
    said = qsohost("merge", folder / "a", folder / "d", "--into", folder / "merged", code=1)
    assert "objects 6 to 9 are in" in said or "objects 6 to" in said, said


def check_real(folder):
    data = pathlib.Path(os.environ.get("QSO_SHARED_DATA", "")) / "quasars"
    if not (data / "quasars_ztf_lc.fits").exists():
        print("skipped: QSO_SHARED_DATA has no quasars")
        return
    both = [data / "quasars_ztf_lc.fits", data / "quasars_gaia_g_lc.fits"]
    columns = '["mjd", "mag", "magerr", "catflags", "oid"]'
    assert_same(both[0], copy_of(folder, "real", both, "ztf", columns=columns))
    assert_same(both[1], copy_of(folder, "realg", both, "gaia"))


with tempfile.TemporaryDirectory(prefix="qsohost-test-") as name:
    here = pathlib.Path(name)
    check_forms(here)
    check_shards(here)
    check_bad_input(here)
    check_real(here)
print("ok")
