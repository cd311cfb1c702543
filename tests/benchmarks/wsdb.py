#!/usr/bin/python3
"""wsdb-crossmatch beside psql, in one run: all columns of SDSS DR16Q and Gaia DR3 for 100,000 pairs.

    tests/benchmarks/wsdb.py [--sources 118000] [--rounds 3] [--build build]

Starts a PostgreSQL with q3c of its own, fills it with a simulated sky, and takes turns: psql copies
the plugin's own query in binary to /dev/null; a chain of wsdb-crossmatch alone; the same chain with
the catalogue as a product on disk. Each time is the best of the rounds.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
import postgres  # noqa: E402

CHAIN = """
[chain]
name = "bench"
[[stage]]
use = "wsdb-crossmatch"
label = "match"
dsn = "{dsn}"
where = "is_qso_final = 1"
[[stage]]
"""
ENDS = {
    "chain": 'use = "require"\ncolumns = ["source_id"]\n',
    "product": 'use = "fits-sink"\nwhat = "catalog"\n',
}
SETTINGS = ("enable_hashjoin", "enable_mergejoin", "jit")  # as the plugin has them


def plugins_query(qsohost, folder):
    """The plugin leaves its query beside the rows while a run is not done."""
    process = subprocess.Popen(
        [qsohost, "--chain", folder / "chain.toml", "--run-dir", folder / "query"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    plan = folder / "query/.qsohost/received/match.plan"
    while not plan.exists():
        assert process.poll() is None, "the chain does not run"
        time.sleep(0.01)
    text = plan.read_text()
    process.wait()
    return json.loads(text[text.index("\n{") :])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", type=int, default=118000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    options = parser.parse_args()
    qsohost, skysim = options.build / "bin/qsohost", options.build / "bin/skysim"
    if not (postgres.programs() and postgres.has_q3c()):
        sys.exit("skipped: no PostgreSQL with q3c here")
    with tempfile.TemporaryDirectory() as name, postgres.Postgres() as server:
        folder = pathlib.Path(name)
        sky = folder / "sky"
        subprocess.run([skysim, "make", sky, "--sources", str(options.sources), "--catalog-only",
                        "--stars", str(options.sources)], check=True)  # fmt: skip
        subprocess.run([skysim, "load", sky, "--dsn", server.dsn], check=True)
        for end, stage in ENDS.items():
            (folder / f"{end}.toml").write_text(CHAIN.format(dsn=server.dsn) + stage)
        plan = plugins_query(qsohost, folder)
        script = "BEGIN;" + "".join(f"SET LOCAL {s} = off;" for s in SETTINGS)
        (folder / "copy.sql").write_text(f"{script}COPY ({plan['query']}) TO STDOUT (FORMAT binary);")

        def psql():
            with open("/dev/null", "wb") as nowhere:
                subprocess.run(["psql", "-qX", server.dsn, "-f", folder / "copy.sql"],
                               stdout=nowhere, check=True)  # fmt: skip

        def chain(end):
            subprocess.run([qsohost, "--chain", folder / f"{end}.toml", "--run-dir", folder / end,
                            "--restart"], check=True, capture_output=True)  # fmt: skip

        best = {}
        for _ in range(options.rounds):
            for what, run in (("psql", psql), ("chain", lambda: chain("chain")),
                              ("product", lambda: chain("product"))):  # fmt: skip
                begin = time.monotonic()
                run()
                best[what] = min(best.get(what, 1e9), time.monotonic() - begin)
        print(f"{len(plan['columns'])} columns")
        for what, seconds in best.items():
            print(f"{what:8} {seconds:6.2f} s  {seconds / best['psql']:.2f} of psql")


if __name__ == "__main__":
    main()
