"""Quasars of Stripe 82: tau of ou-fit beside those of Burke et al. (2021, Science 373, 789).

    python3 tests/benchmarks/burke.py BUILD_FOLDER

Fits drw/burke2021_lightcurves.csv of the shared data (QSO_SHARED_DATA) through the program, in the rest
frame, with each treatment of the mean, without and with jitter. Published are the median of a posterior
with jitter and the distances to its 16 % and 84 % quantiles, here counted in ln tau; twice as far stands
for 95 %. A pull is the difference of ln tau over the distance on its side, published or ours: the standard
error of the maximum, or those of the posterior's quantiles.

Then, by an own computation on a grid: the posterior with their choices (the mean of the process is that of
the magnitudes, tau up to 10 baselines, jitter integrated over), and with the mean integrated over.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from astropy.io import fits
from astropy.table import Table

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


def fit(build, mean, jitter, rows):
    """The table of results, in the order of `rows`."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        chain = folder / "chain.toml"
        chain.write_text(CHAIN.format(data=DATA.resolve(), mean=mean, jitter=jitter))
        command = [build / "bin/qsohost", "--chain", chain, "--run-dir", folder / "run"]
        environment = os.environ | {"QSOHOST_PLUGIN_PATH": str(build / "lib/qsohost/plugins")}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if done.returncode != 0:
            sys.exit(done.stdout + done.stderr)
        with fits.open(folder / "run/burke_fit_s82_g.fits", memmap=False) as file:
            table = file[1].data
            place = {str(row): k for k, row in enumerate(table["source_id"])}
            order = [place[row] for row in rows]
            return {name: np.array(table[name])[order] for name in table.names}


class Published:
    def __init__(self):
        table = Table.read(DATA / "burke2021_fits.csv")
        self.rows = [str(row) for row in table["row"]]
        tau, below, above = (np.array(table[f"tau_{x}"]) for x in ("rest", "e_rest_lo", "e_rest_hi"))
        self.ln_tau = np.log(tau)
        self.below = self.ln_tau - np.log(tau - below)
        self.above = np.log(tau + above) - self.ln_tau
        self.z = np.array(table["z"])
        self.maximum = np.log(table["tau_rest_mle"])


def pulls(difference, below, above):
    return difference / np.where(difference < 0, below, above)


def row_of(published, table, which):
    """`difference` is ours - theirs: our error upwards is towards them where ours is lower."""
    if which == "maximum":
        ln_tau, below, above = table["log_tau"], table["err_log_tau"], table["err_log_tau"]
    else:
        ln_tau = table["log_tau_q50"]
        below, above = ln_tau - table["log_tau_q16"], table["log_tau_q84"] - ln_tau
    difference = ln_tau - published.ln_tau
    theirs = pulls(difference, published.below, published.above)
    own = -pulls(-difference, below, above)
    own = own[np.isfinite(own)]  # no error of a tau on its bound
    return (
        f"{100 * np.mean(np.abs(theirs) < 1):5.1f} % {100 * np.mean(np.abs(theirs) < 2):5.1f} %"
        f"   {theirs.mean():5.2f} {theirs.std():5.2f}   {own.mean():5.2f} {own.std():5.2f}"
        f"   {np.median(difference):6.3f}"
    )


def ln_tau_quantiles(time, mag, error, longest, mean):
    """16, 50 and 84 % on a grid of ln sigma, ln tau and ln jitter, flat in all three."""
    grid = [np.linspace(np.log(0.02), np.log(3), 36), np.linspace(np.log(5), np.log(longest), 46),
            np.linspace(np.log(3e-4), np.log(0.2), 10)]  # fmt: skip
    ln_sigma, ln_tau, ln_jitter = (x.ravel() for x in np.meshgrid(*grid, indexing="ij"))
    sigma2, jitter2, rate = np.exp(2 * ln_sigma), np.exp(2 * ln_jitter), np.exp(-ln_tau)
    process, unit, var = 0.0, 0.0, sigma2  # predictions of mag, and of 1 in its place
    squares = logs = cross = ones = 0.0
    mag = mag - mag.mean()
    for k in range(len(time)):
        if k > 0:
            decay = np.exp(-(time[k] - time[k - 1]) * rate)
            process, unit, var = decay * process, decay * unit, sigma2 + decay**2 * (var - sigma2)
        all_var = var + error[k] ** 2 + jitter2
        off, unit_off, gain = mag[k] - process, 1 - unit, var / all_var
        squares, logs = squares + off**2 / all_var, logs + np.log(all_var)
        cross, ones = cross + off * unit_off / all_var, ones + unit_off**2 / all_var
        process, unit, var = process + gain * off, unit + gain * unit_off, var * (1 - gain)
    ln_density = -0.5 * (squares + logs)
    if mean == "marginal":
        ln_density += 0.5 * cross**2 / ones - 0.5 * np.log(ones)
    density = np.exp(ln_density - ln_density.max()).reshape([len(x) for x in grid]).sum((0, 2))
    below = (np.cumsum(density) - density / 2) / density.sum()
    return np.interp([0.16, 0.5, 0.84], below, grid[1])


def compare_posteriors(published):
    curves = Table.read(DATA / "burke2021_lightcurves.csv")
    curves.sort("time")
    found = {"fixed": [], "marginal": []}
    for row, z in zip(published.rows, published.z):
        mine = curves[curves["row"] == int(row)]
        time, mag, error = (np.array(mine[name], float) for name in ("time", "y", "yerr"))
        time = (time - time[0]) / (1 + z)
        for mean, quantiles in found.items():
            quantiles.append(ln_tau_quantiles(time, mag, error, 10 * time[-1], mean))
    print("on a grid: mean   median - theirs   16 % and 84 % from the median, theirs")
    theirs = f"{np.median(published.below):.2f} {np.median(published.above):.2f}"
    for mean, quantiles in found.items():
        low, middle, high = np.array(quantiles).T
        print(f"           {mean:9} {np.median(middle - published.ln_tau):8.3f}"
              f"       {np.median(middle - low):.2f} {np.median(high - middle):.2f}, {theirs}")  # fmt: skip


def main():
    if not (DATA / "burke2021_lightcurves.csv").exists():
        print(f"skipped: no light curves of Burke et al. in {DATA}; set QSO_SHARED_DATA")
        return
    build = pathlib.Path(sys.argv[1]).resolve()
    published = Published()
    print(f"{len(published.rows)} light curves\n"
          "mean      jitter  ln tau of           68 %    95 %   pull: theirs    ours   ours - theirs")  # fmt: skip
    for mean in "median", "profiled", "marginal":
        best = {}
        for jitter in "none", "fit":
            table = fit(build, mean, jitter, published.rows)
            best[jitter] = table["loglike"]
            for which in "maximum", "posterior median":
                print(f"{mean:9} {jitter:7} {which:17} {row_of(published, table, which)}", flush=True)
        gained = best["fit"] - best["none"]
        print(f"{mean}: jitter gains more than 5 in ln L in {np.sum(gained > 5)}")
    theirs = published.maximum - published.ln_tau
    print(f"their own maximum - their median: {np.median(theirs):.3f} in ln tau")
    compare_posteriors(published)


if __name__ == "__main__":
    main()
