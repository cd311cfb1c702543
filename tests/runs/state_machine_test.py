"""Random sequences of runs, kills, failures, resumed runs, changed inputs, copies and merges. After
every step products, ledger and all other files are checked against what they must be."""

import argparse
import concurrent.futures
import os
import pathlib
import shutil
import sys
import tempfile
import time
import traceback

from installation import small_installation
from shards import Shards



def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=300)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="begin with this sequence, to replay it")
    parser.add_argument("--seconds", type=float, default=45, help="begin no sequence after this time")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("-v", "--verbose", action="store_true", help="print the steps of all sequences")
    parser.add_argument("--keep", action="store_true", help="keep the folder of a sequence that fails")
    parser.add_argument("--all", action="store_true", help="go on after a failure")
    return parser.parse_args()


def sequence(task):
    """(number, what went wrong or None, steps)."""
    number, folder, program, args = task
    if time.monotonic() > args.end:
        return number, "", []
    machine = Shards(folder / str(number), program, f"{args.seed} {number}")
    error = None
    try:
        machine.run_steps(args.steps)
    except Exception:
        error = traceback.format_exc()
    if error is None or not args.keep:
        machine.box.remove()
    return number, error, machine.box.steps


def main():
    args = parse()
    begin = time.monotonic()
    args.end = begin + args.seconds
    # In memory if possible: nothing here outlives a power cut.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = pathlib.Path(tempfile.mkdtemp(prefix="qsohost-runs-", dir=memory))
    done, failed = 0, 0
    try:
        program = small_installation(folder / "program")
        numbers = range(args.first, args.first + args.sequences)
        tasks = [(n, folder, program, args) for n in numbers]
        with concurrent.futures.ProcessPoolExecutor(args.processes) as pool:
            for number, error, steps in pool.map(sequence, tasks):
                done += error is None
                if error or args.verbose:
                    print(f"\nsequence {number}:\n  " + "\n  ".join(steps))
                if error:
                    failed += 1
                    print(f"{error}replay: {sys.argv[0]} --seed {args.seed} --first {number} "
                          f"--sequences 1 --steps {args.steps} --keep", flush=True)  # fmt: skip
                    if not args.all:
                        pool.shutdown(cancel_futures=True)
                        break
    finally:
        if failed and args.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{done} sequences of {args.steps} steps, {failed} failed; seed {args.seed}; "
          f"{time.monotonic() - begin:.0f} s")  # fmt: skip
    return 1 if failed or not done else 0


if __name__ == "__main__":
    sys.exit(main())
