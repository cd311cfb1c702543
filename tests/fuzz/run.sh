#!/usr/bin/env bash
# Builds the fuzzers (preset asan: clang, ASan, UBSan) and runs them, one on each processor at a time.
#
#   tests/fuzz/run.sh [SECONDS [TARGET...]]     each for 30 seconds, all of them, unless told
#   tests/fuzz/run.sh SECONDS -TARGET           all but this one
#
# Everything goes into build-asan/fuzz; an input that makes TARGET fail stays there as TARGET-crash-*.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export seconds=${1:-30}
export seed=${QSOHOST_FUZZ_SEED:-0}  # 0: another one each time
formats=(fits text votable zip chain note copy http tap run report)
# Stages for stage_fuzzer: those that ask an archive, by the way behind their name, and those that read files.
stages=(atlas irsa-ztf neowise gaia-tap gaia-vizier gaia-datalink tap-catalog xmatch
  curves curve-rows ztf-files gaia-files catalog-join fits-crossmatch)
targets=("${@:2}")
if [ ${#targets[@]} -eq 0 ] || [[ ${targets[0]} = -* ]]; then
  left_out=${targets[0]:-}
  targets=()
  for target in "${formats[@]}" "${stages[@]}"; do
    [ "-$target" = "$left_out" ] || targets+=("$target")
  done
fi

programs=()
for target in "${targets[@]}"; do
  case " ${formats[*]} " in
    *" $target "*) programs+=("${target}_fuzzer") ;;
    *) programs+=(stage_fuzzer) ;;
  esac
done
cd "$root"
cmake --preset asan >/dev/null
cmake --build --preset asan --parallel "$(nproc)" --target require "${programs[@]}"

mkdir -p build-asan/fuzz
cd build-asan/fuzz
/usr/bin/python3 "$root/tests/fuzz/make_corpus.py" seeds ../lib/qsohost/plugins/require.so
export QSOHOST_PLUGIN_PATH=$root/build-asan/lib/qsohost/plugins

# run TARGET PROGRAM: its output, after its end, as one piece.
run() {
  mkdir -p "corpus/$1"
  local code=0
  QSOHOST_FUZZ_STAGE=$1 "../bin/$2" -max_total_time="$seconds" -seed="$seed" -max_len=40000 \
    -rss_limit_mb=1024 -timeout=20 -print_final_stats=1 -artifact_prefix="$1-" "corpus/$1" "seeds/$1" >"$1.log" 2>&1 ||
    code=$?
  printf '%s\n' "$1: $(grep -o 'Done [0-9]* runs.*' "$1.log" || tail -n 60 "$1.log")"
  return $code
}
export -f run
for i in "${!targets[@]}"; do
  printf '%s\0%s\0' "${targets[i]}" "${programs[i]}"
done | xargs -0 -n 2 -P "$(nproc)" bash -c 'run "$0" "$1"'
