"""ou-multiband, compared with dense algebra at the parameters that it reports: Gaia's times beside
ZTF's, epochs in any order, a redshift."""

import unittest
import warnings

import astropy.units as u
import numpy as np
from astropy import log
from astropy.coordinates import EarthLocation, SkyCoord
from astropy.io import fits
from astropy.time import Time
from astropy.utils import iers

from support import ChainTest, read_table

iers.conf.auto_download = False
log.setLevel("ERROR")
warnings.filterwarnings("ignore", message=".*dubious year")

BANDS = {"ztf.g": 70, "ztf.r": 90, "gaia.g": 30, "gaia.bp": 25, "gaia.rp": 25}
SIGMA = {"ztf.g": 0.2, "ztf.r": 0.16, "gaia.g": 0.17, "gaia.bp": 0.19, "gaia.rp": 0.14}
ERROR = {"ztf.g": 0.03, "ztf.r": 0.025, "gaia.g": 0.01, "gaia.bp": 0.05, "gaia.rp": 0.04}
POSITIONS = [(150.0, 2.0), (10.0, -60.0), (270.0, 66.5)]
REDSHIFTS = [0.3, 1.1, 2.4]
CENTRE = EarthLocation.from_geocentric(0, 0, 0, u.m)

SOURCE = """
[chain]
name = "bands"
[[stage]]
use = "lightcurve-source"
paths = ["curves.fits"]
"""
BAND = """
[[stage.band]]
group = "{group}"
time = "t_{column}"
mag = "mag_{column}"
mag_err = "err_{column}"
time_system = "{system}"
"""
FIT = """
[[stage]]
use = "ou-multiband"
label = "joint"
groups = {groups}
"""
SINKS = """
[[stage]]
use = "fits-sink"
label = "objects"
path = "objects.fits"
columns = {columns}
[[stage]]
use = "fits-sink"
label = "to-ztf"
what = "ztf"
path = "ztf.fits"
columns = ["loo_mean", "loo_sd"]
[[stage]]
use = "fits-sink"
label = "to-gaia"
what = "gaia"
path = "gaia.fits"
columns = ["loo_mean", "loo_sd"]
"""
OF_OBJECT = ("flags", "log_tau", "loglike", "bic", "n_parameters", "n_bands", "n_epochs")
OF_BAND = ("log_sigma", "logD", "mean", "n_epochs")
SYSTEMS = {"ztf": "MJD UTC", "gaia": "BJD TCB - 2455197.5"}
GRID = 6


def on_one_scale(group, times, position):
    """BJD TDB - 2400000.5, by astropy."""
    if group.startswith("gaia"):
        zero = Time(0, 2400000.5, format="jd", scale="tdb")
        return (Time(times, 2455197.5, format="jd", scale="tcb").tdb - zero).jd
    earth = Time(times, format="mjd", scale="utc", location=CENTRE)
    place = SkyCoord(*position, unit="deg")
    return (earth.tdb + earth.light_travel_time(place, kind="barycentric", ephemeris="builtin")).mjd


def simulate(rng, redshift):
    """By band: times (MJD for all), mag, err, in any order; one process in the rest frame."""
    tau = 60 * (1 + redshift)
    years = {"gaia": (56900, 57900), "ztf": (58200, 60500)}
    epochs = sorted((t, b) for b, n in BANDS.items() for t in rng.uniform(*years[b.split(".")[0]], n))
    out = {b: [] for b in BANDS}
    x, last = rng.normal(), epochs[0][0]
    for t, b in epochs:
        a = np.exp(-(t - last) / tau)
        x, last = a * x + np.sqrt(1 - a * a) * rng.normal(), t
        err = ERROR[b] * rng.uniform(0.7, 1.3)
        out[b].append((t, 18 + SIGMA[b] * x + err * rng.normal(), err))
    return {b: rng.permutation(rows).T for b, rows in out.items()}


