"""The notebook of the examples, executed from top to bottom on a small simulated sky."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

NOTEBOOK = pathlib.Path(__file__).parents[3] / "examples/quasars.ipynb"


def test_the_notebook_runs(tmp_path):
    pytest.importorskip("nbconvert")
    pytest.importorskip("ipykernel")
    skysim = os.environ.get("SKYSIM") or pytest.skip("SKYSIM does not say where skysim is")
    subprocess.run([skysim, "make", tmp_path / "sky", "--sources", "40"], check=True, capture_output=True)
    shutil.copy(NOTEBOOK, tmp_path)
    convert = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--output", "done.ipynb"]
    environment = os.environ | {"QSOHOST_SKY": str(tmp_path / "sky"), "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    done = subprocess.run([*convert, NOTEBOOK.name], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    cells = [c for c in json.loads((tmp_path / "done.ipynb").read_text())["cells"] if c["cell_type"] == "code"]
    data = [o.get("data", {}) for c in cells for o in c["outputs"]]
    shown = "\n".join("".join(d.get("text/plain", [])) for d in data)
    assert "finished" in shown
    assert "ou-fit - dho" in shown
    assert "excess" in shown
    assert sum("image/png" in d for d in data) == 2
