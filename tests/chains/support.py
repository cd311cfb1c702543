"""What tests of whole chains share: answers as IRSA gives them, and small samples."""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from chains import (  # noqa: E402, F401
    PATIENCE,
    QSOHOST,
    ROOT,
    SHARED,
    SKYSIM,
    TEST_PLUGINS,
    ChainTest,
    interrupt,
    is_sanitized,
    needs_data,
    read_table,
    wait_until,
)

IRSA_COLUMNS = (
    "oid,expid,hjd,mjd,mag,magerr,catflags,filtercode,ra,dec,chi,sharp,filefracday,field,ccdid,qid,"
    "limitmag,magzp,magzprms,clrcoeff,clrcounc,exptime,airmass,programid"
)


def irsa_row(oid, mjd, mag, magerr, band="g", ra=10.0, dec=20.0, **other):
    """One line of an answer of IRSA's light-curve service; good in every respect by default."""
    values = dict.fromkeys(IRSA_COLUMNS.split(","), 0)
    values.update(
        oid=oid, expid=int(mjd * 10), hjd=mjd + 2400000.5, mjd=f"{mjd:.7f}", mag=f"{mag:.6f}",
        magerr=magerr, filtercode="z" + band, ra=ra, dec=dec, chi=1.0, sharp=0.01, field=600,
        ccdid="0x5", qid="0x2", limitmag=20.5, magzp=26.2, exptime=30, airmass=1.2, programid=1,
    )  # fmt: skip
    values.update(other)
    return ",".join(str(values[c]) for c in IRSA_COLUMNS.split(","))


def irsa_answer(rows):
    return "\n".join([IRSA_COLUMNS, *rows]) + "\n"


def make_sample(folder, sources, seed=1):
    subprocess.run(
        [SKYSIM, "make", folder, "--sources", str(sources), "--seed", str(seed), "--answers"],
        check=True,
        capture_output=True,
    )
