#!/usr/bin/env bash
# The Debian package, unpacked into a folder where nothing else is: each kind of plugin that
# `qsohost new` writes configures, builds, passes its tests and runs there, as its README says; built
# by g++ and, where there is one, by clang against the host that g++ built.
set -euo pipefail
build=$(realpath "${1:?usage: package_test.sh BUILD_FOLDER}")
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"

cpack --config "$build/CPackConfig.cmake" -B "$work/deb" >"$work/cpack.log" || { cat "$work/cpack.log"; exit 1; }
dpkg-deb -x "$work"/deb/*.deb "$work/root"
export PATH="$work/root/usr/bin:$PATH" CMAKE_PREFIX_PATH="$work/root/usr"
unset QSOHOST_PLUGIN_PATH LD_LIBRARY_PATH
[ "$(command -v qsohost)" = "$work/root/usr/bin/qsohost" ]
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi

fail() {
  echo "package_test: $*" >&2
  exit 1
}

# A port that nobody uses, for the archive that a survey asks.
free_port() {
  /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# rows_of FILE: how many rows a FITS product has
rows_of() {
  /usr/bin/python3 -c 'import sys; from astropy.io import fits; print(len(fits.getdata(sys.argv[1], 1)))' "$1"
}

try_kind() {
  local kind=$1 compiler=$2 name="my-$1"
  mkdir -p "$work/$compiler" && cd "$work/$compiler"
  qsohost new "$kind" "$name" >/dev/null
  cd "$name"
  CXX=$compiler cmake -S . -B build -G Ninja -DCMAKE_CXX_FLAGS="-Wall -Wextra -Wpedantic -Werror" >log
  cmake --build build >log 2>&1 || { cat log; fail "$name does not build with $compiler"; }
  ctest --test-dir build --output-on-failure >log || { cat log; fail "the tests of $name fail"; }
  grep -q '100% tests passed' log || { cat log; fail "$name has no tests"; }
  local chain=(qsohost --chain chain.toml)
  if [ "$kind" = survey ]; then
    local port
    port=$(free_port)
    python3 -m http.server --bind 127.0.0.1 --directory answers "$port" >server.log 2>&1 &
    server=$!
    for _ in $(seq 50); do grep -q Serving server.log && break || sleep 0.1; done
    chain+=(--set "$name.url=http://127.0.0.1:$port")
  fi
  "${chain[@]}" >log 2>&1 || { cat log; fail "the chain of $name does not run"; }
  if [ -n "$server" ]; then kill "$server" && server=; fi
  for product in "$name.run/"*.fits; do
    [ -e "$product" ] || break
    [ "$(rows_of "$product")" = 2 ] || fail "$product does not have two rows"
  done
  [ "$kind" != sink ] || [ "$(wc -l <"$name.run/$name.tsv")" = 7 ] || fail "$name.tsv is not whole"
  echo "$kind, $compiler: good"
}

compilers=(g++)
if command -v clang++-16 >/dev/null; then compilers+=(clang++-16); else echo "skipped: no clang++-16"; fi
for compiler in "${compilers[@]}"; do
  for kind in filter fitter sink; do try_kind "$kind" "$compiler"; done
done
