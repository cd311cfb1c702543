"""A folder in which runs are done: what is in it before and after a step, and the program."""

import dataclasses
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import time

import fits_table
import world
from installation import with_storage
from ledger import HOST

SINKS = ("raw", "A", "B")
TEMPORARY = re.compile(r"\.[^/]+\.fits\.[0-9a-f]+\.part[-a-z.]*$")


@dataclasses.dataclass
class Run:
    """What is known about a run directory from outside."""

    name: str
    args: tuple = ()  # --skip and --limit
    rows: list = None  # of the catalogue when the run began
    inputs: set = dataclasses.field(default_factory=set)  # texts of it that the run goes on with
    maybe_inputs: set = dataclasses.field(default_factory=set)  # after a broken-off accepting
    is_pure: bool = True  # it never accepted another one
    made: dict = dataclasses.field(default_factory=dict)  # (ordinal, attempt): known of these objects
    known: dict = dataclasses.field(default_factory=dict)  # source_id: (answer, version), as committed
    own: dict = dataclasses.field(default_factory=dict)  # product: bytes, as this run wrote them
    is_begun: bool = False
    is_finished: bool = False
    is_unsettled: bool = False
    is_moved: bool = False  # copied or moved: whether an absolute product is its own is not certain

    def forget(self):
        """A new ledger."""
        self.rows, self.is_pure = None, True
        self.inputs, self.maybe_inputs, self.made, self.known = set(), set(), {}, {}

    def number(self, option, otherwise):
        return int(self.args[self.args.index(option) + 1]) if option in self.args else otherwise

    def range(self, rows):
        skip = self.number("--skip", 0)
        return rows[skip : skip + self.number("--limit", len(rows))]


class Box:
    def __init__(self, folder, program):
        self.folder = pathlib.Path(folder)
        self.program = program
        self.scratch = self.folder.parent / (self.folder.name + "-scratch")
        self.scratch.mkdir(parents=True, exist_ok=True)
        self.users = {}  # files of the user's own
        self.steps = []  # to replay by hand

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def path(self, relative):
        return self.folder / relative

    def put(self, relative, content):
        """A file of the user's."""
        self.path(relative).parent.mkdir(parents=True, exist_ok=True)
        self.path(relative).write_bytes(content)
        self.users[str(relative)] = content

    def product_paths(self, run, raw_path):
        """By sink, from the box."""
        name = {"A": "c_catalog.fits", "B": "c_ztf_lc.fits", "raw": str(raw_path).replace("{name}", "c")}
        return {sink: os.path.relpath(self.folder / run.name / name[sink], self.folder) for sink in SINKS}

    def snapshot(self):
        """(content by path, None for folders; size and time of what is in folders of the host's)."""
        files, host = {}, {}

        def walk(folder, inside):
            for entry in os.scandir(folder):
                path = entry.path[len(str(self.folder)) + 1 :]
                is_folder = entry.is_dir(follow_symlinks=False)
                if inside or entry.name == HOST:
                    stat = entry.stat(follow_symlinks=False)
                    host[path] = None if is_folder else (stat.st_size, stat.st_mtime_ns)
                elif is_folder:
                    files[path] = None
                else:
                    with open(entry.path, "rb") as file:
                        files[path] = file.read()
                if is_folder:
                    walk(entry.path, inside or entry.name == HOST)

        walk(self.folder, False)
        return files, host

    def qsohost(self, args, fault=None):
        """(exit code, what it said). fault: (what, number): see storage_shim.cpp; also "timer" and
        "interrupt", in seconds."""
        env = {k: v for k, v in os.environ.items() if k != "QSOHOST_PLUGIN_PATH"}
        words = [str(a) for a in args]
        prefix = ""
        if fault and fault[0] in ("kill", "fail", "full"):
            env = with_storage(env, f"{fault[0]} {fault[1]}")
            prefix = f"LD_PRELOAD=SHIM QSOHOST_STORAGE='{fault[0]} {fault[1]}' "
        elif fault:
            prefix = f"# {fault[0]} after {fault[1]:.4f} s\n    "
        self.steps.append(prefix + "qsohost " + shlex.join(words))
        process = subprocess.Popen(
            [self.program, *words], cwd=self.folder, env=env, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if fault and fault[0] in ("timer", "interrupt"):
            time.sleep(fault[1])
            process.send_signal(9 if fault[0] == "timer" else 2)
        said, _ = process.communicate(timeout=600)
        self.steps[-1] += f"   # -> {process.returncode}"
        return process.returncode, said


def expected_tables(run, ids):
    """Values of each sink's columns, for the objects in the order given."""
    raw, kept = {"source_id": []}, {"source_id": [], "z": []}
    for name in ("mjd_g", "mag_g", "mjd_r", "mag_r"):
        raw[name], kept[name] = [], []
    for source_id in ids:
        answer, version = run.known[source_id]
        bands = world.epochs(source_id, answer)
        is_kept = bool(bands["g"])
        for table in (raw, kept) if is_kept else (raw,):
            table["source_id"].append(source_id)
            for band, values in bands.items():
                table[f"mjd_{band}"].append(tuple(v[0] for v in values))
                table[f"mag_{band}"].append(tuple(v[1] for v in values))
        if is_kept:
            kept["z"].append(source_id + version / 8)
    return {"raw": raw, "A": {k: kept[k] for k in ("source_id", "z")},
            "B": {k: v for k, v in kept.items() if k != "z"}}  # fmt: skip


def check_tables(run, paths, ids=None):
    """The products against what is known; ids: in the order of the rows, or None for any."""
    tables = {sink: fits_table.read(path) for sink, path in paths.items()}
    order = tables["raw"].columns["source_id"]
    assert len(set(order)) == len(order), f"an object is there twice: {order}"
    if ids is None:
        assert set(order) == set(run.known), f"objects {sorted(set(order) ^ set(run.known))}"
    else:
        assert order == ids, f"objects {order}, not {ids}"
    for sink, columns in expected_tables(run, order).items():
        for name, values in columns.items():
            found = tables[sink].columns[name]
            assert found == values, f"{sink}.{name} of {run.name}:\n{found}, not\n{values}"
