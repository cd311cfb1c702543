// The fits of sampled objects: what products say of them, and the fitted damped random walk beside
// the epochs that it was fitted to.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "report/light_curves_epochs.hpp"
#include "report/light_curves_products.hpp"

namespace qsohost::cli {

// One row of a product of a fitter. Numbers that it does not have are NaN.
struct CurveFit {
  std::string stage, group;  // group "": a fit of all light curves
  std::size_t position = 0;  // of the stage in the chain
  double z = kNan;           // NaN: the fit is in the observed frame
  double n_epochs = kNan, n_removed = kNan;
  double log_sigma = kNan, log_tau = kNan, err_log_tau = kNan;
  double mean = kNan, log_jitter = kNan;  // of a damped random walk
  double chi2 = kNan;                     // reduced
  std::int32_t flags = 0;
  std::vector<std::string> flag_words{};
  std::vector<double> removed_times{};  // as in the light curve
};

// The bits of `flags` in words: those that all fitters share, and a fitter's own as the description
// of the column tells them.
std::vector<std::string> words_of_flags(std::int32_t flags, const std::string& description);

class FitsOfRun {
 public:
  FitsOfRun(const RunProducts& run, const std::set<std::string>& ids);
  std::vector<CurveFit> read(const std::string& id);

 private:
  std::vector<SampledRows> tables_;
};

// Marks the epochs that the fit says it removed. Those that a stage which only drops what was
// marked took (or no stage that is known) get their rule from here.
void mark_removed(BandEpochs& band, const CurveFit& fit);

// The damped random walk with the parameters of a fit, given the epochs that it was fitted to:
// times as in the light curve, magnitudes, standard deviations without noise.
struct FittedCurve {
  std::vector<double> time, mean, sd;
  // Of each epoch of the light curve, given the fitted ones without itself, over its standard
  // deviation; NaN for those that cannot be fitted.
  std::vector<double> residuals;
};

// None if the fit is no damped random walk or has no result. If the epochs fitted cannot be told
// from the products, none and a note.
std::optional<FittedCurve> fitted_curve(const BandEpochs& band, const CurveFit& fit,
                                        std::vector<std::string>& notes);

}  // namespace qsohost::cli
