#include <algorithm>
#include <string_view>

#include "fit_summary.hpp"
#include "loo_clean.hpp"
#include "ou_fit_stage.hpp"

namespace ou {
namespace {

// Numbered as in ou-loo.
constexpr int kBounds = 6;
constexpr std::int32_t kNoErrors = 1 << 14;
constexpr std::string_view kFlagsHelp =
    "at a bound: 64 sigma low, 128 sigma high, 256 tau low, 512 tau high; 16384 some error or "
    "covariance of parameters is undefined (NaN)";

// Columns that every likelihood has are declared with the common ones.
bool is_common(const SummaryColumn& column) {
  return std::ranges::any_of(qsohost::fit_column::kEveryLikelihood,
                             [&](const auto& common) { return common.name == column.name; });
}

}  // namespace

void OuFit::declare_curve(const qsohost::GroupInfo& group, const qsohost::Schema& /*before*/,
                          qsohost::Ports& ports) const {
  for (const auto& c : qsohost::fit_column::kEveryCurve) add_result(group, c, ports);
  for (const SummaryColumn& c : summary_columns()) {
    if (!is_common(c)) add_result(group, {c.name, qsohost::DType::F64, c.unit, c.help}, ports);
  }
  for (const auto& c : qsohost::fit_column::kEveryLikelihood) add_result(group, c, ports);
  add_flags(group, kFlagsHelp, ports);
}

void OuFit::fit_curve(const qsohost::CurveToFit& curve, qsohost::Result& result) const {
  const Mean mean = *mean_;
  const Series series = series_of({curve.time, curve.mag, curve.mag_err});
  const Fit fit =
      fit_global(series, standard_box(), mean, look_along_tau(series, standard_box(), mean));
  result.count(curve.group, fit.converged ? "objects fitted" : "objects given up");
  if (!fit.converged) return set(curve, "flags", curve.flags | qsohost::kFitFailed, result);
  const Summary summary = summarise(series, fit, mean);
  for (const SummaryColumn& c : summary_columns()) {
    if (!is_common(c)) set(curve, c.name, c.value(summary), result);
  }
  set_likelihood(curve, 3, fit.loglike, fit.chi2, result);
  const std::int32_t undefined = summary.fit.errors.some_undefined() ? kNoErrors : 0;
  set(curve, "flags", curve.flags | undefined | (fit.bounds << kBounds), result);
}

}  // namespace ou
