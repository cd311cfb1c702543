"""Programs that are killed, interrupted and stopped."""

import signal
import time

import checks
from bench import DONE, INTERRUPTED, QSOHOST, Run
from installation import with_storage

SHARDS = 3


def kill_at_instants(run, rng):
    """Later and later, so that every part of a run is hit."""
    kills = 0
    for attempt in range(6):
        process = run.start()
        run.send(process, signal.SIGKILL, rng.uniform(0.02, 0.3 + 0.15 * attempt) * run.chain.seconds)
        kills += run.expect(process, {DONE, -signal.SIGKILL}) != DONE
    return kills


def kill_at_calls(run, rng):
    """In place of a call that changes a file: in chunks, commits, products, wherever."""
    kills = 0
    for part in (1, 1, 0.5, 0.5):
        at = rng.randint(1, int(run.chain.storage_calls * part))
        kills += run.expect(run.start(storage=f"kill {at}"), {DONE, -signal.SIGKILL}) != DONE
    return kills


def kill_in_sinks(run, rng):
    """A chunk is written, and has no name yet."""
    kills = 0
    for _ in range(3):
        process = run.start(storage=f"kill {rng.randint(1, 40)} rename chunks/")
        kills += run.expect(process, {DONE, -signal.SIGKILL}) != DONE
    return kills


def kill_in_commits(run, rng):
    """The ledger is written, or about to be synced."""
    kills = 0
    for call in ("write", "sync", "write"):
        process = run.start(storage=f"kill {rng.randint(1, 60)} {call} run.db")
        kills += run.expect(process, {DONE, -signal.SIGKILL}) != DONE
    return kills


def kill_in_publishing(run, rng):
    """Some products have their names, some do not."""
    products = len(checks.files(run.chain.undisturbed))
    kills = 0
    for at in sorted(rng.sample(range(1, products), 3), reverse=True):
        process = run.start(storage=f"kill {at} rename {run.folder.name}/{run.chain.name}_")
        kills += run.expect(process, {DONE, -signal.SIGKILL}) != DONE
    return kills


def kill_in_merge(run, rng):
    """Of shards, which were killed as well."""
    shards = []
    for k in range(SHARDS):
        shard = Run(run.chain, f"{run.folder.name}-shard{k}", False)
        run.clean_up.callback(shard.remove)
        part = ["--shard", f"{k}/{SHARDS}"]
        at = rng.randint(1, run.chain.storage_calls // SHARDS)
        shard.expect(shard.start(*part, storage=f"kill {at}"), {DONE, -signal.SIGKILL})
        shard.expect(shard.start(*part), {DONE})
        shards.append(shard.folder)
    before = {p: p.read_bytes() for shard in shards for p in shard.rglob("*.fits")}
    merge = [QSOHOST, "merge", *shards, "--into", run.folder]
    count = run.folder.parent / f"{run.folder.name}.calls"
    other = Run(run.chain, f"{run.folder.name}-counted")
    run.clean_up.callback(other.remove)
    command = [*merge[:-1], other.folder]
    run.expect(run.launch(command, with_storage(run.chain.env, f"count {count}")), {DONE})
    kills = 0
    for _ in range(4):
        at = rng.randint(1, int(count.read_text()))
        process = run.launch(merge, with_storage(run.chain.env, f"kill {at}"))
        kills += run.expect(process, {DONE, -signal.SIGKILL}) != DONE
    run.expect(run.launch(merge), {DONE})
    after = {p: p.read_bytes() for shard in shards for p in shard.rglob("*.fits")}
    assert before == after, "merge has changed its shards"
    return kills


def interrupt(number):
    """By SIGINT or SIGTERM: once, so that batches in flight are finished, or twice."""

    def inflict(run, rng):
        done = 0
        for times in (1, 2):
            process = run.start("--in-flight", "2")
            for _ in range(times):
                run.send(process, number, rng.uniform(0.05, 0.5) * run.chain.seconds / times)
            done += run.expect(process, {DONE, INTERRUPTED, -number}) != DONE
        return done

    return inflict


def stop_and_continue(run, rng):
    """Nobody needs to resume such a run."""
    process, stops = run.start(), 0
    for _ in range(4):
        if run.send(process, signal.SIGSTOP, rng.uniform(0.02, 0.25) * run.chain.seconds):
            time.sleep(rng.uniform(0.1, 1))
            process.send_signal(signal.SIGCONT)
            stops += 1
    run.expect(process, {DONE})
    return stops