class Dense:
    """The process of model M at given parameters, by dense algebra."""

    def __init__(self, time, band, mag, var, tau, sigma, mean):
        self.tau, self.sigma, self.kind = tau, sigma, mean
        self.time, self.band, self.mag = time, band, mag
        self.design = (band[:, None] == np.arange(len(sigma))).astype(float)
        self.inverse = np.linalg.inv(self.covariance(time, band) + np.diag(var))
        self.of_means = self.design.T @ self.inverse @ self.design
        self.means = np.linalg.solve(self.of_means, self.design.T @ self.inverse @ mag)
        self.rest = mag - self.design @ self.means

    def covariance(self, time, band):
        lag = np.abs(time[:, None] - self.time)
        return self.sigma[band][:, None] * self.sigma[self.band] * np.exp(-lag / self.tau)

    def loglike(self):
        chi2 = self.rest @ self.inverse @ self.rest
        out = -0.5 * (chi2 - np.linalg.slogdet(self.inverse)[1] + len(self.mag) * np.log(2 * np.pi))
        if self.kind == "marginal":
            out += 0.5 * (len(self.sigma) * np.log(2 * np.pi) - np.linalg.slogdet(self.of_means)[1])
        return out

    def predict(self, time, band):
        """Of the process, its mean included."""
        cov = self.covariance(time, band)
        design = (band[:, None] == np.arange(len(self.sigma))).astype(float)
        missing = design - cov @ self.inverse @ self.design
        mean = design @ self.means + cov @ self.inverse @ self.rest
        var = self.sigma[band] ** 2 - np.einsum("ij,jk,ik->i", cov, self.inverse, cov)
        return mean, var + np.einsum("ij,ji->i", missing, np.linalg.solve(self.of_means, missing.T))


