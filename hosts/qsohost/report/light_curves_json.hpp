// The light curves of one object as the page's script reads them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "report/light_curves_epochs.hpp"
#include "report/light_curves_fits.hpp"

namespace qsohost::cli {

struct ObjectCurves {
  std::string id, why;
  std::vector<BandEpochs> bands;
  std::vector<CurveFit> fits;
  std::vector<std::string> notes;  // what the reader should know
};

// The rules by which epochs were removed, numbered as they come.
class RuleNames {
 public:
  std::size_t number_of(const std::string& rule);
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
};

// Days of MJD 0 that times in the JSON count from.
inline constexpr double kTimeZero = 50000;

// Numbers are integers, which is shorter than digits behind a point: times and their differences in
// 0.001 d, magnitudes in steps of a hundredth of the typical error, residuals in 0.01. A light
// curve has
//   group, unit, colour, marker   style by plot::style_of_band
//   t         of each epoch: since the one before, the first since kTimeZero
//   zero, step, y, e              magnitude = zero + y * step, error = e * step, or null
//   removed   [position, rule] of each removed epoch
//   undrawn   epochs without a finite time or magnitude, which are left out
// and, if there is a damped random walk for it,
//   r         of each epoch: leave-one-out residual over its standard deviation, or null
//   fit       stage, t, y and s (as above): mean and standard deviation of the process
nlohmann::ordered_json json_of(ObjectCurves& object, RuleNames& rules);

}  // namespace qsohost::cli
