#!/usr/bin/env bash
# What takes too long for tests/run.sh: hours, each night. Needs all packages: .ci/setup.sh build tests lint
#
#   tests/nightly.sh [PART...]     all parts, unless told: benchmarks cppcheck asan fuzz tsan torture
#
# Every part runs, whatever the others say. `asan` and `tsan` build the whole tree with clang and
# -Werror, each source alone and without precompiled headers, so that they also find warnings of clang and
# missing #includes.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
jobs=$(nproc)

# build PRESET [OPTION...]
build() {
  cmake --preset "$1" -DQSOHOST_TESTS=ON "${@:2}" && cmake --build --preset "$1" --parallel "$jobs"
}

# They only have to compile here: tests/benchmarks/README.md says how they are run.
benchmarks() { build release && cmake --build build --parallel "$jobs" --target tests/benchmarks/all; }
cppcheck() { tests/cppcheck.sh; }
# Without the Python module: python3 itself is not built with sanitizers.
asan() {
  build asan -DQSOHOST_PRECOMPILE=OFF && ctest --preset asan --parallel "$jobs" -E '^python'
}
fuzz() { tests/fuzz/run.sh 600; }
# The parts with threads of their own. Others take hours under the thread sanitizer and have none.
tsan() {
  build tsan -DQSOHOST_PRECOMPILE=OFF &&
    ctest --preset tsan --parallel "$jobs" -R '^(executor|http|framework|loader|runs|chains)'
}
torture() { tests/torture.sh; }

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(benchmarks cppcheck asan fuzz tsan torture)
failed=()
for part in "${parts[@]}"; do
  begin=$SECONDS
  "$part" || failed+=("$part")
  echo "nightly: $part, $((SECONDS - begin)) s"
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "nightly: failed: ${failed[*]}" >&2
  exit 1
fi
