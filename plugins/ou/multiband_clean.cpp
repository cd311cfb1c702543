#include "multiband_clean.hpp"

#include <algorithm>
#include <cmath>

#include "multiband_lags.hpp"
#include "predictive_rule.hpp"

namespace ou::multiband {
namespace {

std::vector<std::uint8_t> cleaned_band_by_band(const Series& series, const Model& model,
                                               Rule rule) {
  rule.mean = model.mean == Mean::Marginal ? ou::Mean::Marginal : ou::Mean::Profiled;
  rule.box = model.box;
  rule.max_removed_fraction = 1;
  std::vector<std::uint8_t> removed(series.size());
  for (std::size_t b = 0; b < series.bands; ++b) {
    Curve curve;
    std::vector<std::size_t> at;
    for (std::size_t i = 0; i < series.size(); ++i) {
      if (series.band[i] != b) continue;
      at.push_back(i);
      curve.time.push_back(series.time[i]);
      curve.mag.push_back(series.y[i]);
      curve.mag_err.push_back(std::sqrt(series.var[i]));
    }
    if (!rule.leaves_enough(curve.size(), 0)) continue;
    for (const std::size_t k : ou::clean_by_prediction(curve, rule).removed) removed[at[k]] = 1;
  }
  return removed;
}

PerBand<std::size_t> count_by_band(const Series& series, const std::vector<std::uint8_t>& chosen) {
  PerBand<std::size_t> out{};
  for (std::size_t i = 0; i < series.size(); ++i) out[series.band[i]] += chosen[i];
  return out;
}

}  // namespace

Cleaned clean_by_prediction(const Series& series, const Model& model, const Rule& rule) {
  const std::vector<std::uint8_t> all(series.size(), 1);
  const PerBand<std::size_t> epochs = count_by_band(series, all);
  std::vector<double> critical;
  for (const std::uint8_t b : series.band)
    critical.push_back(
        critical_residual(std::max<std::size_t>(epochs[b], 5), rule.false_alarms_per_curve));
  Cleaned result;
  const auto give_up = [&](Ending why) {
    result.ending = why;
    result.removed.assign(series.size(), 0);
    result.fit = fit_with_lags(series, model);
    return result;
  };
  result.removed = cleaned_band_by_band(series, model, rule);
  for (std::size_t turn = 1;; ++turn) {
    if (rule.stop_requested()) return give_up(Ending::Stopped);
    const PerBand<std::size_t> gone = count_by_band(series, result.removed);
    for (std::size_t b = 0; b < series.bands; ++b)
      if (gone[b] > 0 && !rule.leaves_enough(epochs[b], gone[b]))
        return give_up(Ending::TooFewLeft);
    result.fit = fit_with_lags(without(series, result.removed), model);
    if (!result.fit.converged) return give_up(Ending::FitFailed);
    const auto residuals = [&](std::span<const std::uint8_t> ignored) {
      const LeaveOneOut loo = leave_one_out(series, result.fit.at, model.mean, ignored);
      std::vector<double> z(series.size());
      for (std::size_t i = 0; i < z.size(); ++i)
        z[i] =
            (series.reference[series.band[i]] + series.y[i] - loo.mean[i]) / std::sqrt(loo.var[i]);
      return z;
    };
    const auto found = find_outliers(std::vector<std::uint8_t>(series.size()), residuals, critical);
    const bool settled = found == result.removed;
    if (settled || turn > rule.max_passes) {
      result.ending = settled ? Ending::Clean : Ending::PassesUsedUp;
      break;
    }
    result.removed = found;
  }
  const PerBand<std::size_t> gone = count_by_band(series, result.removed);
  for (std::size_t b = 0; b < series.bands; ++b)
    if (rule.too_many(epochs[b], gone[b])) return give_up(Ending::TooManyRemoved);
  return result;
}

}  // namespace ou::multiband
