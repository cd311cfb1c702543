#include "predictive_rule.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace ou {
namespace {

// The maximum of the capped likelihood about the median: a grid around the ridge, then a finer one.
class RobustStart {
 public:
  RobustStart(const Series& series, const Parameters& full, const Box& box)
      : series_(series), best_{full, -std::numeric_limits<double>::infinity()}, box_(box) {}

  Parameters find(const Ridge& ridge) {
    // Outliers inflate sigma, up to thirty times; hardly ever more than the first steps show.
    for (const RidgePoint& point : ridge.points) {
      for (int k = 0; k < 3; ++k) add(point.ln_sigma - 0.7 * k, point.ln_tau);
    }
    const std::vector<Found> found = evaluated();
    for (std::size_t i = 0; i < ridge.points.size(); ++i) {
      if (!is_lower(found[3 * i + 1].loglike, found[3 * i + 2].loglike)) continue;
      for (int k = 3; k < 6; ++k) add(ridge.points[i].ln_sigma - 0.7 * k, ridge.points[i].ln_tau);
    }
    evaluated();
    const Parameters coarse = best_.at;
    for (int i = -2; i <= 2; ++i) {
      for (int k = -2; k <= 2; ++k) add(coarse.ln_sigma + 0.2 * i, coarse.ln_tau + 0.3 * k);
    }
    evaluated();
    return best_.at;
  }

 private:
  struct Found {
    Parameters at;
    double loglike;
  };
  void add(double ln_sigma, double ln_tau) {
    constexpr double kCap = 12;
    const Parameters p{std::clamp(ln_sigma, box_.ln_sigma_min, box_.ln_sigma_max),
                       std::clamp(ln_tau, box_.ln_tau_min, box_.ln_tau_max), best_.at.ln_jitter};
    trials_.push_back({p, std::nullopt, kCap});
  }
  // What was added since.
  std::vector<Found> evaluated() {
    std::vector<Found> found;
    for (const Evaluation& e :
         evaluate_all(series_, trials_, Mean::Fixed, Want::Value, Digits::Single)) {
      found.push_back({trials_[found.size()].at, e.loglike});
      if (is_lower(best_.loglike, e.loglike)) best_ = found.back();
    }
    trials_.clear();
    return found;
  }

  const Series& series_;
  Found best_;
  const Box& box_;
  std::vector<Trial> trials_;
};

// The largest outlier is removed first: good epochs next to it seem bad.
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

}  // namespace

std::vector<double> residuals_at(const Series& series, const Parameters& at, Mean mean,
                                 std::span<const std::uint8_t> ignored) {
  std::vector<double> z(series.size());
  const auto judges = std::count(ignored.begin(), ignored.end(), std::uint8_t{0});
  if (mean != Mean::Fixed && judges < 2) return z;
  thread_local LooTable table;  // large, so reused between calls
  leave_one_out_all(series, std::array{at}, mean, LooWant::Predictions, table, ignored);
  for (std::size_t i = 0; i < z.size(); ++i)
    z[i] = table.residual[i * table.stride] / std::sqrt(table.var[i * table.stride]);
  return z;
}

std::vector<std::uint8_t> find_outliers(std::vector<std::uint8_t> ignored,
                                        const Residuals& residuals,
                                        std::span<const double> critical) {
  const std::size_t n = ignored.size();
  std::vector<std::uint8_t> came_back(n);
  for (bool changed = true; changed;) {
    changed = false;
    const std::vector<double> z = residuals(ignored);
    const std::vector<std::uint8_t> before = ignored;
    for (std::size_t i = 0; i < n; ++i) {
      if (before[i] != 0 || !(std::abs(z[i]) > critical[i]) || !stands_out(z, before, i)) continue;
      ignored[i] = 1;
      changed = true;
    }
    if (changed) continue;
    for (std::size_t i = 0; i < n; ++i) {
      if (ignored[i] == 0 || came_back[i] != 0 || std::abs(z[i]) > critical[i]) continue;
      ignored[i] = 0;
      came_back[i] = 1;
      changed = true;
    }
  }
  return ignored;
}

std::vector<std::size_t> outliers_at(const Series& series, const Parameters& at, Mean mean,
                                     double critical) {
  const auto residuals = [&](std::span<const std::uint8_t> ignored) {
    return residuals_at(series, at, mean, ignored);
  };
  const std::vector<std::uint8_t> ignored =
      find_outliers(std::vector<std::uint8_t>(series.size()), residuals,
                    std::vector<double>(series.size(), critical));
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < series.size(); ++i)
    if (ignored[i] != 0) out.push_back(i);
  return out;
}

Cleaned clean_by_prediction(const Curve& curve, const Rule& rule) {
  const Series series = series_of(curve);
  Ridge ridge = look_along_tau(series, rule.box, rule.mean);
  Cleaned result;
  result.full = result.post = fit_global(series, rule.box, rule.mean, ridge);
  const auto give_up = [&](Ending why) {
    result.ending = why;
    result.removed.clear();
    return result;
  };
  // Not before the end: a first guess may name many that come back.
  const auto end = [&](Ending why) {
    if (rule.too_many(series.size(), result.removed.size())) return give_up(Ending::TooManyRemoved);
    result.ending = why;
    return result;
  };
  if (!result.full.converged) return give_up(Ending::FitFailed);

  const double critical = critical_residual(series.size(), rule.false_alarms_per_curve);
  Parameters now = RobustStart(series, result.full.parameters(), rule.box).find(ridge);
  Mean about = Mean::Fixed;
  for (std::size_t turn = 1;; ++turn) {
    if (rule.stop_requested()) return give_up(Ending::Stopped);
    result.passes = std::min(turn, rule.max_passes);
    const bool may_change = turn <= rule.max_passes;
    const auto found = outliers_at(series, now, about, critical);
    if (found == result.removed && (turn > 1 || !may_change)) return end(Ending::Clean);
    if (!may_change) return end(Ending::PassesUsedUp);
    if (!rule.leaves_enough(series.size(), found.size())) return give_up(Ending::TooFewLeft);
    if (found.empty() && result.removed.empty()) {
      result.post = result.full;  // the fit of the same epochs
    } else {
      result.removed = found;
      const Series rest = without(series, found);
      ridge = look_along_tau(rest, rule.box, rule.mean, &ridge);
      result.post = fit_global(rest, rule.box, rule.mean, ridge, std::array{now});
    }
    if (!result.post.converged) return give_up(Ending::FitFailed);
    now = result.post.parameters();
    about = rule.mean;
  }
}

}  // namespace ou
