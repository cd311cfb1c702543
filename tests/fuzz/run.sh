#!/usr/bin/env bash
# Builds the fuzzer of the FITS reader (clang, ASan, UBSan) and runs it.
#
#   tests/fuzz/run.sh [SECONDS]     30 unless told
#
# Everything goes into build/fuzz; a file that makes it fail stays there as crash-*.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
seconds=${1:-30}
mkdir -p "$root/build/fuzz/corpus"
cd "$root/build/fuzz"

flags=(-std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
       -I"$root/framework/include" -I"$root/framework/src")
compiler=(clang++-16)
if command -v ccache >/dev/null; then compiler=(ccache clang++-16); fi
objects=()
for source in "$root"/tests/fuzz/fits_fuzzer.cpp "$root"/framework/src/{files,fits}/*.cpp \
              "$root"/framework/src/{base/error,base/names,data/column,data/column_memory,data/time_system}.cpp; do
  object=$(basename "$source" .cpp).o
  "${compiler[@]}" "${flags[@]}" -c "$source" -o "$object"
  objects+=("$object")
done
clang++-16 -fsanitize=fuzzer,address,undefined "${objects[@]}" -o fits_fuzzer \
  $(pkg-config --libs cfitsio fmt zlib)

/usr/bin/python3 "$root/tests/fuzz/make_corpus.py" seeds
exec ./fits_fuzzer -max_total_time="$seconds" -max_len=40000 -rss_limit_mb=1024 -timeout=20 \
  -print_final_stats=1 corpus seeds
