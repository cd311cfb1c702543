#!/usr/bin/env bash
# Sets everything up, builds, lints, and runs all tests. Works from any directory, as root or with
# sudo; what is there already is not done again.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

.ci/setup.sh build tests lint
cmake --preset release -DQSOHOST_TESTS=ON
cmake --build --preset release --parallel "$(nproc)"
tests/lint.sh

# The reader of FITS files meets half a minute of damaged ones.
if ! tests/fuzz/run.sh 30 >build/fuzz.log 2>&1; then
  tail -n 60 build/fuzz.log >&2
  exit 1
fi
grep 'Done .* runs' build/fuzz.log

# Last, so that its summary ends the output.
ctest --test-dir build --output-on-failure --parallel 2
