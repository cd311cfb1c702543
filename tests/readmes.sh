#!/usr/bin/env bash
# Each plugin's README.md is what `qsohost inspect --markdown` says of its stages.
#
#   tests/readmes.sh          says which are out of date, changes nothing
#   tests/readmes.sh --fix    writes them anew
#
# Reads the plugins in build/ (or in QSOHOST_BUILD), so build first.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(realpath "${QSOHOST_BUILD:-$root/build}")
cd "$root"

# Only what this build made: a plugin of the user's must not get into our files.
unset QSOHOST_PLUGIN_PATH

text_of() {
  python3 - "$build/bin/qsohost" "$1" <<'END'
import json, subprocess, sys
host, plugin = sys.argv[1:]
run = lambda *args: subprocess.run([host, *args], check=True, capture_output=True, text=True).stdout
stages = [s for s in json.loads(run("list", "--json"))["stages"] if s["plugin"] == plugin]
if not stages:
    sys.exit(f"no plugin '{plugin}' in this build")
print(f"# {plugin}\n\n<!-- Written by tests/readmes.sh --fix; do not edit. -->")
for stage in stages:
    print("\n" + run("inspect", stage["stage"], "--markdown").rstrip())
END
}

version=$(sed -n 's/#define QSOHOST_VERSION "\(.*\)"/\1/p' framework/include/qsohost/api.hpp)
grep -qx "version: $version" CITATION.cff ||
  { echo "CITATION.cff does not say version $version (framework/include/qsohost/api.hpp)" >&2; exit 1; }

stale=()
for folder in plugins/*/; do
  readme=${folder}README.md
  text=$(text_of "$(basename "$folder")")
  if [ "${1:-}" = --fix ]; then
    printf '%s\n' "$text" >"$readme"
  elif [ ! -f "$readme" ] || [ "$(cat "$readme")" != "$text" ]; then
    stale+=("$readme")
  fi
done
[ ${#stale[@]} -eq 0 ] || { echo "Out of date: ${stale[*]}; run tests/readmes.sh --fix" >&2; exit 1; }
