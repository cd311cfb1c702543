"""Quasars in five bands, cleaned band by band and fitted together; and one likelihood with its gradient
beside dense numpy.

    python3 tests/benchmarks/multiband.py BUILD_FOLDER [QUASARS...]      (default: 2000 8529)

Simulates ZTF g, r and Gaia G, BP, RP of each quasar (560 epochs, some outliers) into a FITS file of 14 kB
a quasar. Prints for each number the wall and CPU time of the run and the largest resident memory, then
the time of a dense evaluation over that of ours.
"""

import json
import multiprocessing
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from astropy.io import fits

BANDS = {"ztf.g": 200, "ztf.r": 240, "gaia.g": 40, "gaia.bp": 40, "gaia.rp": 40}
SIGMA, ERROR = (0.2, 0.16, 0.17, 0.19, 0.14), (0.03, 0.025, 0.01, 0.05, 0.04)

CHAIN = """
[chain]
name = "five-bands"
[[stage]]
use = "lightcurve-source"
paths = ["curves.fits"]
{bands}
[[stage]]
use = "ou-loo"
label = "loo"
groups = {groups}
rule = "predictive"
[[stage]]
use = "drop-epochs"
[[stage]]
use = "ou-multiband"
label = "multi"
groups = {groups}
[[stage]]
use = "fits-sink"
what = "multi"
"""


def simulate(quasars, file):
    rng = np.random.default_rng(1)
    band = np.repeat(np.arange(len(BANDS)), list(BANDS.values()))
    n = band.size
    ztf = band < 2
    time = np.where(ztf, 58200 + 2300 * rng.random((quasars, n)), 56900 + 1000 * rng.random((quasars, n)))
    order = np.argsort(time, axis=1)
    sorted_time = np.take_along_axis(time, order, axis=1)
    z = 0.5 + 2 * rng.random(quasars)
    tau = (30 * (500 / 30) ** rng.random(quasars)) * (1 + z)  # observed frame
    x = np.empty((quasars, n))  # one process of unit variance
    x[:, 0] = rng.standard_normal(quasars)
    for i in range(1, n):
        a = np.exp(-(sorted_time[:, i] - sorted_time[:, i - 1]) / tau)
        x[:, i] = a * x[:, i - 1] + np.sqrt(1 - a * a) * rng.standard_normal(quasars)
    process = np.empty_like(x)
    np.put_along_axis(process, order, x, axis=1)
    error = np.array(ERROR)[band] * (0.7 + 0.6 * rng.random((quasars, n)))
    mag = 19 + np.array(SIGMA)[band] * process + error * rng.standard_normal((quasars, n))
    mag += (rng.random((quasars, n)) < 0.005) * rng.choice([-1, 1], (quasars, n)) * 0.7
    time[:, band >= 2] -= 55197  # Gaia's zero point
    columns = [
        fits.Column("source_id", "K", array=np.arange(1, quasars + 1)),
        fits.Column("ra", "D", array=np.full(quasars, 10.0)),
        fits.Column("dec", "D", array=np.full(quasars, 20.0)),
        fits.Column("z", "D", array=z),
    ]
    for b, (name, count) in enumerate(BANDS.items()):
        for quantity, values in (("t", time), ("m", mag), ("e", error)):
            name_of = f"{quantity}_{name.replace('.', '_')}"
            columns.append(fits.Column(name_of, f"{count}D", array=values[:, band == b]))
    fits.BinTableHDU.from_columns(columns).writeto(file)


def chain():
    bands = ""
    for name in BANDS:
        column = name.replace(".", "_")
        bands += f'[[stage.band]]\ngroup = "{name}"\ntime = "t_{column}"\nmag = "m_{column}"\nmag_err = "e_{column}"\n'
    return CHAIN.format(bands=bands, groups=json.dumps(list(BANDS)))


def run(build, folder, quasars):
    arguments = [build / "bin/qsohost", "--chain", folder / "chain.toml", "--run-dir", folder / "run"]
    arguments += ["--restart", "--limit", str(quasars)]
    environment = os.environ | {"QSOHOST_PLUGIN_PATH": str(build / "lib/qsohost/plugins")}
    with open(folder / "report.txt", "w") as report:
        begin = time.monotonic()
        process = subprocess.Popen(arguments, env=environment, stdout=report, stderr=report)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begin
    if status != 0:
        sys.exit((folder / "report.txt").read_text())
    cpu = usage.ru_utime + usage.ru_stime
    print(f"{quasars:6d} {wall:8.2f} {cpu:8.2f} {usage.ru_maxrss / 1024:8.0f}", flush=True)


def dense_seconds():
    """Of one profiled log-likelihood with its gradient in ln tau and five ln sigma."""
    rng = np.random.default_rng(2)
    band = np.repeat(np.arange(len(BANDS)), list(BANDS.values()))
    n = band.size
    time_of = np.sort(2500 * rng.random(n))
    y, error = 0.2 * rng.standard_normal(n), np.array(ERROR)[band]
    sigma, tau = np.array(SIGMA)[band], 120.0
    ones = (band[:, None] == np.arange(len(BANDS))).astype(float)
    begin = time.perf_counter()
    repeats = 10
    for _ in range(repeats):
        lag = np.abs(time_of[:, None] - time_of[None, :])
        process = sigma[:, None] * sigma[None, :] * np.exp(-lag / tau)
        inverse = np.linalg.inv(process + np.diag(error**2))
        _, log_determinant = np.linalg.slogdet(process + np.diag(error**2))
        mean = np.linalg.solve(ones.T @ inverse @ ones, ones.T @ inverse @ y)
        r = inverse @ (y - ones @ mean)
        loglike = -0.5 * ((y - ones @ mean) @ r + log_determinant + n * np.log(2 * np.pi))
        outer = np.outer(r, r) - inverse
        gradient = [0.5 * np.sum(outer * process * lag / tau)]
        by_row = np.sum(outer * process, axis=1)
        gradient += [by_row[band == b].sum() for b in range(len(BANDS))]
        assert np.isfinite(loglike) and np.all(np.isfinite(gradient))
    return (time.perf_counter() - begin) / repeats


def our_seconds(build):
    output = subprocess.run(
        [build / "bin/ou_multiband", "--benchmark_filter=M/gradient/profiled/1$", "--benchmark_format=json"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return json.loads(output)["benchmarks"][0]["cpu_time"] * 1e-9


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    sizes = [int(n) for n in sys.argv[2:]] or [2000, 8529]
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        # Elsewhere: the memory of this process counts as that of a run until that has begun.
        simulation = multiprocessing.Process(target=simulate, args=(max(sizes), folder / "curves.fits"))
        simulation.start()
        simulation.join()
        (folder / "chain.toml").write_text(chain())
        print("quasars   wall/s    cpu/s   mem/MB")
        for n in sizes:
            run(build, folder, n)
        print((folder / "report.txt").read_text())
        not_fitted = fits.getdata(folder / "run/five-bands_multi.fits")["n_bands"] != len(BANDS)
        print(f"{not_fitted.sum()} of {len(not_fitted)} not fitted in all bands")
    dense, ours = dense_seconds(), our_seconds(build)
    print(f"likelihood with gradient, 560 epochs: dense {dense * 1e3:.1f} ms, ours {ours * 1e6:.1f} us, {dense / ours:.0f} times")


if __name__ == "__main__":
    main()
