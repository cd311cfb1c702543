"""Light curves of quasars whose log10 D depends on their luminosity, as a table that
lightcurve-source reads, and a catalogue with their luminosities."""

from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from astropy.table import Table


@dataclass(frozen=True)
class Relation:
    intercept: float = -3.8  # log10 D in mag^2/d, rest frame, at log L_bol = 46
    slope: float = -1.2
    scatter: float = 0.35  # dex
    lambda_slope: float = 0  # with log10(wavelength at rest / 2500 A)
    log_tau: float = 2.3  # mean of log10 tau in d, rest frame
    log_tau_scatter: float = 0.25
    z_min: float = 0.6
    z_max: float = 2.4


WAVELENGTH = {"g": 4746, "r": 6366}


def errors_of(mag: np.ndarray, law: str) -> np.ndarray:
    """Errors of magnitudes: those of ZTF grow with magnitude, flat ones do not."""
    if law == "flat":
        return np.full(mag.shape, 0.05)
    return np.hypot(0.012, 0.03 * 10 ** (0.4 * (mag - 19)))


def times_of(rng: np.random.Generator, epochs: int) -> np.ndarray:
    """MJD in yearly seasons of 200 d."""
    return np.sort(58200 + rng.integers(0, 7, epochs) * 365.25 + 200 * rng.random(epochs))


def ou(rng: np.random.Generator, times: np.ndarray, tau: float) -> np.ndarray:
    """A process of unit variance."""
    decay = np.exp(-np.diff(times) / tau)
    shocks = rng.standard_normal(times.size)
    shocks[1:] *= np.sqrt(1 - decay**2)
    values = np.empty(times.size)
    values[0] = shocks[0]
    for i in range(1, times.size):
        values[i] = decay[i - 1] * values[i - 1] + shocks[i]
    return values


def luminosities(rng: np.random.Generator, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log L_bol and magnitudes of a survey that sees quasars down to magnitude 20.5."""
    distance = 5 * np.log10(z * (1 + 0.4 * z)) - 2.5 * np.log10(1 + z)
    mag = 20.5 - rng.exponential(0.9, z.size)
    return 46 - 0.4 * (mag - 19.3 - distance), mag


def write_quasars(
    folder, objects: int, law: str, seed: int, relation: Relation = Relation(), bands: str = "g"
) -> None:
    """folder/light_curves.fits and folder/catalog.fits. Bands share one process."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(relation.z_min, relation.z_max, objects)
    log_l, mag = luminosities(rng, z)
    log_d = relation.intercept + relation.slope * (log_l - 46)
    log_d += relation.scatter * rng.standard_normal(objects)
    log_tau = relation.log_tau + relation.log_tau_scatter * rng.standard_normal(objects)
    arrays = {f"{name}_{band}": [] for band in bands for name in ("mjd", "mag", "magerr")}
    for i in range(objects):
        times = [times_of(rng, int(rng.integers(60, 300))) for _ in bands]
        every = np.sort(np.concatenate(times))
        path = ou(rng, every / (1 + z[i]), 10 ** log_tau[i])
        for band, mjd in zip(bands, times):
            log_d_band = log_d[i] + relation.lambda_slope * np.log10(
                WAVELENGTH[band] / (1 + z[i]) / 2500
            )
            sigma = np.sqrt(10 ** (log_d_band + log_tau[i]))
            true = mag[i] + sigma * path[np.searchsorted(every, mjd)]
            err = errors_of(true, law)
            arrays[f"mjd_{band}"].append(mjd)
            seen = true + err * rng.standard_normal(mjd.size)
            arrays[f"mag_{band}"].append(seen.astype(np.float32))
            arrays[f"magerr_{band}"].append(err.astype(np.float32))
    ids = 1_000_000_007 * (1 + np.arange(objects, dtype=np.int64))
    columns = [fits.Column("source_id", "K", array=ids), fits.Column("z", "D", array=z)]
    for name, values in arrays.items():
        form, unit = ("PD()", "d") if name.startswith("mjd") else ("PE()", "mag")
        columns.append(fits.Column(name, form, unit=unit, array=np.array(values, dtype=object)))
    fits.BinTableHDU.from_columns(columns).writeto(folder / "light_curves.fits", overwrite=True)
    order = rng.permutation(objects)
    catalog = Table({"source_id": ids, "WUSHEN_LOGLBOL": log_l})[order]
    catalog.write(folder / "catalog.fits", overwrite=True)


CHAIN = """
[chain]
name = "relation"

[[stage]]
use = "lightcurve-source"
paths = ["{folder}/light_curves.fits"]

[[stage]]
use = "ou-fit"
label = "fit"
groups = {groups}
{posterior}

[[stage]]
use = "fits-sink"
what = "fit"

[[stage]]
use = "fits-sink"
what = "ztf"
"""


def write_chain(folder, posterior: str = 'posterior = "quadrature"', bands: str = "g"):
    chain = folder / "chain.toml"
    groups = str([f"ztf.{band}" for band in bands]).replace("'", '"')
    chain.write_text(CHAIN.format(folder=folder, posterior=posterior, groups=groups))
    return chain
