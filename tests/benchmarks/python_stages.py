"""Stages in Python: what a fitter costs besides its numpy.

    PYTHONPATH=build/python python3 tests/benchmarks/python_stages.py [OBJECTS]     (default: 8529)

Two bands of 120 epochs each. Prints microseconds of CPU time for an object and band: of the whole stage
(a run with it, less one without), of the script's own code, and the difference, for a fitter of whole
batches and one of single light curves; medians of five runs.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import qsohost

SCRIPT = """
import time
import numpy as np
import qsohost
qsohost.own_seconds = 0.0

class ByBatch(qsohost.Fitter):
    adds = [qsohost.Out("mean"), qsohost.Out("sd")]
    def fit_batch(self, batch, group):
        begin = time.thread_time()
        first = group.offsets[:-1].astype(np.intp)
        n = np.diff(group.offsets)
        mean = np.add.reduceat(group.mag, first, dtype=float) / n
        square = np.add.reduceat(np.square(group.mag, dtype=float), first) / n
        results = mean, np.sqrt(np.maximum(square - mean**2, 0))
        qsohost.own_seconds += time.thread_time() - begin
        return results

class ByCurve(qsohost.Fitter):
    adds = [qsohost.Out("mean"), qsohost.Out("sd")]
    def fit(self, curve):
        begin = time.thread_time()
        results = curve.mag.mean(), curve.mag.std()
        qsohost.own_seconds += time.thread_time() - begin
        return results
"""
CHAIN = """
[chain]
name = "bench"
[[stage]]
use = "arrays"
[[stage]]
use = "{}"
label = "fit"
groups = ["ztf.g", "ztf.r"]
"""


def source(objects, epochs=120):
    rng = np.random.default_rng(1)
    mjd = np.sort(rng.uniform(58000, 60000, epochs))
    error = np.full(epochs, 0.02, np.float32)

    def curves():
        return [(mjd, rng.normal(19, 0.2, epochs).astype(np.float32), error) for _ in range(objects)]

    ids = np.arange(objects)
    return qsohost.from_arrays({"ztf.g": curves(), "ztf.r": curves()}, source_id=ids, ra=ids * 0.01, dec=ids * 0.0,
                               z=np.ones(objects))  # fmt: skip


def cpu_seconds(chain):
    loaded = chain._load([])
    begin = time.process_time()
    qsohost._core.run(loaded, {"dry_run": True, "command": ""}, None, None)
    return time.process_time() - begin


def measure(stage, arrays, objects, folder):
    """Microseconds an object and band: of the stage, of the script."""
    chain = qsohost.Chain(CHAIN.format(stage), arrays, plugins=[folder / "bench.py"])
    without = qsohost.Chain(CHAIN.partition('[[stage]]\nuse = "{}"')[0], arrays)
    qsohost.own_seconds = 0.0
    whole = cpu_seconds(chain) - cpu_seconds(without)
    return whole * 1e6 / objects / 2, qsohost.own_seconds * 1e6 / objects / 2


def main():
    objects = int(sys.argv[1]) if len(sys.argv) > 1 else 8529
    arrays = source(objects)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bench.py").write_text(SCRIPT)
        for stage in ("by-batch", "by-curve"):
            runs = np.array([measure(stage, arrays, objects, folder) for _ in range(5)])
            whole, own = np.median(runs, axis=0)
            print(f"{stage}: stage {whole:.2f}, script {own:.2f}, besides {np.median(runs[:, 0] - runs[:, 1]):.2f} us")


if __name__ == "__main__":
    main()
