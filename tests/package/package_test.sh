#!/usr/bin/env bash
# The Debian package, unpacked into a folder where nothing else is: each kind of plugin that
# `qsohost new` writes configures, builds, passes its tests and runs there, as its README says; built
# by g++ and, where there is one, by clang against the host that g++ built.
set -euo pipefail
build=$(realpath "${1:?usage: package_test.sh BUILD_FOLDER}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"

cpack --config "$build/CPackConfig.cmake" -B "$work/deb" >"$work/cpack.log" || { cat "$work/cpack.log"; exit 1; }
for package in "$work"/deb/*.deb; do dpkg-deb -x "$package" "$work/installed"; done
export PATH="$work/installed/usr/bin:$PATH" CMAKE_PREFIX_PATH="$work/installed/usr"
doc="$work/installed/usr/share/doc/qsohost"
unset QSOHOST_PLUGIN_PATH LD_LIBRARY_PATH
for file in README.md CHANGELOG.md copyright examples/guides/plugin-in-ten-minutes.md; do
  [ -s "$doc/$file" ] || { echo "package_test: no $file in $doc" >&2; exit 1; }
done
[ "$(command -v qsohost)" = "$work/installed/usr/bin/qsohost" ]
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi

fail() {
  echo "package_test: $*" >&2
  exit 1
}

# rows_of FILE: how many rows a FITS product has
rows_of() {
  /usr/bin/python3 -c 'import sys; from astropy.io import fits; print(len(fits.getdata(sys.argv[1], 1)))' "$1"
}

# build_and_test COMPILER: the plugin of the folder we are in
build_and_test() {
  CXX=$1 cmake -S . -B build -G Ninja -DCMAKE_CXX_FLAGS="-Wall -Wextra -Wpedantic -Werror" >log
  cmake --build build >log 2>&1 || { cat log; fail "$PWD does not build with $1"; }
  ctest --test-dir build --output-on-failure >log || { cat log; fail "the tests in $PWD fail"; }
  grep -q '100% tests passed' log || { cat log; fail "$PWD has no tests"; }
}

# serve COMMAND...: starts a server and waits for its first line, which is then in server.log
serve() {
  rm -f server.log  # a server from before may still write to its own
  "$@" >server.log 2>&1 &
  server=$!
  for _ in $(seq 1200); do [ -s server.log ] && return || sleep 0.1; done
  fail "no answer from $*"
}
stop_server() {
  [ -z "$server" ] || kill "$server"
  server=
}

try_kind() {
  local kind=$1 compiler=$2 name="my-$1"
  mkdir -p "$work/$compiler" && cd "$work/$compiler"
  qsohost new "$kind" "$name" >/dev/null
  cd "$name"
  build_and_test "$compiler"
  local chain=(qsohost --chain chain.toml)
  if [ "$kind" = survey ]; then
    serve /usr/bin/python3 -u -m http.server --bind 127.0.0.1 --directory answers 0
    chain+=(--set "$name.url=http://127.0.0.1:$(grep -oP '(?<=port )\d+' server.log)")
  fi
  "${chain[@]}" >log 2>&1 || { cat log; fail "the chain of $name does not run"; }
  stop_server
  for product in "$name.run/"*.fits; do
    [ -e "$product" ] || break
    [ "$(rows_of "$product")" = 2 ] || fail "$product does not have two rows"
  done
  [ "$kind" != sink ] || [ "$(wc -l <"$name.run/$name.tsv")" = 7 ] || fail "$name.tsv is not whole"
  echo "$kind, $compiler: good"
}

# The example that stands outside the tree, with the stock plugins in one chain.
try_example() {
  local compiler=$1 ztf
  mkdir -p "$work/$compiler" && cd "$work/$compiler"
  cp -r "$doc/examples/job-queue-plugin" .
  (cd job-queue-plugin && build_and_test "$compiler")
  cp -r "$doc/examples/survey-plugin" .
  cd survey-plugin
  build_and_test "$compiler"
  skysim make sky --sources 12 --answers >log
  cp sky/targets.csv .
  serve skysim serve sky --port 0
  ztf=$server
  local ztf_url
  ztf_url=$(grep -oP 'http://127.0.0.1:\d+' server.log | head -1)
  serve /usr/bin/python3 "$here/mast.py" targets.csv
  qsohost --chain chain.toml --set "ztf.url=$ztf_url" \
    --set "ps1.url=http://127.0.0.1:$(cat server.log)/api/v0.1/panstarrs/dr2" >log 2>&1 ||
    { cat log; fail "the chain of two surveys does not run"; }
  kill "$ztf"
  stop_server
  /usr/bin/python3 - <<'END' || fail "the products of two surveys do not fit together"
import csv
from astropy.io import fits
ztf = fits.getdata("two-surveys.run/two-surveys_ztf_lc.fits", 1)
ps1 = fits.getdata("two-surveys.run/two-surveys_ps1_lc.fits", 1)
ids = [int(row["source_id"]) for row in csv.DictReader(open("targets.csv"))]
assert list(ztf["source_id"]) == list(ps1["source_id"]) == ids
assert all(len(mjd) == 12 for mjd in ps1["mjd_g"]) and sum(map(len, ztf["mjd_g"])) > 100
END
  echo "survey-plugin beside the stock plugins, $compiler: good"
}

# Without Catch2 a plugin is built all the same, and optimised where nothing else was asked for; a
# chain in its tests that is wrong fails.
try_bare() {
  mkdir -p "$work/bare" && cd "$work/bare"
  qsohost new filter my-bare >/dev/null
  cd my-bare
  printf '[chain]\nname = "wrong"\n[[stage]]\nuse = "no-such-stage"\n' >tests/wrong.toml
  cmake -S . -B build -G Ninja -DCMAKE_DISABLE_FIND_PACKAGE_Catch2=ON >log 2>&1 || { cat log; fail "no plugin without Catch2"; }
  grep -q 'Debian: catch2' log || fail "nothing says that tests are not built"
  grep -q '^CMAKE_BUILD_TYPE:.*=Release$' build/CMakeCache.txt || fail "a plugin is not optimised"
  cmake --build build >log 2>&1 || { cat log; fail "$PWD does not build"; }
  ctest --test-dir build >log 2>&1 && fail "a wrong chain in tests/ passes"
  grep -q 'plugin.my-bare.wrong' log || { cat log; fail "a chain in tests/ is no test"; }
  echo "without Catch2: good"
}

# The module for Python: its package depends on this library, and it finds library and plugins.
try_python() {
  local module="$work/installed/usr/lib/python3/dist-packages"
  [ -d "$module" ] || { echo "skipped: built without the Python module"; return; }
  dpkg-deb -f "$work"/deb/python3-qsohost_*.deb Depends | grep -q 'qsohost (= .*python3 (<< 3.12)' ||
    fail "python3-qsohost does not depend on its versions"
  cd "$work"
  PYTHONPATH="$module" /usr/bin/python3 - <<'END' || fail "the Python module does not work"
import qsohost
times = [float(t) for t in range(20)]
fit = qsohost.fit(times, [19 + (t % 3) / 10 for t in times], [0.1] * 20)
assert fit.n_epochs == 20 and qsohost.__file__.endswith("dist-packages/qsohost/__init__.py")
END
  echo "python: good"
}

compilers=(g++)
if command -v clang++-16 >/dev/null; then compilers+=(clang++-16); else echo "skipped: no clang++-16"; fi
for compiler in "${compilers[@]}"; do
  for kind in source filter fitter sink survey; do try_kind "$kind" "$compiler"; done
  try_example "$compiler"
done
try_bare
try_python
