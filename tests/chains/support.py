"""What tests of whole chains share: running the program, and looking at what it wrote."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest
import warnings

import numpy as np
from astropy.io import fits

ROOT = pathlib.Path(__file__).resolve().parents[2]
QSOHOST = os.environ.get("QSOHOST", str(ROOT / "build/bin/qsohost"))
SKYSIM = os.environ.get("SKYSIM", str(ROOT / "build/bin/skysim"))
TEST_PLUGINS = pathlib.Path(os.environ.get("QSOHOST_TEST_PLUGINS", ROOT / "build/tests"))
SHARED = pathlib.Path(os.environ.get("QSO_SHARED_DATA", ROOT / "../shared/data"))

IRSA_COLUMNS = (
    "oid,expid,hjd,mjd,mag,magerr,catflags,filtercode,ra,dec,chi,sharp,filefracday,field,ccdid,qid,"
    "limitmag,magzp,magzprms,clrcoeff,clrcounc,exptime,airmass,programid"
)


def needs_data(test):
    return unittest.skipUnless(
        (SHARED / "ztf/targets.csv").exists(),
        f"no survey data in {SHARED}; set QSO_SHARED_DATA",
    )(test)


class ChainTest(unittest.TestCase):
    """A temporary folder, and the program."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="qsohost-chain-"))
        self.addCleanup(shutil.rmtree, self.folder, True)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def qsohost(self, *args, expect=0, env=None):
        done = subprocess.run(
            [QSOHOST, *map(str, args)],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={**os.environ, **(env or {})},
            timeout=600,
        )
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done

    def peak_memory(self, *args):
        """In kB, of a run that must succeed."""
        process = subprocess.Popen(
            [QSOHOST, *map(str, args)], cwd=self.folder, stdout=subprocess.DEVNULL
        )
        # Not the rusage of the child: that counts the pages of this process before the exec too.
        peak = 0
        while process.poll() is None:
            with open(f"/proc/{process.pid}/status") as status:
                peak = max([peak, *(int(s.split()[1]) for s in status if s.startswith("VmHWM"))])
            time.sleep(0.005)
        self.assertEqual(process.returncode, 0)
        return peak

    def assert_same_files(self, one, other, pattern="*.fits"):
        names = sorted(p.name for p in one.glob(pattern))
        self.assertTrue(names, f"nothing like {pattern} in {one}")
        self.assertEqual(names, sorted(p.name for p in other.glob(pattern)))
        for name in names:
            same = (one / name).read_bytes() == (other / name).read_bytes()
            self.assertTrue(same, f"{name} differs")


def read_table(path):
    """The binary table of a product, every warning (of a checksum, say) an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(path, memmap=False, checksum=True) as file:
            table = file[1].data
            return {name: np.array(table[name], copy=True) for name in table.names}, file[1].header


def irsa_row(oid, mjd, mag, magerr, band="g", ra=10.0, dec=20.0, **other):
    """One line of an answer of IRSA's light-curve service; good in every respect unless told."""
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
