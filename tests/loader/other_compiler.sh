#!/usr/bin/env bash
# Tests of loading and lifetimes with plugins from another compiler than the host's, or with other
# flags: g++ marks symbols unique, which keeps a library in memory whatever is done to it and so
# hides bugs of lifetime.
#
#   tests/loader/other_compiler.sh BUILD NAME COMPILER [FLAG...]
#
# Builds the plugins of the museum that are loaded, those of the executor's tests and one stock plugin
# into BUILD/tests/NAME, and runs the host's tests with them.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(realpath "$1")
out=$build/tests/$2
shift 2
compiler=("$@")
if ! command -v "${compiler[0]}" >/dev/null; then
  echo "${compiler[0]} is not installed: see .ci/packages.txt"
  exit 77
fi
command -v ccache >/dev/null && compiler=(ccache "${compiler[@]}")

# compile OUTPUT SOURCE [FLAG...], as qsohost_add_plugin() does
compile() {
  local library=$1 source=$2
  shift 2
  mkdir -p "$(dirname "$library")"
  "${compiler[@]}" -std=c++20 -O1 -fPIC -fvisibility=hidden -fvisibility-inlines-hidden \
    -I"$root/framework/include" "$@" -c "$source" -o "$library.o"
  "${compiler[@]}" -shared -Wl,-z,nodelete "$library.o" -o "$library" \
    -L"$build/lib" -lqsohost -Wl,-rpath,"$build/lib" -lfmt
}

for source in "$root"/tests/loader/bad/*.cpp; do
  name=$(basename "$source" .cpp)
  case $name in
    keeps_asan) ;;
    # Refused by their file alone, before any code of theirs runs: as the build made them.
    debug_containers | old_strings | other_api | no_note | wrong_magic | short_note)
      mkdir -p "$out/bad"
      rm -rf "$out/bad/$name"
      ln -s "$build/tests/bad/$name" "$out/bad/$name"
      ;;
    *) compile "$out/bad/$name/$name.so" "$source" ;;
  esac
done
for faux in faux faux_cells; do
  compile "$out/plugins/$faux.so" "$root/tests/executor/$faux.cpp"
done
compile "$out/stock/drop-epochs.so" "$root/plugins/drop-epochs/drop-epochs.cpp"

# The point of -fno-gnu-unique and of clang.
if nm -D "$out"/plugins/*.so "$out"/bad/{throws,good}/*.so | grep ' u '; then
  echo "these symbols are unique, so this build would show nothing" >&2
  exit 1
fi

export BAD_PLUGINS=$out/bad
QSOHOST_PLUGIN_PATH=$out/plugins "$build/bin/test_loader"
QSOHOST_PLUGIN_PATH=$out/plugins "$build/bin/test_executor"
QSOHOST_PLUGIN_PATH=$out/stock "$build/bin/test_drop-epochs"
