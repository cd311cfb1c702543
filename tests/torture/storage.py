"""Disks that are full, limited, or not to be written."""

import resource
import subprocess

from bench import BROKEN, DONE, Skip


def mount(*words):
    done = subprocess.run(["mount", *map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        raise Skip(f"no right to mount here: {done.stderr.strip()}")


def unmount(folder):
    subprocess.run(["umount", "--lazy", folder], check=True, capture_output=True)


def says_why(run, words):
    said = run.said()[-2000:]
    assert any(word in said.lower() for word in words), f"it does not say why:\n{said}"


def no_space_from_a_call_on(how, *words):
    """All calls that want space fail: "full" or "quota", see storage_shim.cpp."""

    def inflict(run, rng):
        process = run.start(storage=f"{how} {rng.randint(1, run.chain.storage_calls)}")
        if run.expect(process, BROKEN | {DONE}) == DONE:
            return 0
        says_why(run, words)
        return 1

    return inflict


def full_disk(run, rng):
    """A file system that is too small, then larger, then large enough."""
    run.folder.mkdir()
    size = int(run.chain.bytes * rng.uniform(0.02, 0.4))
    mount("-t", "tmpfs", "-o", f"size={size}", "none", run.folder)
    run.clean_up.callback(unmount, run.folder)
    done = 0
    for _ in range(3):
        code = run.expect(run.start(), BROKEN | {DONE})
        if code != DONE:
            done += 1
            says_why(run, ("space", "full"))
        size = int(size * rng.uniform(1.1, 1.8))
        mount("-o", f"remount,size={size}", run.folder)
    mount("-o", "remount,size=1g", run.folder)
    return done


def file_size_limit(run, rng):
    """No file may be larger than some size."""
    done = 0
    for _ in range(2):
        largest = max(p.stat().st_size for p in run.chain.undisturbed.glob("*.fits"))
        process = run.start(limits={resource.RLIMIT_FSIZE: int(largest * rng.uniform(0.005, 0.9))})
        done += run.expect(process, BROKEN | {DONE}) != DONE
    return done


def read_only(run, rng):
    """The run directory, after some batches."""
    if not run.interrupt():
        return 0
    mount("--bind", run.folder, run.folder)
    run.clean_up.callback(unmount, run.folder)
    mount("-o", "remount,bind,ro", run.folder)
    run.expect(run.start(), BROKEN)
    says_why(run, ("read-only", "readonly"))
    mount("-o", "remount,bind,rw", run.folder)
    return 1
