#!/usr/bin/env bash
# From a fresh Debian 12 to cleaned light curves in FITS files: installs what is missing, builds into
# build/, makes a small simulated sample, runs the main job on it, and says what came out.
# Works from any directory, again and again, as root or with sudo.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
out=build/quickstart

echo "== 1. Debian packages"
.ci/setup.sh build

echo "== 2. Build"
# A build directory that already builds the tests goes on doing so.
tests=()
[ -f build/CMakeCache.txt ] || tests=(-DQSOHOST_TESTS=OFF)
cmake --preset release --log-level=WARNING "${tests[@]}"
cmake --build --preset release --parallel "$(nproc)"

echo "== 3. A simulated sample"
rm -rf "$out/sample"
build/bin/skysim make "$out/sample" --sources 40 --answers

echo "== 4. Run"
build/bin/qsohost --chain examples/quickstart.toml --run-dir "$out/run" --restart

cat <<END

== What was written, in $root/$out
  sample/targets.csv                      the quasars: source_id, ra, dec, z
  sample/irsa/                            what ZTF's archive would answer about each
  sample/truth.fits                       the truth: parameters, and which epochs are outliers and why
  sample/*.fits                           the archives' tables: SDSS DR16Q, Gaia DR3, ZTF
  run/quickstart_raw_ztf_lc.fits          light curves as fetched, g, r and i
  run/quickstart_loo_ztf_g.fits, _r.fits  the fits: ln sigma, ln tau, ln D before and after cleaning,
                                          and the epochs removed (removed_mjd, removed_epoch_id)
  run/quickstart_cleaned_ztf_lc.fits      light curves without bad epochs and outliers
Row i is the same quasar in every file of the run.

What to look at
  The table above: epochs in and out of each stage, and what fell to which cut.
  removed_mjd of the fits beside outlier_time of sample/truth.fits, and logD_post beside logD.
  examples/quickstart.toml, the chain that did it. Change a cut without editing it:
    build/bin/qsohost --chain examples/quickstart.toml --set quality.max_airmass=1.5 \\
      --run-dir $out/other
  build/bin/qsohost list, and build/bin/qsohost inspect ou-loo
END
