"""Simulated short light curves, in g and r of ZTF, as a table with one row an object: FITS, of any size.

    /usr/bin/python3 tests/benchmarks/short_curves.py FILE OBJECTS

Written by hand, piece by piece: astropy would hold all of it in memory, and takes a hundred times as long.
"""

import sys

import numpy as np
from astropy.io import fits

MOST = 30  # epochs of a light curve
FEWEST = 15
PIECE = 20_000  # objects
BANDS = "gr"
SLOT = np.dtype([("mjd", ">f8", MOST), ("mag", ">f4", MOST), ("magerr", ">f4", MOST)])
ROW = np.dtype(
    [("source_id", ">i8"), ("ra", ">f8"), ("dec", ">f8"), ("z", ">f8")]
    + [(f"{name}_{band}", ">i8", 2) for band in BANDS for name in SLOT.names]
)


def damped_random_walk(rng, time, tau, sigma):
    value = np.empty_like(time)
    value[:, 0] = sigma * rng.standard_normal(len(time))
    for k in range(1, time.shape[1]):
        decay = np.exp(-(time[:, k] - time[:, k - 1]) / tau)
        noise = sigma * np.sqrt(1 - decay**2) * rng.standard_normal(len(time))
        value[:, k] = decay * value[:, k - 1] + noise
    return value


def light_curves(rng, z):
    """Of one band: columns of MOST epochs, of which the first few of each count."""
    n = len(z)
    out = np.zeros(n, SLOT)
    tau = np.exp(rng.uniform(np.log(30), np.log(600), n)) * (1 + z)
    sigma = np.exp(rng.normal(np.log(0.15), 0.3, n))
    time = np.sort(rng.uniform(58200, 60200, (n, MOST)), axis=1)
    error = rng.uniform(0.01, 0.04, (n, MOST))
    noise = error * rng.standard_normal((n, MOST))
    noise[rng.random((n, MOST)) < 0.005] += 0.5
    mean = rng.uniform(17.5, 20.5, (n, 1))
    out["mjd"], out["magerr"] = time, error
    out["mag"] = mean + damped_random_walk(rng, time, tau, sigma) + noise
    return out


def header(objects, heap_bytes):
    cards = fits.Header([("XTENSION", "BINTABLE"), ("BITPIX", 8), ("NAXIS", 2), ("NAXIS1", ROW.itemsize),
                         ("NAXIS2", objects), ("PCOUNT", heap_bytes), ("GCOUNT", 1),
                         ("TFIELDS", len(ROW.names)), ("EXTNAME", "CURVES")])  # fmt: skip
    letters = {"mjd": ("D", "d"), "mag": ("E", "mag"), "magerr": ("E", "mag")}
    for k, name in enumerate(ROW.names, 1):
        letter, unit = letters.get(name.split("_")[0], ("", ""))
        cards[f"TTYPE{k}"] = name
        cards[f"TFORM{k}"] = f"1Q{letter}({MOST})" if letter else "1K" if name == "source_id" else "1D"
        if unit:
            cards[f"TUNIT{k}"] = unit
    return cards


def make_rows(counts):
    """`counts`: epochs, by object and band."""
    rows = np.zeros(len(counts), ROW)
    rng = np.random.default_rng(3)
    rows["source_id"] = np.arange(len(counts)) + 10**15
    rows["ra"] = rng.uniform(0, 360, len(counts))
    rows["dec"] = np.degrees(np.arcsin(rng.uniform(-0.4, 1, len(counts))))
    rows["z"] = rng.uniform(0.3, 3, len(counts))
    sizes = np.array([SLOT[name].base.itemsize for name in SLOT.names])
    places = counts[:, :, None] * sizes
    ends = np.cumsum(places.ravel()).reshape(places.shape)
    for b, band in enumerate(BANDS):
        for k, name in enumerate(SLOT.names):
            rows[f"{name}_{band}"] = np.stack([counts[:, b], ends[:, b, k] - places[:, b, k]], axis=1)
    return rows, int(ends[-1, -1, -1])


def heap_of(rng, z, counts):
    bands = [light_curves(rng, z) for _ in BANDS]
    parts, kept = [], []
    for b, curves in enumerate(bands):
        there = np.arange(MOST) < counts[:, b, None]
        for name in SLOT.names:
            size = SLOT[name].base.itemsize
            parts.append(np.ascontiguousarray(curves[name]).view(np.uint8).reshape(len(z), -1))
            kept.append(np.repeat(there, size, axis=1))
    return np.hstack(parts)[np.hstack(kept)].tobytes()


def make_table(path, objects, seed=1):
    rng = np.random.default_rng(seed)
    counts = rng.integers(FEWEST, MOST + 1, (objects, len(BANDS)))
    rows, heap_bytes = make_rows(counts)
    with open(path, "wb") as file:
        file.write(fits.PrimaryHDU().header.tostring().encode())
        file.write(header(objects, heap_bytes).tostring().encode())
        rows.tofile(file)
        for first in range(0, objects, PIECE):
            piece = slice(first, first + PIECE)
            file.write(heap_of(rng, rows["z"][piece], counts[piece]))
        file.write(bytes(-(rows.nbytes + heap_bytes) % 2880))


if __name__ == "__main__":
    make_table(sys.argv[1], int(sys.argv[2]))
