"""Stripe 82 quasars as fitted by Burke et al. (2021, Science 373, 789): tau of ours beside theirs.

    python3 tests/benchmarks/burke.py BUILD_FOLDER

Reads drw/burke2021_lightcurves.csv and drw/burke2021_fits.csv of the shared data (QSO_SHARED_DATA) and
fits every light curve through the program, in the rest frame as theirs, for each treatment of the mean,
without and with jitter. Published are the median and the 16 % and 84 % quantiles of tau, from samples of a
posterior with jitter; twice their distances from the median in ln tau stand for 2.5 % and 97.5 %.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from astropy.io import ascii, fits

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("QSO_SHARED_DATA", ROOT / "../shared/data")) / "drw"

CHAIN = """
[chain]
name = "burke"
[[stage]]
use = "lightcurve-source"
paths = ["{data}/burke2021_lightcurves.csv"]
catalog = "{data}/burke2021_fits.csv"
id = "row"
columns = ["z"]
[[stage.band]]
group = "s82.g"
time = "time"
mag = "y"
mag_err = "yerr"
[[stage]]
use = "ou-fit"
label = "fit"
groups = ["s82.g"]
mean = "{mean}"
jitter = "{jitter}"
posterior = "quadrature"
[[stage]]
use = "fits-sink"
label = "results"
what = "fit"
"""


def fit(build, mean, jitter):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        chain = folder / "chain.toml"
        chain.write_text(CHAIN.format(data=DATA.resolve(), mean=mean, jitter=jitter))
        command = [build / "bin/qsohost", "--chain", chain, "--run-dir", folder / "run"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stdout + done.stderr)
        with fits.open(folder / "run/burke_fit_s82_g.fits", memmap=False) as file:
            return {name: np.array(file[1].data[name]) for name in file[1].data.names}


if __name__ == "__main__":
    build = pathlib.Path(sys.argv[1]).resolve()
    t = fit(build, "profiled", "fit")
    print(t.keys())
