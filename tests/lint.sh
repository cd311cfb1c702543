#!/usr/bin/env bash
# Formats and lints the C++ of this project.
#
#   tests/lint.sh          says what is wrong, changes nothing
#   tests/lint.sh --fix    formats the files in place first
#   tests/lint.sh FILE...  only these files
#
# clang-tidy (tests/tidy.py) reads build/compile_commands.json, so build first.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fix=no
if [ "${1:-}" = --fix ]; then
  fix=yes
  shift
fi
all=no
if [ $# -gt 0 ]; then
  mapfile -t files < <(realpath --relative-to="$root" "$@")
  cd "$root"
else
  all=yes
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
if [ "$all" = yes ]; then
  sources=()
else
  mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep '\.cpp$' || true)
  [ ${#sources[@]} -gt 0 ] || exit 0
fi
echo "clang-format: ${#files[@]} files"
tests/tidy.py "${sources[@]}"
