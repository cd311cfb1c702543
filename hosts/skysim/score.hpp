// How what a run found compares with the truth of its sky.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace qsohost::skysim {

struct ScoreOptions {
  std::filesystem::path sky;  // what `make` made
  // Results of ou-loo, one light curve each; the end of the name says which: ..._ztf_g.fits
  std::vector<std::filesystem::path> results;
  // The epochs that were cleaned: what fits-sink wrote of them before, for ZTF and for Gaia.
  std::vector<std::filesystem::path> curves;
};

// A table, a line for each light curve: objects fitted; epochs removed; of those the part that are
// outliers (purity); outliers among the epochs that were cleaned, and the part that was removed
// (completeness); median and scatter (1.48 x the median
// absolute deviation) of fitted minus true ln D, before and after. Throws Error, naming the file,
// for one that cannot be read or lacks a column.
std::string score(const ScoreOptions& options);

}  // namespace qsohost::skysim
