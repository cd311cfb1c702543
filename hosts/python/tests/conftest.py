"""Small light curves with known seeds, and a finished run of them."""

import numpy as np
import pytest

import qsohost

CHAIN = """
[chain]
name = "made"
batch_rows = 7
[[stage]]
use = "arrays"
[[stage]]
use = "ou-loo"
label = "loo"
groups = ["ztf.g", "ztf.r"]
[[stage]]
use = "fits-sink"
label = "results"
what = "loo"
[[stage]]
use = "fits-sink"
label = "curves"
what = "ztf"
"""


def curve(seed: int, epochs: int = 60, tau: float = 200.0, sigma: float = 0.2):
    """A damped random walk with noise of 0.02 mag: (mjd, mag, magerr)."""
    rng = np.random.default_rng(seed)
    mjd = np.sort(rng.uniform(58000, 60000, epochs))
    decay = np.exp(-np.diff(mjd) / tau)
    mag = np.empty(epochs)
    mag[0] = rng.normal(0, sigma)
    for k in range(1, epochs):
        mag[k] = decay[k - 1] * mag[k - 1] + rng.normal(0, sigma * np.sqrt(1 - decay[k - 1] ** 2))
    error = np.full(epochs, 0.02)
    return mjd, (19 + mag + rng.normal(0, error)).astype(np.float32), error.astype(np.float32)


def objects(count: int, epochs: int = 60):
    curves = {band: [curve(2 * i + k, epochs) for i in range(count)] for k, band in enumerate(("ztf.g", "ztf.r"))}
    ids = 10**17 + np.arange(count)  # beyond the integers that a float can hold
    return qsohost.from_arrays(curves, source_id=ids, ra=np.linspace(0, 90, count), dec=np.zeros(count),
                               z=np.linspace(0.5, 2, count))


def large(count: int):
    """A chain that takes some seconds."""
    return qsohost.Chain(CHAIN, objects(count)).set("chain.batch_rows", 20)


@pytest.fixture(scope="session")
def source():
    return objects(20)


@pytest.fixture(scope="session")
def finished(source, tmp_path_factory):
    return qsohost.Chain(CHAIN, source).run(tmp_path_factory.mktemp("runs") / "made.run", progress=False)