class Multiband(ChainTest):
    def setUp(self):
        super().setUp()
        rng = np.random.default_rng(11)
        self.curves = [simulate(rng, z) for z in REDSHIFTS]
        for curve in self.curves:
            for group in BANDS:
                if group.startswith("gaia"):  # as Gaia counts
                    curve[group][0] -= 55197
        self.curves[1]["ztf.r"][1][4] = np.nan  # takes no part

    def write_curves(self, times=None):
        """`times(group, times, position)`: what to write in place of the times."""
        columns = [fits.Column("source_id", "K", array=np.arange(len(self.curves)) + 1)]
        for i, name in enumerate(("ra", "dec")):
            columns.append(fits.Column(name, "D", array=[p[i] for p in POSITIONS], unit="deg"))
        columns.append(fits.Column("z", "D", array=REDSHIFTS))
        for group in BANDS:
            for k, (name, unit) in enumerate((("t", "d"), ("mag", "mag"), ("err", "mag"))):
                cells = np.empty(len(self.curves), dtype=object)
                for i, curve in enumerate(self.curves):
                    cells[i] = curve[group][k]
                    if k == 0 and times is not None:
                        cells[i] = times(group, cells[i], POSITIONS[i])
                name_in_file = f"{name}_{group.replace('.', '_')}"
                columns.append(fits.Column(name_in_file, "PD()", array=cells, unit=unit))
        fits.BinTableHDU.from_columns(columns).writeto(self.folder / "curves.fits", overwrite=True)

    def run_chain(self, options, systems=SYSTEMS, groups=tuple(BANDS), extra=()):
        bands = "".join(BAND.format(group=g, column=g.replace(".", "_"), system=systems[g.split(".")[0]])
                        for g in BANDS)  # fmt: skip
        columns = [f"joint.{c}" for c in OF_OBJECT]
        columns += [f"joint.{g}.{c}" for g in groups for c in OF_BAND]
        listed = lambda names: "[" + ", ".join(f'"{n}"' for n in names) + "]"  # noqa: E731
        chain = SOURCE + bands + FIT.format(groups=listed(groups)) + options
        chain += SINKS.format(columns=listed([*columns, *extra]))
        self.qsohost("--chain", self.write("chain.toml", chain), "--run-dir", "run", "--restart")
        table, _ = read_table(self.folder / "run/objects.fits")
        return table

    def epochs_that_take_part(self, i):
        """In the rest frame, with the place of each in its group."""
        rows = []
        for b, group in enumerate(BANDS):
            t, mag, err = self.curves[i][group]
            bjd = on_one_scale(group, t, POSITIONS[i])
            rows += [(bjd[k], b, mag[k], err[k], k) for k in range(len(t)) if np.isfinite(mag[k])]
        time, band, mag, err, place = np.array(rows).T
        first = time.min()
        time = (time - first) / (1 + REDSHIFTS[i])
        return time, band.astype(int), mag, err**2, place.astype(int), first

    def test_results_are_those_of_dense_algebra(self):
        self.write_curves()
        grid = ["joint.predicted_time"]
        grid += [f"joint.{g}.predicted_{c}" for g in BANDS for c in ("mag", "sd")]
        for mean in ("profiled", "marginal"):
            table = self.run_chain(f'mean = "{mean}"\npredict = {GRID}\n', extra=grid)
            epochs = {s: read_table(self.folder / f"run/{s}.fits")[0] for s in SYSTEMS}
            for i in range(len(self.curves)):
                with self.subTest(mean=mean, object=i):
                    self.check_object(i, mean, table, epochs)

    def check_object(self, i, mean, table, epochs):
        time, band, mag, var, place, first = self.epochs_that_take_part(i)
        value = lambda name: table[f"joint.{name}"][i]  # noqa: E731
        tau = np.exp(value("log_tau"))
        sigma = np.exp([value(f"{g}.log_sigma") for g in BANDS])
        dense = Dense(time, band, mag, var, tau, sigma, mean)
        self.assertEqual((value("n_epochs"), value("n_bands"), value("n_parameters")), (len(time), 5, 11))
        self.assertAlmostEqual(value("loglike"), dense.loglike(), delta=1e-6)
        self.assertAlmostEqual(value("bic"), 11 * np.log(len(time)) - 2 * dense.loglike(), delta=1e-5)
        for b, group in enumerate(BANDS):
            self.assertAlmostEqual(value(f"{group}.logD"), np.log(sigma[b] ** 2 / tau), delta=1e-9)
            self.assertAlmostEqual(value(f"{group}.mean"), dense.means[b], delta=1e-7)
        self.assertEqual(value("flags") & 4, 4 if i == 1 else 0)

        for k in range(len(time)):
            rest = np.arange(len(time)) != k
            others = Dense(time[rest], band[rest], mag[rest], var[rest], tau, sigma, mean)
            expected, noiseless = others.predict(time[k : k + 1], band[k : k + 1])
            survey, name = list(BANDS)[band[k]].split(".")
            cell = lambda column: epochs[survey][f"{column}_{name}"][i][place[k]]  # noqa: E731, B023
            self.assertAlmostEqual(cell("loo_mean"), expected[0], delta=1e-6)
            self.assertAlmostEqual(cell("loo_sd"), np.sqrt(noiseless[0] + var[k]), delta=1e-6)

        at = np.linspace(0, time.max(), GRID)
        observed = first + at * (1 + REDSHIFTS[i])
        np.testing.assert_allclose(value("predicted_time"), observed, atol=1e-7, rtol=0)
        for b, group in enumerate(BANDS):
            expected, noiseless = dense.predict(at, np.full(GRID, b))
            np.testing.assert_allclose(value(f"{group}.predicted_mag"), expected, atol=1e-6)
            np.testing.assert_allclose(value(f"{group}.predicted_sd"), np.sqrt(noiseless), atol=1e-5)

    def test_times_of_two_surveys_are_as_if_converted_before(self):
        self.write_curves()
        mixed = self.run_chain("")
        self.write_curves(on_one_scale)
        same = self.run_chain("", dict.fromkeys(SYSTEMS, "BJD TDB - 2400000.5"))
        for name in (f"joint.{c}" for c in ("log_tau", "loglike", "bic")):
            np.testing.assert_allclose(mixed[name], same[name], atol=1e-8, rtol=0)
        # It matters, though not at the pole of the ecliptic: as they are, times are minutes off.
        self.write_curves(lambda group, times, _: times + (55197 if group.startswith("gaia") else 0))
        raw = self.run_chain("", dict.fromkeys(SYSTEMS, "MJD UTC"))
        self.assertGreater(np.abs(mixed["joint.loglike"] - raw["joint.loglike"])[:2].min(), 1e-5)

    def test_what_cannot_be_combined_is_refused_before_any_object(self):
        self.write_curves()
        bands = "".join(BAND.format(group=g, column=g.replace(".", "_"), system="MJD UTC")
                        for g in ("ztf.g", "ztf.r"))  # fmt: skip
        unknown = BAND.format(group="own.g", column="gaia_g", system="")
        nine = "[" + ", ".join(f'"own.{i}"' for i in range(9)) + "]"
        cases = (
            ('["ztf.g", "ztf.g"]', "--check", r"groups names 'ztf\.g' twice"),
            (nine, "--check", "9 light curves; at most 8"),
            # What light curves the tables have, and on which times, is known once they are open.
            ('["ztf.g", "own.g"]', "--restart", r"'own\.g'.*time system is not known"),
            ('["ztf.g", "ztf.i"]', "--restart", r"'ztf\.i', which no earlier stage gives"),
        )
        for groups, how, message in cases:
            with self.subTest(groups=groups):
                chain = self.write("chain.toml", SOURCE + bands + unknown + FIT.format(groups=groups))
                done = self.qsohost("--chain", chain, "--run-dir", "run", how, expect=2)
                self.assertRegex(done.stderr, r"chain\.toml:\d+:\d+: ")
                self.assertRegex(done.stderr, message)


if __name__ == "__main__":
    unittest.main()
