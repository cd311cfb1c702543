"""A million short light curves through shards: time, memory and disk space per object.

    /usr/bin/python3 tests/benchmarks/many_objects.py BUILD_FOLDER [--objects 1000000] [--shards 8] [--folder DIR]

Two shards run at a time, with -j1 each; then they are merged. Needs 5 kB of temporary disk space per object.
The CPU time of a stage is the difference between chains with and without it, on 20,000 of the objects; that
of sinks includes the product of the run.
"""

import argparse
import pathlib
import tempfile

from shards import CLEAN, CURVES, FIT, Bench, timed

AT_ONCE = 2
FOR_STAGES = 20_000  # objects


def stage_entries(text):
    return ["[[stage]]" + entry for entry in text.split("[[stage]]")[1:]]


def name_of(entry):
    lines = dict(line.split(" = ", 1) for line in entry.splitlines() if " = " in line)
    return lines.get("label", lines["use"]).strip('"')


def print_stages(bench, objects):
    """CPU time of each stage: of the first k stages, less that of the first k - 1."""
    text = (bench.folder / "chain.toml").read_text()
    head, entries = text[: text.index("[[stage]]")], stage_entries(text)
    before, begin = None, None
    for k in range(1, len(entries) + 1):
        (bench.folder / "first.toml").write_text(head + "".join(entries[:k]))
        run = ["--chain", "first.toml", "-j1", "--restart", "--run-dir", "first.run"]
        if before is None:
            begin = bench.wait([bench.start(*run, "--limit", 1)])
            before = begin
        cpu = bench.wait([bench.start(*run, "--limit", objects)])
        print(f"  {name_of(entries[k - 1]):20s} {1e6 * (cpu - before) / objects:7.1f} us of CPU time", flush=True)
        before = cpu
    print(f"  all {1e6 * (before - begin) / objects:.1f} us, besides {begin:.2f} s a run")


def size_of(paths):
    return sum(path.stat().st_size for path in paths)


def run_shards(bench, objects, count):
    seconds, cpu, peak = 0.0, 0.0, 0
    for first in range(0, count, AT_ONCE):
        some = [bench.shard("chain.toml", k, count) for k in range(first, min(first + AT_ONCE, count))]
        took, used = timed(lambda: bench.wait(some))
        seconds, cpu, peak = seconds + took, cpu + used, max(peak, bench.peak)
    print(f"{objects:,} objects in {count} shards: {seconds:.0f} s, {cpu:.0f} s of CPU time "
          f"({objects / cpu:,.0f} objects per second of it); peak memory {peak / 1024:.0f} MB")  # fmt: skip
    return [bench.folder / f"chain.toml.{count}" / str(k) for k in range(count)]


def print_space(folders, objects):
    products = [path for folder in folders for path in folder.glob("*.fits")]
    chunks = [path for folder in folders for path in folder.glob(".qsohost/chunks/*/*")]
    ledgers = [folder / ".qsohost/run.db" for folder in folders]
    for name in sorted({path.name for path in products}):
        size = size_of(path for path in products if path.name == name)
        print(f"  {name:28s} {size / objects:7.1f} bytes an object")
    print(f"  {'chunks':28s} {size_of(chunks) / objects:7.1f} bytes an object, {len(chunks):,} files")
    print(f"  {'run.db':28s} {size_of(ledgers) / objects:7.1f} bytes an object")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--folder", type=pathlib.Path, help="on the disk to measure")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="qsohost-bench-") as name:
        bench = Bench(args.build.resolve(), pathlib.Path(name))
        table = bench.make_chain("chain.toml", args.objects, FIT + CLEAN + CURVES)
        print(f"input {table.stat().st_size / args.objects:.0f} bytes an object")
        print_stages(bench, min(FOR_STAGES, args.objects))
        folders = run_shards(bench, args.objects, args.shards)
        print_space(folders, args.objects)
        seconds, cpu = timed(lambda: bench.wait([bench.start("merge", *folders, "--into", "all")]))
        print(f"merge {seconds:.1f} s, {cpu:.1f} s of CPU time, peak memory {bench.peak / 1024:.0f} MB, "
              f"{size_of((bench.folder / 'all').glob('*.fits')) / 1e9:.2f} GB")  # fmt: skip


if __name__ == "__main__":
    main()
