#!/usr/bin/env bash
# Formats and lints the C++ of this project.
#
#   tests/lint.sh          says what is wrong, changes nothing
#   tests/lint.sh --fix    formats the files in place first
#   tests/lint.sh FILE...  only these files
#
# clang-tidy (.clang-tidy says which checks) reads build/compile_commands.json, so build first.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fix=no
if [ "${1:-}" = --fix ]; then
  fix=yes
  shift
fi
if [ $# -gt 0 ]; then
  mapfile -t files < <(realpath --relative-to="$root" "$@")
  cd "$root"
else
  cd "$root"
  mapfile -t files < <(find framework hosts plugins tests examples -name '*.[ch]pp' | sort)
fi
if [ ${#files[@]} -eq 0 ]; then
  echo "lint.sh: no files to lint" >&2
  exit 2
fi

if [ $fix = yes ]; then
  clang-format-16 -i "${files[@]}"
else
  clang-format-16 --dry-run -Werror "${files[@]}"
fi

if [ ! -f build/compile_commands.json ]; then
  echo "lint.sh: no build/compile_commands.json; run 'cmake --preset release' first" >&2
  exit 2
fi
# Tests are left out: Catch2's macros alone would take longer than all the rest.
sources=()
for file in "${files[@]}"; do
  case $file in
    */tests/* | tests/* | *catch_main.cpp | *.hpp) ;;
    *) grep -qF "\"$root/$file\"" build/compile_commands.json && sources+=("$file") ;;
  esac
done
[ ${#sources[@]} -gt 0 ] || exit 0

# The database holds the flags of g++; clang need not know all of them.
log=build/clang-tidy.log
if printf '%s\0' "${sources[@]}" |
  xargs -0 -n 1 -P "$(nproc)" clang-tidy-16 -p build --quiet \
    --extra-arg=-Wno-unknown-warning-option >"$log" 2>&1; then
  echo "lint: ${#files[@]} files formatted, ${#sources[@]} linted, nothing to complain of"
else
  grep -vE '^[0-9]+ warnings? generated' "$log" >&2
  echo "lint: see above" >&2
  exit 1
fi
