"""The built program with a few plugins only: to load all of them takes longer than a small run."""

import os
import pathlib
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from chains import preloaded  # noqa: E402

BUILD = pathlib.Path(os.environ.get("QSOHOST", ROOT / "build/bin/qsohost")).parents[1]
SHIM = os.environ.get("QSOHOST_STORAGE_SHIM", str(ROOT / "build/tests/shims/storage_shim.so"))
PLUGINS = ("catalog-source", "ztf", "require", "fits-sink")


def with_storage(env, storage):
    """The environment in which the program has this storage; see storage_shim.cpp."""
    return preloaded(env, SHIM) | {"QSOHOST_STORAGE": storage}


def small_installation(folder, plugins=PLUGINS):
    """Gives the program. It looks for its plugins beside itself, so a link would not do."""
    (folder / "bin").mkdir(parents=True)
    (folder / "lib/qsohost/plugins").mkdir(parents=True)
    shutil.copy(BUILD / "bin/qsohost", folder / "bin")
    for library in (BUILD / "lib").glob("libqsohost*.so.*"):
        (folder / "lib" / library.name).symlink_to(library)
    for name in plugins:
        shutil.copy(BUILD / f"lib/qsohost/plugins/{name}.so", folder / "lib/qsohost/plugins")
    return folder / "bin/qsohost"
