#include <algorithm>
#include <string_view>

#include "fit_summary.hpp"
#include "loo_clean.hpp"
#include "ou_fit_stage.hpp"

namespace ou {
namespace {

// Numbered as in ou-loo.
constexpr int kBounds = 6;  // bits 6 to 9
constexpr std::string_view kFlagsHelp =
    "at a bound: 64 sigma low, 128 sigma high, 256 tau low, 512 tau high, 65536 jitter low; 16384 "
    "some error or covariance of sigma and tau is undefined (NaN)";

// Columns that every likelihood has are declared with the common ones.
bool is_common(const SummaryColumn& column) {
  return std::ranges::any_of(qsohost::fit_column::kEveryLikelihood,
                             [&](const auto& common) { return common.name == column.name; });
}

}  // namespace

void OuFit::declare_curve(const qsohost::GroupInfo& group, const qsohost::Schema& /*before*/,
                          qsohost::Ports& ports) const {
  for (const auto& c : qsohost::fit_column::kEveryCurve) add_result(group, c, ports);
  for (const SummaryColumn& c : summary_columns(fits_jitter())) {
    if (!is_common(c))
      add_result(group, {c.name, qsohost::DType::F64, c.unit, c.help, c.framed}, ports);
  }
  for (const auto& c : qsohost::fit_column::kEveryLikelihood) add_result(group, c, ports);
  declare_shared(group, "", ports);
  add_flags(group, kFlagsHelp, ports);
}

void OuFit::fit_curve(const qsohost::CurveToFit& curve, qsohost::Result& result) const {
  const Series series = series_of({curve.time, curve.mag, curve.mag_err});
  const Fit fit = fit_global(series, box(), mean(), look_along_tau(series, box(), mean()));
  result.count(curve.group, fit.converged ? "objects fitted" : "objects given up");
  if (!fit.converged) return set(curve, "flags", curve.flags | qsohost::kFitFailed, result);
  const Summary summary = summarise(series, fit, mean(), box());
  for (const SummaryColumn& c : summary_columns(fits_jitter())) {
    if (!is_common(c)) set(curve, c.name, c.value(summary), result);
  }
  set_likelihood(curve, summary.n_parameters, fit.loglike, fit.chi2, result);
  const Fitted fitted{series, series, {}, summary};
  set_shared(curve, fitted, "", result);
  set(curve, "flags", curve.flags | flags_of(curve, fitted) | ((fit.bounds & kInBox) << kBounds),
      result);
}

}  // namespace ou
