"""Epochs of Gaia from a database on loopback: sources a second, beside psql copying the same join.

    python3 tests/benchmarks/gaia_epoch.py BUILD_FOLDER [SOURCES] [REPEATS]      (default: 20000 3)

Starts a PostgreSQL server of its own; takes some 20 kB of temporary disk space a source, twice. Both
sides send the identifiers to a temporary table first and receive the joined rows in binary form; what
psql receives goes to /dev/null, ours is decoded into batches (a dry run), then also written as the
product. The time of a run without sources is not taken off.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]

CHAIN = """
[chain]
name = "gaia"
[[stage]]
use = "catalog-source"
path = "targets.csv"
[[stage]]
use = "gaia-epoch"
ARCHIVE
[[stage]]
use = "fits-sink"
what = "gaia"
"""


def seconds(command, folder):
    begin = time.monotonic()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    return time.monotonic() - begin


def psql_script(folder, columns):
    script = folder / "join.sql"
    script.write_text(
        "CREATE TEMPORARY TABLE ids (source_id bigint);\n"
        f"\\copy ids FROM '{folder}/ids.txt'\nANALYZE ids;\n"
        f"\\copy (SELECT {', '.join('e.' + c for c in columns)} FROM many e JOIN ids USING (source_id)) "
        "TO '/dev/null' (FORMAT binary)\n")  # fmt: skip
    return script


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    os.environ["QSOHOST"], os.environ["SKYSIM"] = str(build / "bin/qsohost"), str(build / "bin/skysim")
    os.environ["QSOHOST_PLUGIN_PATH"] = str(build / "lib/qsohost/plugins")
    sources = int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    repeats = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    sys.path.insert(0, str(ROOT / "tests/gaia"))
    import support

    if not (support.postgres.programs() and support.postgres.has_q3c()):
        sys.exit("skipped: no PostgreSQL with q3c here")
    with tempfile.TemporaryDirectory() as temporary, support.postgres.Postgres() as server:
        folder = pathlib.Path(temporary)
        support.make_sky(folder / "sky", 400)
        rows = support.epoch_rows(folder / "sky/gaia_epoch.fits")
        subprocess.run([os.environ["SKYSIM"], "load", folder / "sky", "--dsn", server.dsn],
                       check=True, capture_output=True)  # fmt: skip
        times = -(-sources // len(rows))
        support.fill_many(server, times)
        support.tiled(folder / "sky/gaia_epoch.fits", folder / "many.fits", times)
        ids = [source + n * 1_000_003 for n in range(times) for source in rows][:sources]
        support.write_targets(folder / "targets.csv", ids)
        (folder / "ids.txt").write_text("".join(f"{i}\n" for i in ids))
        columns = ["source_id", *support.ARRAYS, *support.FLAGS, "transit_id"]
        psql = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", server.dsn, "-f", psql_script(folder, columns)]

        def qsohost(name, archive, *more):
            (folder / f"{name}.toml").write_text(CHAIN.replace("ARCHIVE", archive))
            return [os.environ["QSOHOST"], "--chain", f"{name}.toml", *more]

        database = f'archive = "wsdb"\ndsn = "{server.dsn}"\ntable = "many"'
        dry = ("--dry-run", str(sources))
        ways = [("psql, to /dev/null", psql)]
        ways += [(f"gaia-epoch, {n} lane{'s' * (n > 1)}", qsohost(f"lanes{n}", f"{database}\nlanes = {n}", *dry)) for n in (1, 2)]
        ways += [("and the product", qsohost("product", database, "--run-dir", "run", "--restart")),
                 ("from files", qsohost("files", f'archive = "files"\npaths = ["{folder}/many.fits"]', *dry))]  # fmt: skip
        best = {}
        for _ in range(repeats):
            for name, command in ways:
                best[name] = min(best.get(name, 1e9), seconds(command, folder))
        print(f"{sources} sources, best of {repeats}\n{'':24} {'s':>7} {'sources/s':>10} {'x psql':>7}")
        for name, _ in ways:
            print(f"{name:24} {best[name]:7.2f} {sources / best[name]:10,.0f} {best[name] / best['psql, to /dev/null']:7.2f}")


if __name__ == "__main__":
    main()
