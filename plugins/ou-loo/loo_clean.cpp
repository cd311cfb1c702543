#include "loo_clean.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

namespace ou {
namespace {

double median_of_sorted(std::span<const double> v) {
  const std::size_t n = v.size();
  if (n == 0) return std::numeric_limits<double>::quiet_NaN();
  return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

// Medians of all but one of the values, without sorting again for each.
class MedianWithout {
 public:
  explicit MedianWithout(std::vector<double> values) : sorted_(std::move(values)) {
    std::sort(sorted_.begin(), sorted_.end());
  }
  double operator()(double left_out) const {
    const auto rank = static_cast<std::size_t>(
        std::lower_bound(sorted_.begin(), sorted_.end(), left_out) - sorted_.begin());
    const auto at = [&](std::size_t k) { return sorted_[k < rank ? k : k + 1]; };
    const std::size_t n = sorted_.size() - 1;
    return n % 2 == 1 ? at(n / 2) : (at(n / 2 - 1) + at(n / 2)) / 2;
  }

 private:
  std::vector<double> sorted_;
};

// For each epoch the point of a grid around the ridge where the likelihood without it is highest,
// from ln p(y without j) = ln p(y) - ln p(y_j | the others): one sweep a point for all epochs.
std::vector<Parameters> best_of_grid(const Series& series, const Ridge& ridge, const Rule& rule) {
  // Without an outlier sigma may be far lower; it is never much higher.
  constexpr std::array kSigmaFactors{1.0, 0.6, 0.35, 0.2, 0.1, 0.05};
  const std::size_t n = series.size();
  std::vector<double> highest(n, -std::numeric_limits<double>::infinity());
  std::vector<Parameters> where(n, Parameters{ridge.points[0].ln_sigma, ridge.points[0].ln_tau});
  for (const RidgePoint& point : ridge.points) {
    for (const double factor : kSigmaFactors) {
      const double ln_sigma = std::max(point.ln_sigma + std::log(factor), rule.box.ln_sigma_min);
      const Parameters p{ln_sigma, point.ln_tau};
      const Evaluation all = evaluate(series, p, rule.mean, Want::Value);
      const LeaveOneOut loo = leave_one_out(series, p, rule.mean);
      for (std::size_t j = 0; j < n; ++j) {
        const double loglike = all.loglike - loo.logpdf[j];
        if (!(loglike > highest[j])) continue;
        highest[j] = loglike;
        where[j] = p;
      }
    }
  }
  return where;
}

// The epoch that the rule removes, if any.
std::optional<std::size_t> choose(const std::vector<Fit>& refits, const Fit& full,
                                  const Rule& rule) {
  std::optional<std::size_t> chosen;
  double largest = -1;
  for (std::size_t j = 0; j < refits.size(); ++j) {
    if (!refits[j].converged) continue;
    const double delta = std::abs(refits[j].ln_d() - full.ln_d());
    if (delta <= largest) continue;
    largest = delta;
    chosen = j;
  }
  if (!chosen || largest < rule.min_abs_delta_ln_d) return std::nullopt;
  if (rule.only_if_d_decreases && refits[*chosen].ln_d() >= full.ln_d()) return std::nullopt;
  return chosen;
}

Cleaned give_up(Cleaned result, Ending why) {
  result.ending = why;
  result.removed.clear();
  return result;
}

}  // namespace

void Curve::erase(std::size_t j) {
  for (std::vector<double>* v : {&time, &mag, &mag_err})
    v->erase(v->begin() + static_cast<std::ptrdiff_t>(j));
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return median_of_sorted(values);
}

Series series_of(const Curve& curve) {
  return make_series(curve.time, curve.mag, curve.mag_err, median(curve.mag));
}

std::vector<Fit> refit_without_each(const Series& series, const Fit& full, const Ridge& ridge,
                                    const Rule& rule) {
  const MedianWithout median_without(series.y);
  const std::vector<Parameters> others = best_of_grid(series, ridge, rule);
  std::vector<Fit> fits;
  fits.reserve(series.size());
  for (std::size_t j = 0; j < series.size(); ++j) {
    const double reference = series.reference + median_without(series.y[j]);
    const Series rest = without(series, j, reference);
    const Fit near = fit_from(rest, rule.box, rule.mean, full.parameters());
    const Fit far = fit_from(rest, rule.box, rule.mean, others[j]);
    fits.push_back(better(near, far));
  }
  return fits;
}

Cleaned clean(Curve curve, const Rule& rule) {
  Cleaned result;
  std::vector<std::size_t> position(curve.size());
  std::iota(position.begin(), position.end(), std::size_t{0});

  Series series = series_of(curve);
  Ridge ridge = look_along_tau(series, rule.box, rule.mean);
  result.full = result.post = fit_global(series, rule.box, rule.mean, ridge);
  if (!result.full.converged) return give_up(result, Ending::FitFailed);

  while (result.passes < rule.max_passes && curve.size() >= rule.min_points) {
    ++result.passes;
    const std::vector<Fit> refits = refit_without_each(series, result.post, ridge, rule);
    const auto failed =
        std::count_if(refits.begin(), refits.end(), [](const Fit& f) { return !f.converged; });
    if (static_cast<double>(failed) > rule.max_failed_fraction * static_cast<double>(refits.size()))
      return give_up(result, Ending::TooManyFailed);

    const std::optional<std::size_t> chosen = choose(refits, result.post, rule);
    if (!chosen) return result;
    result.removed.push_back(position[*chosen]);
    position.erase(position.begin() + static_cast<std::ptrdiff_t>(*chosen));
    curve.erase(*chosen);

    series = series_of(curve);
    ridge = look_along_tau(series, rule.box, rule.mean);
    const std::array start{refits[*chosen].parameters()};
    result.post = fit_global(series, rule.box, rule.mean, ridge, start);
    if (!result.post.converged) return give_up(result, Ending::FitFailed);
  }
  if (result.passes == rule.max_passes && !result.removed.empty())
    result.ending = Ending::PassesUsedUp;
  return result;
}

}  // namespace ou
