#!/usr/bin/env bash
# Sets everything up, builds, lints, and runs all tests. Works from any directory, as root or with
# sudo; what is there already is not done again.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

times=()
# part NAME COMMAND...: how long it took is told at the end.
part() {
  local name=$1 begin=$SECONDS code=0
  shift
  "$@" || code=$?
  times+=(" $name $((SECONDS - begin)) s")
  return $code
}

build() {
  cmake --preset release -DQSOHOST_TESTS=ON && cmake --build --preset release --parallel "$(nproc)"
}

# What fits into the time; tests/nightly.sh has the rest. `-R` is for the programs of these targets.
sanitizers() {
  cmake --preset asan -DQSOHOST_TESTS=ON &&
    cmake --build --preset asan --parallel "$(nproc)" \
      --target test_executor test_fits test_framework test_text test_votable &&
    ctest --preset asan --parallel "$(nproc)" -R '^(executor|framework.*)$'
}

threads() {
  cmake --preset tsan -DQSOHOST_TESTS=ON &&
    cmake --build --preset tsan --parallel "$(nproc)" --target test_executor || return
  # Some kernels place memory more randomly than the thread sanitizer of this clang can deal with.
  if build-tsan/bin/test_executor --list-tests 2>&1 | grep 'unexpected memory mapping'; then
    echo "threads: skipped, see above (sysctl vm.mmap_rnd_bits=28 helps)"
    return
  fi
  ctest --preset tsan -R '^executor$'
}

# What reads bytes of others meets damaged ones, each for 15 seconds, the same ones each time. Not the
# report page, which needs the whole program, with sanitizers: minutes to build.
fuzz() {
  if ! QSOHOST_FUZZ_SEED=1 tests/fuzz/run.sh 15 -report >build/fuzz.log 2>&1; then
    tail -n 60 build/fuzz.log >&2
    return 1
  fi
  grep 'Done .* runs' build/fuzz.log
}

# Two more than there are processors: many tests wait for a server, an archive or a signal.
all_tests() {
  ctest --test-dir build --output-on-failure --parallel $(($(nproc) + 2))
}

trap '(IFS=,; echo "Times:${times[*]}")' EXIT

part setup .ci/setup.sh build tests lint
part build build
part lint tests/lint.sh
part sanitizers sanitizers
part threads threads
part fuzz fuzz
# Last, so that its summary ends the output.
part tests all_tests
