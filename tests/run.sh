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

# Last, so that its summary ends the output.
ctest --test-dir build --output-on-failure --parallel 2
