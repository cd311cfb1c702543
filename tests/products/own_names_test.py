#!/usr/bin/python3
"""A survey that no stock plugin knows chooses its product's columns and their names; the product is
read back as it was, and fitted again to the same numbers.

    own_names.py QSOHOST PLUGIN
"""
import pathlib
import sys
import tempfile

from runs import assert_same, chain, fits, np, qsohost

NAMES = ["source_id", "ra", "dec", "v_own_brightness", "u_own_brightness", "BJD_v", "BJD_u",
         "v_own_sigma", "u_own_sigma"]  # fmt: skip
FIT = ("structure-function", {"label": '"sf"', "groups": '["own.u", "own.v"]', "redshift": '""',
                              "rest_frame": "false",
                              "min_pairs": "5"})
SINKS = [("fits-sink", {"label": '"curves"', "what": '"own"', "keep_chunks": "true"}), FIT,
         ("fits-sink", {"label": '"fits"', "what": '"sf"', "keep_chunks": "true"})]


def run(folder, name, stages, sinks=SINKS):
    qsohost("--plugin", sys.argv[2], "--chain", chain(folder, name, stages + sinks),
            "--run-dir", folder / f"{name}.run")
    return lambda what: folder / f"{name}.run" / f"{name}_{what}.fits"


def read(folder, name, path, sinks=SINKS):
    return run(folder, name, [("lightcurve-source", {"paths": f'["{path}"]'})], sinks)


with tempfile.TemporaryDirectory(prefix="qsohost-test-") as name:
    here = pathlib.Path(name)
    (here / "targets.csv").write_text(
        "source_id,ra,dec\n" + "".join(f"{i},{10 + i},{i}\n" for i in range(1, 12)))
    fetched = run(here, "fetched", [
        ("catalog-source", {"path": '"targets.csv"'}), ("own-names", {})])
    with fits.open(fetched("own_lc")) as hdus:
        assert hdus[1].columns.names == NAMES, hdus[1].columns.names

    again = read(here, "again", fetched("own_lc"))
    assert_same(fetched("own_lc"), again("own_lc"))
    for band in "uv":
        assert_same(fetched(f"sf_own_{band}"), again(f"sf_own_{band}"))
        with fits.open(again(f"sf_own_{band}")) as hdus:
            assert (hdus[1].data["amplitude"] > 0).all(), "nothing was fitted"

    # What a run's ledger says of its columns is enough to make the product again.
    first = fetched("own_lc").read_bytes()
    fetched("own_lc").unlink()
    qsohost("--plugin", sys.argv[2], "merge", here / "fetched.run")
    assert fetched("own_lc").read_bytes() == first

    # A program that moves and removes columns, and keeps all keywords that it does not know.
    with fits.open(fetched("own_lc")) as hdus:
        data = hdus[1].data
        columns = [fits.Column("source_id", "K", array=data["source_id"])]
        for name in ("u_own_sigma", "BJD_u", "u_own_brightness"):
            arrays = np.empty(len(data), dtype=object)
            arrays[:] = [np.array(cell) for cell in data[name]]
            columns.insert(0, fits.Column(name, "PD()", array=arrays))
        moved = fits.BinTableHDU.from_columns(columns)
        moved.header.extend(c for c in hdus[1].header.cards if c.keyword.startswith("Q"))
        moved.writeto(here / "moved.fits")
    one = ("structure-function", FIT[1] | {"groups": '["own.u"]'})
    moved = read(here, "moved", here / "moved.fits", [one, SINKS[2]])
    assert_same(fetched("sf_own_u"), moved("sf_own_u"))
print("ok")
