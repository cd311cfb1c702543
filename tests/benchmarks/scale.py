"""The whole chain in five bands over ever more simulated quasars: memory, threads, open files, disk space.

    /usr/bin/python3 tests/benchmarks/scale.py BUILD_FOLDER [--sources 20000 200000] [--folder DIR]
        [--chain examples/sdss-gaia-ztf-local.toml]

Cross-match, Gaia's epochs, ZTF's over HTTP, cuts, cleaning band by band, one fit of all bands, all products.
Fails if the last number of sources needs more than 1.2 times the memory of the first, or 500 MB, or another
number of threads. Open files vary by those of connections and chunks. Needs 110 kB of temporary disk space for
each source, and again as much for what the run writes; a finished sky in DIR is used again.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/skysim"))
from server import Server  # noqa: E402

MOST_GROWTH = 1.2
MOST_MEGABYTES = 500
SAMPLED = 0.2  # s


def make_sky(build, folder, sources):
    sky = folder / f"sky-{sources}"
    if not (sky / "whole").exists():
        shutil.rmtree(sky, ignore_errors=True)
        subprocess.run([build / "bin/skysim", "make", sky, "--sources", str(sources)], check=True)
        (sky / "whole").touch()
    return sky


def sample(pid):
    """Threads and open files; nothing of a process that has ended."""
    proc = pathlib.Path(f"/proc/{pid}")
    try:
        status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
        return int(status["Threads"]), len(list((proc / "fd").iterdir()))
    except (OSError, KeyError):
        return 0, 0


def watch(process):
    """Waits. The largest memory (MB), the largest numbers of threads and open files, CPU seconds."""
    threads, files = 0, 0
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid != 0:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage.ru_maxrss / 1024, threads, files, usage.ru_utime + usage.ru_stime
        found = sample(process.pid)
        threads, files = max(threads, found[0]), max(files, found[1])
        time.sleep(SAMPLED)


def run(args, sources):
    sky = make_sky(args.build, args.folder, sources)
    directory = args.folder / "run"
    shutil.rmtree(directory, ignore_errors=True)
    environment = os.environ | {"QSOHOST_PLUGIN_PATH": str(args.build / "lib/qsohost/plugins"), "QSOHOST_SKY": str(sky)}
    begin = time.monotonic()
    with Server(sky, program=args.build / "bin/skysim") as server:
        process = subprocess.Popen(
            [args.build / "bin/qsohost", "--chain", args.chain, "--set", f"ztf.url={server.url}", "--run-dir", directory],
            env=environment, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        memory, threads, files, cpu = watch(process)
    if process.returncode != 0:
        sys.exit(f"qsohost ended with {process.returncode}")
    ledger = (directory / ".qsohost/run.db").stat().st_size / sources
    products = sum(path.stat().st_size for path in directory.glob("*.fits")) / sources
    print(f"{sources:9,} sources: {memory:4.0f} MB at most, {threads} threads, {files} open files, "
          f"{time.monotonic() - begin:.0f} s ({cpu:.0f} s of CPU time), an object: {ledger:.0f} bytes in run.db, "
          f"{products / 1000:.1f} kB of products", flush=True)  # fmt: skip
    shutil.rmtree(directory)
    return memory, threads


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--sources", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("build/scale"))
    parser.add_argument("--chain", type=pathlib.Path, default=ROOT / "examples/sdss-gaia-ztf-local.toml")
    args = parser.parse_args()
    args.build, args.folder = args.build.resolve(), args.folder.resolve()
    args.folder.mkdir(parents=True, exist_ok=True)
    found = [run(args, sources) for sources in args.sources]
    growth = found[-1][0] / found[0][0]
    print(f"memory of the last: {growth:.2f} times that of the first")
    if growth > MOST_GROWTH or found[-1][0] > MOST_MEGABYTES or found[-1][1] != found[0][1]:
        sys.exit("more than it may be")


if __name__ == "__main__":
    main()
