"""Torture: the whole chain, from catalogues to fits, under faults of every kind.

The examples' chains run on a simulated sky, whose archives and database are on this machine. Each fault
meets a run directory of its own; then the run is resumed. At the end its products must be those of an
undisturbed run, byte for byte, and its ledger must account for the same objects and epochs. Exit code 1
if anything is lost, or a fault could not be inflicted.
"""

import argparse
import contextlib
import pathlib
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass

import bench
import checks
import kills
import postgres
import servers
import storage
import surroundings
from proxy import Proxy

HTTP_FAULTS = ("400", "429", "500", "503", "reset", "cut", "empty", "status", "drip", "garbage",
               "cut-at-line")  # fmt: skip


@dataclass(frozen=True)
class Fault:
    name: str
    inflict: Callable  # (Run, Random): how often it was inflicted
    chain: str = "local"
    is_short: bool = False  # also in the short form
    is_kill: bool = False  # as often as --kills says
    finish: Callable = bench.Run.finish


def merged(run):
    checks.compare(run.chain.undisturbed, run.folder)


FAULTS = (
    Fault("kill -9 at a random instant", kills.kill_at_instants, is_short=True, is_kill=True),
    Fault("kill -9 at a change of a file", kills.kill_at_calls, is_short=True, is_kill=True),
    Fault("kill -9 inside a sink's write", kills.kill_in_sinks),
    Fault("kill -9 inside a commit", kills.kill_in_commits),
    Fault("kill -9 while products are published", kills.kill_in_publishing, is_short=True),
    Fault("kill -9 inside merge", kills.kill_in_merge, finish=merged),
    Fault("kill -9, database", kills.kill_at_instants, "database"),
    Fault("kill -9, public archives", kills.kill_at_instants, "public"),
    Fault("SIGINT, once and twice", kills.interrupt(signal.SIGINT), is_short=True),
    Fault("SIGTERM, once and twice", kills.interrupt(signal.SIGTERM), is_short=True),
    Fault("SIGSTOP and SIGCONT", kills.stop_and_continue, is_short=True),
    Fault("SIGSTOP and SIGCONT, database", kills.stop_and_continue, "database"),
    Fault("database stopped and started", servers.database_dies(signal.SIGINT), "database"),
    Fault("database killed and started", servers.database_dies(signal.SIGKILL), "database"),
    Fault("backends killed", servers.killed_backends, "database"),
    *(Fault(f"answers: {name}", servers.faulty_answers(name), "public") for name in HTTP_FAULTS),
    Fault("answers: all faults, and kill -9", servers.faulty_answers_and_kills, is_short=True),
    Fault("archive killed and started", servers.archive_dies, is_short=True),
    Fault("disk full from some call on", storage.no_space_from_a_call_on("full", "space", "full"),
          is_short=True),  # fmt: skip
    Fault("disk full, a small tmpfs", storage.full_disk),
    Fault("quota: blocks, from some call on", storage.no_space_from_a_call_on("quota", "quota")),
    Fault("quota: size of files", storage.file_size_limit, is_short=True),
    Fault("run directory read-only", storage.read_only, is_short=True),
    Fault("file descriptors used up", surroundings.few_files, is_short=True),
    Fault("memory limit", surroundings.little_memory),
    Fault("clock set back", surroundings.clock_set_back),
    Fault("run directory moved", surroundings.moved, is_short=True),
    Fault("run directory copied", surroundings.copied),
    Fault("inputs swapped", surroundings.inputs_swapped, is_short=True),
)


@dataclass
class Row:
    injected: int = 0
    recovered: int = 0
    lost: int = 0
    seconds: float = 0
    said: str = ""


