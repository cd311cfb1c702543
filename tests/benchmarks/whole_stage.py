"""Reading, fitting, cleaning and writing the light curves of thousands of quasars: time and memory.

    python3 tests/benchmarks/whole_stage.py BUILD_FOLDER [QUASARS...]     (default: 1000 4000 8529)

Needs about 0.5 GB of temporary disk space. Prints for each number of quasars the wall and CPU time
of the run and the largest resident memory; the last two lines of numbers should be in proportion.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

CHAIN = """
[chain]
name = "whole-stage"
[[stage]]
use = "catalog-source"
path = "targets.csv"
[[stage]]
use = "ztf-files"
path = "irsa/{source_id}.csv"
[[stage]]
use = "ou-loo"
label = "loo"
groups = ["ztf.g", "ztf.r"]
OPTIONS
[[stage]]
use = "fits-sink"
label = "results"
what = "loo"
[[stage]]
use = "drop-epochs"
[[stage]]
use = "fits-sink"
label = "cleaned"
what = "ztf"
"""


def run(build, folder, quasars, options):
    chain = folder / "chain.toml"
    chain.write_text(CHAIN.replace("OPTIONS", options))
    arguments = [build / "bin/qsohost", "--chain", chain, "--run-dir", folder / "run", "--restart"]
    arguments += ["--limit", str(quasars)]
    environment = os.environ | {"QSOHOST_PLUGIN_PATH": str(build / "lib/qsohost/plugins")}
    with open(folder / "report.txt", "w") as report:
        begin = time.monotonic()
        process = subprocess.Popen(arguments, env=environment, stdout=report, stderr=report)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begin
    if status != 0:
        sys.exit((folder / "report.txt").read_text())
    cpu = usage.ru_utime + usage.ru_stime
    print(f"{quasars:6d} {wall:8.2f} {cpu:8.2f} {usage.ru_maxrss / 1024:8.0f}", flush=True)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    sizes = [int(n) for n in sys.argv[2:]] or [1000, 4000, 8529]
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        subprocess.run([build / "bin/ou_sample", folder, str(max(sizes))], check=True)
        for options in ("", 'rule = "predictive"'):
            print(f"\n{options or 'rule = influence'}\nquasars   wall/s    cpu/s   mem/MB")
            for n in sizes:
                run(build, folder, n, options)
            print((folder / "report.txt").read_text())


if __name__ == "__main__":
    main()
