// Compares the results of a run with the truth of its sky.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace qsohost::skysim {

struct ScoreOptions {
  std::filesystem::path sky;  // output of `make`
  // Results of ou-loo, one light curve each; the end of the name identifies it: ..._ztf_g.fits
  std::vector<std::filesystem::path> results;
  // The epochs that were cleaned: the input of cleaning as written by fits-sink, for ZTF and for
  // Gaia.
  std::vector<std::filesystem::path> curves;
};

// A table with a line for each light curve: objects fitted; epochs removed; the fraction of these
// that are outliers (purity); outliers among the input epochs, and the fraction of these that was
// removed (completeness); median and scatter (1.48 x the median absolute deviation) of fitted minus
// true ln D, before and after. Throws Error, naming the file, if one cannot be read or lacks a
// column.
std::string score(const ScoreOptions& options);

}  // namespace qsohost::skysim
