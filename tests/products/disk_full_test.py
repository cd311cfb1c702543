#!/usr/bin/python3
"""A disk that fills up: a message, exit 1, every committed chunk whole, and the run goes on once
there is space. Needs the right to mount a tmpfs.

    disk_full_test.py QSOHOST
"""
import pathlib
import subprocess
import sys
import tempfile
import warnings

from runs import assert_same, chain, fits, np, qsohost


def make_table(path):
    rng = np.random.default_rng(3)
    lengths = rng.integers(100, 300, 400)
    columns = [fits.Column("source_id", "K", array=np.arange(400) + 1)]
    for name in ("mjd_g", "mag_g", "magerr_g"):
        cells = np.empty(400, dtype=object)
        for i, n in enumerate(lengths):
            cells[i] = rng.normal(20, 1, n)
        columns.append(fits.Column(name, "PD()", array=cells))
    fits.BinTableHDU.from_columns(columns).writeto(path)


def check(folder, disk):
    table = folder / "ztf.fits"
    make_table(table)
    path = chain(folder, "full", [("lightcurve-source", {"paths": f'["{table}"]'}),
                                  ("fits-sink", {"label": '"out"', "what": '"ztf"'})])
    filler = disk / "filler"
    for filled in (3.5e6, 2e6):  # no room for all chunks; then none for the product
        filler.write_bytes(b"\0" * int(filled))
        mode = ["--resume"] if (disk / "run" / ".qsohost/run.db").exists() else []
        said = qsohost("--chain", path, "--run-dir", disk / "run", *mode, code=1)
        assert "No space left on device" in said or "disk is full" in said, said
        chunks = sorted((disk / "run" / ".qsohost/chunks/out").glob("*.fits"))
        assert chunks
        for chunk in chunks:
            with fits.open(chunk, memmap=False, checksum=True) as hdus:  # a bad one is a warning
                assert sum(len(cell) for cell in hdus[1].data["mag_g"]) > 0
        filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=32m", disk], check=True)
    qsohost("--chain", path, "--run-dir", disk / "run", "--resume")
    assert_same(table, disk / "run" / "full_ztf_lc.fits")


warnings.simplefilter("error")
with tempfile.TemporaryDirectory(prefix="qsohost-test-") as name:
    here = pathlib.Path(name)
    (here / "disk").mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", here / "disk"],
                             capture_output=True, text=True)
    if mounted.returncode != 0:
        print(f"skipped: no right to mount a tmpfs: {mounted.stderr.strip()}")
        sys.exit(77)
    try:
        check(here, here / "disk")
    finally:
        subprocess.run(["umount", here / "disk"], check=True)
print("ok")
