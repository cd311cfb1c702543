"""The Python module: what a call costs besides the fit, and ou-loo beside a few lines of numpy.

    PYTHONPATH=build/python python3 tests/benchmarks/python.py [CURVES]     (default: 3)

Prints microseconds for one light curve, times for many, and seconds a light curve for the cleaning
by leaving each epoch out (rule influence) as a user would write it with numpy and scipy: a dense
covariance, and a refit without each epoch; both must remove the same epochs.
"""

import sys
import time

import numpy as np
import qsohost
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize


def curve(seed, epochs):
    """A damped random walk, sigma 0.2 mag, tau 200 d, with noise of 0.02 mag and an outlier."""
    rng = np.random.default_rng(seed)
    mjd = np.sort(rng.uniform(58000, 60000, epochs))
    covariance = 0.04 * np.exp(-np.abs(mjd[:, None] - mjd) / 200)
    mag = 19 + rng.multivariate_normal(np.zeros(epochs), covariance) + rng.normal(0, 0.02, epochs)
    mag[epochs // 2] += 0.5
    return mjd, mag, np.full(epochs, 0.02)


def median_seconds(call, repeats):
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begin)
    return np.median(seconds)


def minus_loglike(parameters, lags, mag, err):
    log_sigma, log_tau = parameters
    if not (np.log(0.001) <= log_sigma <= np.log(100) and np.log(0.1) <= log_tau <= np.log(1e4)):
        return np.inf
    covariance = np.exp(2 * log_sigma - lags / np.exp(log_tau)) + np.diag(err**2)
    factor = cho_factor(covariance)
    return 0.5 * mag @ cho_solve(factor, mag) + np.sum(np.log(np.diag(factor[0])))


def numpy_fit(lags, mag, err, start):
    best = minimize(minus_loglike, start, (lags, mag, err), method="Nelder-Mead")
    return best.x


def numpy_ou_loo(mjd, mag, err, passes=10):
    """The epochs that the rule `influence` removes."""
    mag = mag - np.median(mag)
    kept, removed = list(range(len(mjd))), []
    for _ in range(passes):
        t, y, e = mjd[kept], mag[kept], err[kept]
        lags = np.abs(t[:, None] - t)
        full = numpy_fit(lags, y, e, (np.log(np.std(y)), np.log(200)))
        changes = []
        for j in range(len(kept)):
            rest = np.delete(np.arange(len(kept)), j)
            log_sigma, log_tau = numpy_fit(lags[np.ix_(rest, rest)], y[rest], e[rest], full)
            changes.append(2 * log_sigma - log_tau - (2 * full[0] - full[1]))
        j = int(np.argmax(np.abs(changes)))
        if changes[j] >= 0 or abs(changes[j]) < 0.5:
            break
        removed.append(kept.pop(j))
    return removed


def main():
    curves = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    few = tuple(values[:3] for values in curve(0, 60))  # not fitted: all but the fit
    qsohost.fit(*few)
    print(f"one call without a fit     {1e6 * median_seconds(lambda: qsohost.fit(*few), 500):8.0f} us")
    for epochs in (60, 300):
        one = curve(1, epochs)
        print(f"qsohost.fit, {epochs:3d} epochs    {1e6 * median_seconds(lambda: qsohost.fit(*one), 100):8.0f} us")
    many = [curve(seed, 60) for seed in range(2000)]
    for threads in (1, 0):
        seconds = median_seconds(lambda: qsohost.fit_many(many, threads=threads), 3)
        where = "one thread" if threads else "all cores"
        print(f"fit_many, 60 epochs, {where:10s} {1e6 * seconds / len(many):5.0f} us a light curve")
    for epochs in (60, 120):
        made = [curve(seed, epochs) for seed in range(100, 100 + curves)]
        begin = time.perf_counter()
        by_numpy = [numpy_ou_loo(*one) for one in made]
        numpy_seconds = (time.perf_counter() - begin) / curves
        ours = median_seconds(lambda: [qsohost.fit(*one, model="ou-loo") for one in made], 5) / curves
        same = sum(sorted(a) == sorted(qsohost.fit(*one, model="ou-loo")["removed_epoch_id"])
                   for a, one in zip(by_numpy, made))
        print(f"cleaning, {epochs:3d} epochs: numpy {numpy_seconds:7.2f} s, ou-loo {1e3 * ours:7.2f} ms a light curve: "
              f"{numpy_seconds / ours:.0f} times; {same} of {curves} remove the same epochs")


if __name__ == "__main__":
    main()
