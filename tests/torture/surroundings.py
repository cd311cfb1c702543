"""The system gives too little, its clock jumps, and files are not where they were."""

import os
import resource
import shutil
import signal

from bench import BROKEN, DONE, INTERRUPTED, REFUSED, Skip
from chains import is_sanitized, preloaded

MEGABYTE = 1 << 20


def few_files(run, rng):
    """File descriptors are used up."""
    done = 0
    for _ in range(4):
        process = run.start(limits={resource.RLIMIT_NOFILE: rng.randint(8, 28)})
        done += run.expect(process, BROKEN | {127, DONE}) != DONE
    return done


def little_memory(run, rng):
    """Address space is used up."""
    if is_sanitized():
        raise Skip("a sanitizer needs terabytes of addresses")
    done = 0
    for _ in range(4):
        process = run.start(limits={resource.RLIMIT_AS: rng.randint(120, 420) * MEGABYTE})
        codes = BROKEN | {127, DONE, -signal.SIGABRT}
        done += run.expect(process, codes) != DONE
    return done


def faked_time(run, offset):
    if not shutil.which("faketime"):
        raise Skip("faketime is not installed")
    (run.folder.parent / "clock").write_text(offset)
    library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
    return preloaded(run.chain.env, library) | {
        "FAKETIME_TIMESTAMP_FILE": str(run.folder.parent / "clock"),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }


def clock_set_back(run, rng):
    """Under way, and once more before the run is resumed."""
    process = run.start("--in-flight", "2", env=faked_time(run, "+0"))
    run.send(process, 0, rng.uniform(0.1, 0.5) * run.chain.seconds)
    faked_time(run, f"-{rng.randint(1, 400)}d")
    run.send(process, signal.SIGINT, rng.uniform(0.02, 0.3) * run.chain.seconds)
    if run.expect(process, {DONE, INTERRUPTED}) == DONE:
        return 1
    run.expect(run.start(env=faked_time(run, f"-{rng.randint(400, 4000)}d")), {DONE})
    return 2


def moved(run, rng):
    """After some batches; then again when it is done."""
    if not run.interrupt():
        return 0
    place = run.folder.parent / f"{run.folder.name}-moved"
    run.folder = run.folder.rename(place)
    run.expect(run.start(), {DONE})
    run.folder = run.folder.rename(run.folder.parent / f"{run.folder.name}-again")
    return 2


def copied(run, rng):
    """The copy goes on; what it was copied from stays as it was."""
    if not run.interrupt():
        return 0
    original = run.folder
    run.folder = original.parent / f"{original.name}-copy"
    shutil.copytree(original, run.folder)
    run.clean_up.callback(shutil.rmtree, original)
    before = contents(original)
    run.expect(run.start(), {DONE})
    assert contents(original) == before, "a run on the copy has changed the original"
    return 1


def contents(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def inputs_swapped(run, rng):
    """By those of another sky, one after the other. The run refuses to go on until they are back."""
    if not run.interrupt():
        return 0
    names = ("sdss_dr16q.fits", "gaia_source.fits", "gaia_epoch.fits")
    for name in names:
        ours, others = run.chain.sky / name, run.chain.other_sky / name
        os.rename(ours, f"{ours}.away")
        try:
            shutil.copyfile(others, ours)
            run.expect(run.start(), {REFUSED})
            assert name in run.said(), f"{name} is not named:\n{run.said()[-2000:]}"
        finally:
            os.replace(f"{ours}.away", ours)
    return len(names)
