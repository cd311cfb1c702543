"""Shards beside one run, and their merge beside cp, in one run of this script.

    /usr/bin/python3 tests/benchmarks/shards.py BUILD_FOLDER [--objects 40000] [--merged 400000] [--many 1000]
        [--folder DIR]

Light curves of 15 to 30 epochs from a file are fitted: as one run with -j1, and as two shards at once
with -j1 each. Then the products of 8 shards of --merged light curves are merged, beside cp of
the products, with what is written on the disk (sync) at the end for both: as the merge job finds them, just
written, and with what is read out of the page cache. At last those of --many shards of --objects.
All take turns, so that other work on the machine disturbs all alike; what is printed are medians.
The ideal time of two shards is half of the CPU time of one run. Fails below 0.9 of that speed, and below half
the speed of cp for a merge of 8 just written.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TURNS = 5
LEAST_OF_IDEAL = 0.9
LEAST_OF_CP = 0.5

CHAIN = """
[chain]
name = "shards"
[[stage]]
use = "lightcurve-source"
paths = ["{table}"]
"""
FIT = """
[[stage]]
use = "ou-loo"
label = "loo"
groups = ["ztf.g", "ztf.r"]
[[stage]]
use = "fits-sink"
label = "results"
what = "loo"
"""
CLEAN = """
[[stage]]
use = "drop-epochs"
"""
CURVES = """
[[stage]]
use = "fits-sink"
label = "curves"
what = "ztf"
"""


class Bench:
    """Runs of the program. This process stays small: the memory of a child counts from its parent's."""

    def __init__(self, build, folder):
        self.program = build / "bin/qsohost"
        self.folder = folder
        self.environment = os.environ | {"QSOHOST_PLUGIN_PATH": str(build / "lib/qsohost/plugins")}

    def make_chain(self, name, objects, stages):
        table = self.folder / f"{name}.fits"
        subprocess.run([sys.executable, HERE / "short_curves.py", table, str(objects)], check=True)
        (self.folder / name).write_text(CHAIN.format(table=table) + stages)
        return table

    def start(self, *arguments):
        log = open(self.folder / "log", "a")
        return subprocess.Popen([self.program, *map(str, arguments)], cwd=self.folder,
                                env=self.environment, stdout=log, stderr=log)  # fmt: skip

    def wait(self, processes):
        """CPU seconds of them all; the largest memory of one, in kB, is then in self.peak."""
        cpu, self.peak = 0, 0
        for process in processes:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            cpu += usage.ru_utime + usage.ru_stime
            self.peak = max(self.peak, usage.ru_maxrss)
            if process.returncode != 0:
                sys.exit((self.folder / "log").read_text()[-3000:])
        return cpu

    def shard(self, chain, k, count):
        return self.start("--chain", chain, "-j1", "--shard", f"{k}/{count}", "--restart",
                          "--run-dir", f"{chain}.{count}/{k}")  # fmt: skip

    def shards(self, chain, count):
        for k in range(count):
            self.wait([self.shard(chain, k, count)])
        return [f"{chain}.{count}/{k}" for k in range(count)]


def timed(work):
    begin = time.monotonic()
    out = work()
    return time.monotonic() - begin, out


def medians_of_turns(*works):
    """Of each: seconds, and what it returned."""
    found = [[timed(work) for work in works] for _ in range(TURNS)]
    return [tuple(map(statistics.median, zip(*runs))) for runs in zip(*found)]


def forget(folder):
    """Out of the page cache, what is on the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def compare_runs(bench):
    def one():
        return bench.wait([bench.start("--chain", "fit.toml", "-j1", "--restart", "--run-dir", "one.run")])

    def two():
        return bench.wait([bench.shard("fit.toml", k, 2) for k in range(2)])

    (alone, alone_cpu), (both, both_cpu) = medians_of_turns(one, two)
    # The threads of source and sinks work beside the one that fits, so the run's own time is no measure.
    ratio = alone_cpu / both / 2
    print(f"one run {alone:.2f} s ({alone_cpu:.2f} s of CPU time), two shards at once {both:.2f} s ({both_cpu:.2f} s): "
          f"{ratio:.2f} of the ideal speed", flush=True)  # fmt: skip
    return ratio


def compare_merge(bench, chain, count, cached):
    runs = bench.shards(chain, count)
    merged, copy = bench.folder / "merged.run", bench.folder / "copy"
    seconds = {"merge": [], "cp": []}
    for _ in range(TURNS):
        shutil.rmtree(merged, ignore_errors=True)
        subprocess.run(["sync", "-f", bench.folder], check=True)
        if not cached:
            forget(bench.folder / f"{chain}.{count}")
        took, cpu = timed(lambda: bench.wait([bench.start("merge", *runs, "--into", merged)]))
        seconds["merge"].append(took)
        products = sorted(merged.glob("*.fits"))
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        if not cached:
            forget(merged)
        took, _ = timed(lambda: subprocess.run(
            f"cp {' '.join(map(str, products))} {copy} && sync {copy}/*", shell=True, check=True))  # fmt: skip
        seconds["cp"].append(took)
    size = sum(product.stat().st_size for product in products)
    merge, cp = statistics.median(seconds["merge"]), statistics.median(seconds["cp"])
    kind = "just written" if cached else "not in the page cache"
    print(f"merge of {count} shards, {size / 1e6:.0f} MB {kind}: {merge:.2f} s ({cpu:.2f} s of CPU time), "
          f"cp {cp:.2f} s: {cp / merge:.2f} x cp", flush=True)  # fmt: skip
    shutil.rmtree(merged)
    shutil.rmtree(copy)
    return cp / merge


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--objects", type=int, default=40_000)
    parser.add_argument("--merged", type=int, default=400_000)
    parser.add_argument("--many", type=int, default=1000)
    parser.add_argument("--folder", type=pathlib.Path, help="on the disk to measure")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="qsohost-bench-") as name:
        bench = Bench(args.build.resolve(), pathlib.Path(name))
        bench.make_chain("fit.toml", args.objects, FIT)
        speed = compare_runs(bench)
        bench.make_chain("few.toml", args.merged, CURVES)
        merge = compare_merge(bench, "few.toml", 8, cached=True)
        compare_merge(bench, "few.toml", 8, cached=False)
        bench.make_chain("many.toml", args.objects, CURVES)
        compare_merge(bench, "many.toml", args.many, cached=True)
    if speed < LEAST_OF_IDEAL or merge < LEAST_OF_CP:
        sys.exit("too slow")


if __name__ == "__main__":
    main()
