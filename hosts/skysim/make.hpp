// skysim make: writes the files of a simulated sky.
#pragma once

#include <filesystem>

#include "sky.hpp"

namespace qsohost::skysim {

struct MakeOptions {
  Recipe recipe;
  std::filesystem::path folder;
  unsigned threads = 1;
  bool is_catalogue_only = false;  // sdss_dr16q.fits and gaia_source.fits
  bool has_answers = false;        // also targets.csv and irsa/{source_id}.csv
  bool has_products = false;       // also ztf_lc.fits
  bool has_neowise = false;        // also neowise.fits and neowise_truth.fits
  bool has_atlas = false;          // also atlas.fits and atlas_truth.fits
};

// The bytes depend only on the recipe. Memory does not depend on the number of sources.
void make_sky(const MakeOptions& options);

}  // namespace qsohost::skysim
