#include "loo_refit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "ou_surface.hpp"

namespace ou {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// For each value the median of all others.
std::vector<double> medians_without(const std::vector<double>& values) {
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t n = sorted.size() - 1;
  std::vector<double> out;
  for (const double value : values) {
    const auto rank = static_cast<std::size_t>(
        std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin());
    const auto at = [&](std::size_t k) { return sorted[k < rank ? k : k + 1]; };
    out.push_back(n == 0 ? value : n % 2 == 1 ? at(n / 2) : (at(n / 2 - 1) + at(n / 2)) / 2);
  }
  return out;
}

// So near that they surely climb to the same maximum: about the spacing of the grid.
bool are_near(const Parameters& a, const Parameters& b) {
  return std::abs(a.ln_sigma - b.ln_sigma) < 0.6 && std::abs(a.ln_tau - b.ln_tau) < 0.8;
}

double ln_d(const Parameters& p) {
  return 2 * p.ln_sigma - p.ln_tau;
}

// Kept from call to call: it is large, and asking the system for memory takes longer than a sweep.
thread_local LooTable workspace;

// Steps of the differences around the fit: along the axes, along a diagonal, and none.
constexpr double kStep = 0.15;
std::vector<Parameters> around(const Fit& fit) {
  std::vector<Parameters> out;
  for (const auto& [s, t] : {std::pair{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, -1}, {0, 0}})
    out.push_back({fit.ln_sigma + kStep * s, fit.ln_tau + kStep * t});
  return out;
}

}  // namespace

Refits::Refits(const Series& series, const Fit& full, const Ridge& ridge, const Box& box, Mean mean)
    : series_(series), full_(full), box_(box), mean_(mean), medians_(medians_without(series.y)) {
  look_at_grid(ridge);
}

// For each epoch the point of a grid around the ridge where the likelihood without it is highest,
// from ln p(y without j) = ln p(y) - ln p(y_j | the others): one sweep a point for all epochs.
void Refits::look_at_grid(const Ridge& ridge) {
  // Without an outlier sigma may be far lower; it is never much higher.
  constexpr std::array kSigmaFactors{1.0, 0.5, 0.25, 0.1};
  constexpr std::size_t kAtATime = 8;
  std::vector<Parameters> grid;
  for (const RidgePoint& point : ridge.points) {
    for (const double factor : kSigmaFactors)
      grid.push_back(
          {std::max(point.ln_sigma + std::log(factor), box_.ln_sigma_min), point.ln_tau});
  }
  const std::size_t n = series_.size();
  std::vector<double> highest(n, -kInfinity);
  std::vector<std::size_t> where(n, 0);
  double highest_of_all = -kInfinity;
  best_of_all_ = grid[0];
  LooTable& table = workspace;
  for (std::size_t first = 0; first < grid.size(); first += kAtATime) {
    const auto some = std::span(grid).subspan(first, std::min(kAtATime, grid.size() - first));
    leave_one_out_all(series_, some, mean_, LooWant::Densities, table);
    for (std::size_t k = 0; k < some.size(); ++k) {
      if (!(table.loglike[k] > highest_of_all)) continue;
      highest_of_all = table.loglike[k];
      best_of_all_ = some[k];
    }
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t k = 0; k < some.size(); ++k) {
        const double loglike = table.loglike[k] - table.logpdf[j * table.stride + k];
        if (!(loglike > highest[j])) continue;
        highest[j] = loglike;
        where[j] = first + k;
      }
    }
  }
  for (const std::size_t k : where) best_.push_back(grid[k]);
}

std::vector<Fit> Refits::operator()(std::span<const std::size_t> epochs) const {
  std::vector<Start> starts;
  std::vector<std::size_t> owner;
  for (std::size_t k = 0; k < epochs.size(); ++k) {
    const std::size_t j = epochs[k];
    for (const Parameters& p : {full_.parameters(), best_[j]}) {
      if (!starts.empty() && owner.back() == k && are_near(p, full_.parameters())) continue;
      starts.push_back({p, j, medians_[j]});
      owner.push_back(k);
    }
  }
  const std::vector<Fit> found = fit_each(series_, box_, mean_, starts);
  std::vector<Fit> out(epochs.size());
  std::vector<bool> is_there(epochs.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::size_t k = owner[i];
    out[k] = is_there[k] ? better(out[k], found[i]) : found[i];
    is_there[k] = true;
  }
  return out;
}

// A Newton step of the likelihood without the epoch, from differences of what it is around the fit.
double Refits::newton_change(const LooTable& table, std::size_t epoch) const {
  std::array<double, 7> f;
  for (std::size_t k = 0; k < f.size(); ++k)
    f[k] = table.loglike[k] - table.logpdf[epoch * table.stride + k];
  constexpr double h = kStep;
  const Vector gradient{(f[0] - f[1]) / (2 * h), (f[2] - f[3]) / (2 * h)};
  Symmetric curvature{(2 * f[6] - f[0] - f[1]) / (h * h),
                      (f[0] + f[1] + f[2] + f[3] - f[4] - f[5] - 2 * f[6]) / (2 * h * h),
                      (2 * f[6] - f[2] - f[3]) / (h * h)};
  const Eigen2 eigen = decompose(curvature);
  double change = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    const Vector& v = eigen.vectors[i];
    const double by =
        dot(gradient, v) / std::max({std::abs(eigen.values[i]), 0.05, 1e-3 * eigen.values[0]});
    change += std::clamp(by, -2.0, 2.0) * (2 * v[0] - v[1]);
  }
  return std::isfinite(change) ? std::abs(change) : 0;
}

std::vector<Refits::Guess> Refits::guesses(std::size_t n_improbable) const {
  const std::size_t n = series_.size();
  LooTable& table = workspace;
  leave_one_out_all(series_, around(full_), mean_, LooWant::Densities, table);
  std::vector<Guess> out;
  for (std::size_t j = 0; j < n; ++j) {
    double change = newton_change(table, j);
    if (!are_near(best_[j], best_of_all_))
      change = std::max(change, std::abs(ln_d(best_[j]) - ln_d(best_of_all_)));
    out.push_back({j, change});
  }
  const auto density = [&](const Guess& g) { return table.logpdf[g.epoch * table.stride + 6]; };
  const auto improbable = static_cast<std::ptrdiff_t>(std::min(n_improbable, n));
  std::partial_sort(out.begin(), out.begin() + improbable, out.end(),
                    [&](const Guess& a, const Guess& b) { return density(a) < density(b); });
  std::for_each(out.begin(), out.begin() + improbable, [](Guess& g) { g.change = kInfinity; });
  std::stable_sort(out.begin() + improbable, out.end(),
                   [](const Guess& a, const Guess& b) { return a.change > b.change; });
  return out;
}

}  // namespace ou
