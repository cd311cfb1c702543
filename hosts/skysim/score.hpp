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
  // Gaia. With column epoch_id where a light curve has epochs of two sources in one exposure.
  std::vector<std::filesystem::path> curves;
};

// A table with lines for each light curve: of objects that ou-loo does not flag as two sources or
// as given up because of too many removals, and of all objects. Each says how many were fitted; how
// many epochs were removed, and the fraction of these that are outliers (purity); outliers among
// the input epochs, and the fraction of these that was removed (completeness); median and scatter
// (1.48 x the median absolute deviation) of fitted minus true ln D, before and after. Epochs of a
// neighbour of the quasar count neither as outliers nor as good epochs; where there are some,
// another line ("+ neighbours") counts them as outliers.
//
// Throws Error, naming file, object and epoch, if the curves lack an epoch that was removed (they
// are from after drop-epochs) or do not tell which of two sources it was of; naming the file, if
// one cannot be read or lacks a column.
std::string score(const ScoreOptions& options);

}  // namespace qsohost::skysim
