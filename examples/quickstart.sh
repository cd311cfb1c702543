#!/usr/bin/env bash
# From a fresh Debian 12 to cleaned light curves in FITS files: installs what is missing, builds into
# build/, makes a simulated sky, runs the whole chain on it (cross-match, Gaia epochs, ZTF light
# curves from a server on this machine, cuts, fits, cleaning), compares what it found with the truth,
# makes a page to look at, and does the same with public archives, which that server plays too. Works
# from any directory, again and again, as root or with sudo.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
out=build/quickstart
chain=examples/sdss-gaia-ztf-local.toml

echo "== 1. Debian packages"
.ci/setup.sh build

echo "== 2. Build"
# A build directory that builds the tests continues to do so.
tests=()
[ -f build/CMakeCache.txt ] || tests=(-DQSOHOST_TESTS=OFF)
cmake --preset release --log-level=WARNING "${tests[@]}"
cmake --build --preset release --parallel "$(nproc)"

echo "== 3. A simulated sky, and a server that answers for the archives"
rm -rf "$out"
mkdir -p "$out"
build/bin/skysim make "$out/sky" --sources 600 --neowise
build/bin/skysim serve "$out/sky" --port 0 >"$out/server.log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
  url=$(grep -o 'http://127.0.0.1:[0-9]*' "$out/server.log") && break
  sleep 0.1
done
if [ -z "${url:-}" ]; then
  cat "$out/server.log" >&2
  exit 1
fi

echo "== 4. Run"
build/bin/qsohost --chain "$chain" --set "ztf.url=$url" --run-dir "$out/run"

echo
echo "== 5. What was found, beside the truth"
build/bin/skysim score "$out/sky" "$out"/run/quickstart_loo_{ztf_g,ztf_r,gaia_g,gaia_bp,gaia_rp}.fits \
  --curves "$out/run/quickstart_cleaned_ztf_lc.fits" "$out/run/quickstart_matched_gaia_lc.fits"

echo
echo "== 6. A page to look at"
report=$(build/bin/qsohost report "$out/run")
echo "$report"

echo
echo "== 7. Public archives: the cross-match of the CDS, Gaia's epochs, ZTF, NEOWISE"
public() {
  QSOHOST_QUASARS=$root/$out/sky/sdss_dr16q.fits build/bin/qsohost "$@" --chain examples/public.toml \
    --set "crossmatch.url=$url/xmatch/api/v1/sync" --set "gaia.url=$url/aip/tap" \
    --set "ztf.url=$url" --set "neowise.url=$url/TAP"
}
public doctor
# The archives are near, and recover at once.
public --run-dir "$out/public" --set ztf.confirm_after=0.2 --set gaia.confirm_after=0.2 \
  --set neowise.confirm_after=0.2

cat <<END

purity: the part of the removed epochs that are outliers of the simulation; completeness: the part of
the outliers that were removed; not flagged: without objects that ou-loo flags as two sources or gave up.
D = sigma^2 / tau: median difference and scatter, natural logarithms.

== What was written, in $root/$out
  sky/*.fits                            the archives' tables: SDSS DR16Q, Gaia DR3, ZTF; truth.fits
  run/quickstart_catalog.fits           every pair of a quasar and a Gaia source
  run/quickstart_targets.fits           the quasars with epochs in Gaia, _gaia_lc.fits: their epochs
  run/quickstart_raw_ztf_lc.fits        what ZTF has of them
  run/quickstart_matched_*.fits         those that both have: catalogue, Gaia, ZTF
  run/quickstart_cleaned_ztf_lc.fits    g and r after the cuts on quality
  run/quickstart_loo_*.fits             the fits: ln sigma, ln tau, ln D before and after cleaning,
                                        and the epochs removed (removed_mjd, removed_epoch_id)
  run/quickstart_loo_cleaned_*.fits     light curves without bad epochs and outliers
  run/quickstart_multi.fits             one fit of all five bands of each quasar
  public/public_*.fits                  the same from public archives, with NEOWISE
From the matched ones on, row i is the same quasar in every file.

What to do next
  look at $root/$report
  build/bin/qsohost status $out/run     how each quasar ended at each archive
  $chain, the chain that did it; sdss-gaia-ztf.toml, the same on the
  real archives; public.toml, without any account; examples/guides, a page each on data, products,
  your catalogue, your plugin.
END
