"""Help for tests of stages in Python: scripts in a folder, chains that use them, the command."""

import os
import subprocess
import textwrap
from pathlib import Path

import numpy as np

import qsohost

COMMAND = os.environ.get("QSOHOST", str(Path(qsohost.__file__).parents[2] / "bin" / "qsohost"))

# Ten objects with light curves of 20 epochs around mag 19 to 19.9.
SOURCE = """
import numpy as np
import qsohost

class Made(qsohost.Source):
    '''Objects with light curves.'''
    count = qsohost.Option(10, help="objects", min=1)
    adds = [qsohost.Out("source_id", int), qsohost.Out("name", str), qsohost.Out("z", unit="", help="redshift"),
            qsohost.LightCurves("mine.g")]

    def open(self):
        self.next = 0

    def read(self, size):
        ids = np.arange(self.next, min(self.next + size, self.count))
        self.next += len(ids)
        if len(ids) == 0:
            return None
        curves = [{"mjd": 58000 + np.arange(20.0), "mag": 19 + 0.1 * i + np.sin(np.arange(20)),
                   "mag_err": np.full(20, 0.1)} for i in ids]
        return {"source_id": ids, "name": [f"made {i}" for i in ids], "z": np.full(len(ids), 1.0), "mine.g": curves}
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(textwrap.dedent(text).lstrip("\n"))
    return path


def chain_text(stages: str, plugins=("source.py", "my.py"), batch_rows: int = 4) -> str:
    listed = ", ".join(f'"{name}"' for name in plugins)
    head = f'[chain]\nname = "made"\nbatch_rows = {batch_rows}\nplugins = [{listed}]\n[[stage]]\nuse = "made"\n'
    return head + textwrap.dedent(stages)


def chain(folder: Path, script: str, stages: str, **more) -> qsohost.Chain:
    """A chain of the source above and of stages of `script`."""
    write(folder, "source.py", SOURCE)
    write(folder, "my.py", "import numpy as np\nimport qsohost\n" + textwrap.dedent(script))
    write(folder, "chain.toml", chain_text(stages, **more))
    return qsohost.Chain(folder / "chain.toml")


def batches(chain: qsohost.Chain) -> list:
    with chain.stream(size=4) as stream:
        return list(stream)


def column(found: list, name: str) -> np.ndarray:
    return np.concatenate([batch[name] for batch in found])


def command(folder: Path, *words, **environment) -> subprocess.CompletedProcess:
    return subprocess.run([COMMAND, *map(str, words)], cwd=folder, text=True, capture_output=True, timeout=120,
                          env=os.environ | {"PYTHONPATH": ""} | environment)


FIT = """
[[stage]]
use = "my-fit"
label = "fit"
groups = ["mine.g"]
"""
RESULTS = """
[[stage]]
use = "fits-sink"
label = "results"
what = "fit"
"""
