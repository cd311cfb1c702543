#!/usr/bin/env bash
# Builds the fuzzers of the forms of tables (clang, ASan, UBSan) and runs them one after another.
#
#   tests/fuzz/run.sh [SECONDS [TARGET...]]     each for 30 seconds, all of them, unless told
#
# Everything goes into build/fuzz; a file that makes TARGET fail stays there as TARGET-crash-*.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
seconds=${1:-30}
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(fits text votable)
src=$root/framework/src
mkdir -p "$root/build/fuzz/objects"
cd "$root/build/fuzz"

flags=(-std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
       -I"$root/framework/include" -I"$src")
compiler=(clang++-16)
if command -v ccache >/dev/null; then compiler=(ccache clang++-16); fi

# build TARGET SOURCES... makes TARGET_fuzzer from these, TARGET_fuzzer.cpp and what all need.
build() {
  local objects=() source object
  for source in "$root/tests/fuzz/$1_fuzzer.cpp" "${@:2}" "$src"/files/*.cpp \
                "$src"/{base/error,base/names,data/column,data/column_memory,data/time_system}.cpp; do
    object=objects/$(basename "$source" .cpp).o
    "${compiler[@]}" "${flags[@]}" -c "$source" -o "$object"
    objects+=("$object")
  done
  clang++-16 -fsanitize=fuzzer,address,undefined "${objects[@]}" -o "$1_fuzzer" \
    $(pkg-config --libs cfitsio expat fmt pugixml zlib)
}

run() {
  mkdir -p "corpus/$1"
  "./$1_fuzzer" -max_total_time="$seconds" -max_len=40000 -rss_limit_mb=1024 -timeout=20 \
    -print_final_stats=1 -artifact_prefix="$1-" "corpus/$1" "seeds/$1"
}

/usr/bin/python3 "$root/tests/fuzz/make_corpus.py" seeds
for target in "${targets[@]}"; do
  case $target in
    fits) build fits "$src"/fits/*.cpp ;;
    text) build text "$src"/text/*.cpp ;;
    votable) build votable "$src"/votable/*.cpp "$src"/text/*.cpp ;;
    *) echo "run.sh: there is no fuzzer '$target'" >&2; exit 2 ;;
  esac
  run "$target"
done
