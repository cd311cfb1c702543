#include "predictive_rule.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace ou {
namespace {

// The two-sided normal quantile: P(|z| > result) = p.
double normal_quantile(double p) {
  double z = 3;
  for (int i = 0; i < 60; ++i) {
    const double density = std::exp(-0.5 * z * z) * std::sqrt(2 / std::acos(-1.0));
    z += std::clamp((std::erfc(z / std::sqrt(2.0)) - p) / density, -0.5, 0.5);
    z = std::max(z, 0.0);
  }
  return z;
}

// Where the capped likelihood is highest: a grid around the ridge, then a finer one.
Parameters robust_start(const Series& series, const Ridge& ridge, const Box& box) {
  constexpr double kCap = 12;
  std::vector<Trial> trials;
  const auto add = [&](double ln_sigma, double ln_tau) {
    const Parameters p{std::clamp(ln_sigma, box.ln_sigma_min, box.ln_sigma_max),
                       std::clamp(ln_tau, box.ln_tau_min, box.ln_tau_max)};
    trials.push_back({p, std::nullopt, 0, kCap});
  };
  const auto best = [&] {
    const std::vector<Evaluation> found = evaluate_all(series, trials, Mean::Fixed, Want::Value);
    const auto most =
        std::max_element(found.begin(), found.end(),
                         [](const auto& a, const auto& b) { return a.loglike < b.loglike; });
    return trials[static_cast<std::size_t>(most - found.begin())].at;
  };
  // Outliers make sigma larger, up to thirty times.
  for (const RidgePoint& point : ridge.points) {
    for (int k = 0; k < 6; ++k) add(point.ln_sigma - 0.7 * k, point.ln_tau);
  }
  const Parameters coarse = best();
  trials.clear();
  for (int i = -2; i <= 2; ++i) {
    for (int k = -2; k <= 2; ++k) add(coarse.ln_sigma + 0.2 * i, coarse.ln_tau + 0.3 * k);
  }
  return best();
}

// An epoch with this added to its variance (mag^2) teaches nothing, and is still predicted.
constexpr double kIgnored = 1e6;

// The one that stands out most goes first: next to it good epochs seem bad.
bool stands_out(const std::vector<double>& z, std::span<const std::uint8_t> ignored,
                std::size_t i) {
  constexpr int kNeighbours = 2;
  for (const int direction : {-1, 1}) {
    auto k = static_cast<std::ptrdiff_t>(i);
    for (int seen = 0; seen < kNeighbours;) {
      k += direction;
      if (k < 0 || k >= static_cast<std::ptrdiff_t>(z.size())) break;
      const auto at = static_cast<std::size_t>(k);
      if (ignored[at] != 0) continue;
      ++seen;
      if (std::abs(z[at]) > std::abs(z[i])) return false;
    }
  }
  return true;
}

Curve without(const Curve& curve, std::span<const std::size_t> removed) {
  Curve out;
  auto next = removed.begin();
  for (std::size_t i = 0; i < curve.size(); ++i) {
    if (next != removed.end() && *next == i) {
      ++next;
      continue;
    }
    out.time.push_back(curve.time[i]);
    out.mag.push_back(curve.mag[i]);
    out.mag_err.push_back(curve.mag_err[i]);
  }
  return out;
}

}  // namespace

double critical_residual(std::size_t n, double false_alarms) {
  const double count = std::max(static_cast<double>(n), 1.0);
  const double nu = std::max(count - 3, 1.0);
  const double z = normal_quantile(std::min(false_alarms / count, 1.0));
  // Cornish-Fisher (Abramowitz & Stegun 1964, 26.7.5).
  const double z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
  return z + (z3 + z) / (4 * nu) + (5 * z5 + 16 * z3 + 3 * z) / (96 * nu * nu) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * nu * nu * nu);
}

std::vector<double> residuals_at(const Series& series, const Parameters& parameters, Mean mean,
                                 std::span<const std::uint8_t> ignored) {
  Series judged = series;
  for (std::size_t i = 0; i < judged.size(); ++i)
    if (ignored[i] != 0) judged.var[i] += kIgnored;
  thread_local LooTable table;  // large: kept from call to call
  leave_one_out_all(judged, std::array{parameters}, mean, LooWant::All, table);
  std::vector<double> z(series.size());
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double var = table.var[i * table.stride] - (ignored[i] != 0 ? kIgnored : 0.0);
    z[i] = table.residual[i * table.stride] / std::sqrt(std::max(var, series.var[i]));
  }
  return z;
}

std::vector<std::size_t> outliers_at(const Series& series, const Parameters& parameters, Mean mean,
                                     double false_alarms) {
  const std::size_t n = series.size();
  const double critical = critical_residual(n, false_alarms);
  std::vector<std::uint8_t> ignored(n), came_back(n);
  for (bool changed = true; changed;) {
    changed = false;
    const std::vector<double> z = residuals_at(series, parameters, mean, ignored);
    const std::vector<std::uint8_t> before = ignored;
    for (std::size_t i = 0; i < n; ++i) {
      if (before[i] != 0 || std::abs(z[i]) <= critical || !stands_out(z, before, i)) continue;
      ignored[i] = 1;
      changed = true;
    }
    if (changed) continue;
    for (std::size_t i = 0; i < n; ++i) {
      if (ignored[i] == 0 || came_back[i] != 0 || std::abs(z[i]) > critical) continue;
      ignored[i] = 0;
      came_back[i] = 1;
      changed = true;
    }
  }
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < n; ++i)
    if (ignored[i] != 0) out.push_back(i);
  return out;
}

Cleaned clean_by_prediction(const Curve& curve, const Rule& rule) {
  const Series series = series_of(curve);
  const Ridge ridge = look_along_tau(series, rule.box, rule.mean);
  Cleaned result;
  result.full = result.post = fit_global(series, rule.box, rule.mean, ridge);
  const auto give_up = [&](Ending why) {
    result.ending = why;
    result.removed.clear();
    return result;
  };
  if (!result.full.converged) return give_up(Ending::FitFailed);

  Parameters now = robust_start(series, ridge, rule.box);
  for (bool first = true; result.passes < rule.max_passes; first = false) {
    if (rule.stop_requested()) return give_up(Ending::Stopped);
    ++result.passes;
    const auto found = outliers_at(series, now, rule.mean, rule.false_alarms_per_curve);
    if (curve.size() - found.size() < std::max<std::size_t>(rule.min_points, 3))
      return give_up(Ending::TooFewLeft);
    if (!first && found == result.removed) return result;
    result.removed = found;
    const Curve good = without(curve, found);
    const Series rest = series_of(good);
    result.post = fit_global(rest, rule.box, rule.mean, look_along_tau(rest, rule.box, rule.mean),
                             std::array{now});
    if (!result.post.converged) return give_up(Ending::FitFailed);
    now = result.post.parameters();
  }
  result.ending = Ending::PassesUsedUp;
  return result;
}

}  // namespace ou