class Torture:
    def __init__(self, args, folder, clean_up):
        self.args, self.folder, self.clean_up = args, folder, clean_up
        self.sky = bench.make_sky(folder / "sky", args.sources, args.seed)
        self.other_sky = bench.make_sky(folder / "other-sky", args.sources, args.seed + 1)
        self.archive = bench.Archive(self.sky)
        clean_up.callback(self.archive.stop)
        self.archive.start()
        self.chains = {}
        self.batch_rows = max(2, args.sources // 12)

    def chain(self, name):
        if name not in self.chains:
            self.chains[name] = getattr(self, name)()
        return self.chains[name]

    def make_chain(self, name, file, settings, **env):
        settings = {"chain.batch_rows": self.batch_rows} | settings
        chain = bench.Chain(self.folder / name, file, settings, env)
        chain.sky, chain.other_sky, chain.archive = self.sky, self.other_sky, self.archive
        return chain

    def local(self):
        settings = {"chain.name": "local", "ztf.url": self.archive.url}
        return self.make_chain("local", "sdss-gaia-ztf-local.toml", settings, QSOHOST_SKY=str(self.sky))

    def public(self):
        url = self.archive.url
        settings = {"crossmatch.url": f"{url}/xmatch/api/v1/sync", "gaia.url": f"{url}/aip/tap",
                    "ztf.url": url, "neowise.url": f"{url}/TAP"}  # fmt: skip
        settings |= {f"{stage}.confirm_after": "0.2" for stage in ("gaia", "ztf", "neowise")}
        catalogue = str(self.sky / "sdss_dr16q.fits")
        return self.make_chain("public", "public.toml", settings, QSOHOST_QUASARS=catalogue)

    def database(self):
        if not (postgres.programs() and postgres.has_q3c()):
            raise bench.Skip("no PostgreSQL with q3c here")
        server = self.clean_up.enter_context(postgres.Postgres())
        bench.load_sky(self.sky, server.dsn)
        proxy = Proxy(server.port)
        self.clean_up.callback(proxy.close)
        dsn = server.dsn.replace(f"port={server.port}", f"port={proxy.port}")
        settings = {"crossmatch.dsn": dsn, "gaia.dsn": dsn, "ztf.url": self.archive.url,
                    "ztf.confirm_after": "0.2"}  # fmt: skip
        chain = self.make_chain("database", "sdss-gaia-ztf.toml", settings)
        chain.server, chain.proxy = server, proxy
        proxy.left = most = 1 << 40
        assert chain.undisturbed
        chain.received, proxy.left = most - proxy.left, None
        return chain

    def inflict(self, fault, rng, row):
        """On new runs, until it came as often as wanted."""
        wanted = self.args.kills if fault.is_kill else 1
        chain = self.chain(fault.chain)
        for _ in range(5 + wanted):
            if row.injected >= wanted:
                return
            run = chain.new_run()
            try:
                times = int(fault.inflict(run, rng))
                row.injected += times
                fault.finish(run)
                row.recovered += times
            finally:
                run.remove()
        assert row.injected >= wanted, f"inflicted {row.injected} times, not {wanted}"

    def one(self, fault, round_number):
        row, begin = Row(), time.monotonic()
        rng = random.Random(f"{self.args.seed} {round_number} {fault.name}")
        try:
            self.inflict(fault, rng, row)
        except bench.Skip as skip:
            row.said = f"skipped: {skip}"
        except checks.Lost as lost:
            row.said, row.lost = f"FAILED: products {lost}", lost.epochs
        except AssertionError as error:
            row.said = f"FAILED: {error}"
        row.seconds = time.monotonic() - begin
        return row


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randint(1, 99999),
                        help="of the sky and of all instants [random, printed]")  # fmt: skip
    parser.add_argument("--sources", type=int, help="quasars in the sky [150; 24 with --short]")
    parser.add_argument("--kills", type=int, help="of each kind of random kill [50; 4 with --short]")
    parser.add_argument("--minutes", type=float, default=0,
                        help="begin another round of all faults until then")  # fmt: skip
    parser.add_argument("--short", action="store_true", help="a smaller sky, fewer faults, no database")
    parser.add_argument("--only", default="", metavar="REGEX", help="faults whose names match this")
    parser.add_argument("--list", action="store_true", help="print the faults, do nothing")
    args = parser.parse_args()
    args.kills = args.kills or (4 if args.short else 50)
    args.sources = args.sources or (24 if args.short else 150)
    return args


def main():
    args = parse()
    faults = [f for f in FAULTS if re.search(args.only, f.name) and (f.is_short or not args.short)]
    if args.list:
        print("\n".join(f.name for f in faults))
        return 0
    print(f"torture.sh: seed {args.seed}", flush=True)
    print(f"{'fault':40} {'chain':9} {'injected':>8} {'recovered':>9} {'epochs lost':>11} {'s':>5}",
          flush=True)  # fmt: skip
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # servers are stopped first
    end, failed, total = time.monotonic() + 60 * args.minutes, 0, 0
    folder = pathlib.Path(tempfile.mkdtemp(prefix="qsohost-torture-"))
    with contextlib.ExitStack() as clean_up:
        clean_up.callback(shutil.rmtree, folder, True)
        torture = Torture(args, folder, clean_up)
        for round_number in range(1 << 30):
            for fault in faults:
                row = torture.one(fault, round_number)
                print(f"{fault.name:40} {fault.chain:9} {row.injected:8} {row.recovered:9} "
                      f"{row.lost:11} {row.seconds:5.0f}  {row.said}", flush=True)  # fmt: skip
                failed += row.said.startswith("FAILED")
                total += row.injected
            if time.monotonic() >= end:
                break
    print(f"{total} faults, {failed} not recovered from; seed {args.seed}")
    return 1 if failed or not total else 0


if __name__ == "__main__":
    sys.exit(main())
