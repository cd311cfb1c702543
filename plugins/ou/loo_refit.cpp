#include "loo_refit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ou_surface.hpp"

namespace ou {
namespace {

// Without an outlier sigma may be far lower, but never much higher.
constexpr std::array kSigmaFactors{1.0, 0.5, 0.25, 0.1};
constexpr double kVague = 1;      // variance of ln D beyond which its derivatives are meaningless
constexpr double kGridError = 2;  // log-likelihood between a grid point and a maximum
constexpr double kNegligible = 0.3;  // of a change that matters: below, first order is enough
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double ln_d(const Parameters& p) {
  return 2 * p.ln_sigma - p.ln_tau;
}

// Reused between calls: it is large, and allocating it takes longer than a sweep.
thread_local LooTable workspace;

// Steps of the differences around the fit: along the axes, along a diagonal, and none.
constexpr double kStep = 0.15;
std::vector<Parameters> around(const Fit& fit) {
  std::vector<Parameters> out;
  for (const auto& [s, t] : {std::pair{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, -1}, {0, 0}}) {
    out.push_back(fit.parameters());
    out.back().ln_sigma += kStep * s;
    out.back().ln_tau += kStep * t;
  }
  return out;
}

struct GridPoint {
  std::size_t at;
  double loglike;
};

// The maxima along tau of a likelihood on the grid, those that may be the highest: that one first,
// the others by tau. `along`, `found`: reused between calls.
void find_peaks(std::span<const double> loglike, std::vector<GridPoint>& along,
                std::vector<GridPoint>& found) {
  along.clear();
  found.clear();
  for (std::size_t first = 0; first < loglike.size(); first += kSigmaFactors.size()) {
    GridPoint best{first, -kInfinity};
    for (std::size_t i = first; i < first + kSigmaFactors.size(); ++i)
      if (loglike[i] > best.loglike) best = {i, loglike[i]};
    along.push_back(best);
  }
  for (std::size_t i = 0; i < along.size(); ++i) {
    const bool rises = i == 0 || along[i].loglike >= along[i - 1].loglike;
    const bool falls = i + 1 == along.size() || along[i + 1].loglike < along[i].loglike;
    if (rises && falls) found.push_back(along[i]);
  }
  const auto highest =
      std::max_element(found.begin(), found.end(),
                       [](const auto& a, const auto& b) { return a.loglike < b.loglike; });
  std::rotate(found.begin(), highest, highest + 1);
  std::erase_if(found, [least = found.front().loglike - kGridError](const GridPoint& p) {
    return p.loglike < least;
  });
}

// A quadratic model of a likelihood, from its values at the points of around().
struct Quadratic {
  explicit Quadratic(const Around& f)
      : gradient{(f[0] - f[1]) / (2 * kStep), (f[2] - f[3]) / (2 * kStep)},
        curvature(decompose(
            symmetric((2 * f[6] - f[0] - f[1]) / (kStep * kStep),
                      (f[0] + f[1] + f[2] + f[3] - f[4] - f[5] - 2 * f[6]) / (2 * kStep * kStep),
                      (2 * f[6] - f[2] - f[3]) / (kStep * kStep)))) {}
  static Matrix<2> symmetric(double xx, double xy, double yy) {
    Matrix<2> m;
    m << xx, xy, xy, yy;
    return m;
  }
  // Bounded below, so that a step stays in the box.
  double stiffness(int i) const {
    return std::max({std::abs(curvature.values[i]), 0.05, 1e-3 * curvature.values[0]});
  }
  double slope_of_ln_d(int i) const {
    return 2 * curvature.vectors(0, i) - curvature.vectors(1, i);
  }
  // Newton's.
  Vector<2> step() const {
    Vector<2> step = Vector<2>::Zero();
    for (int i = 0; i < 2; ++i) {
      const auto v = curvature.vectors.col(i);
      step += std::clamp(gradient.dot(v) / stiffness(i), -2.0, 2.0) * v;
    }
    return step.allFinite() ? step : Vector<2>::Zero();
  }
  // What a step changes ln D by, as a linear function of the gradient.
  Vector<2> ln_d_by_gradient() const {
    Vector<2> by = Vector<2>::Zero();
    for (int i = 0; i < 2; ++i) by += slope_of_ln_d(i) / stiffness(i) * curvature.vectors.col(i);
    return by;
  }
  double variance_of_ln_d() const {
    double sum = 0;
    for (int i = 0; i < 2; ++i) sum += slope_of_ln_d(i) * slope_of_ln_d(i) / stiffness(i);
    return sum;
  }

  Vector<2> gradient;
  Spectrum<2> curvature;
};

}  // namespace

Refits::Refits(const Series& series, const Fit& full, const Ridge& ridge, const Box& box, Mean mean)
    : series_(series), full_(full), box_(box), mean_(mean) {
  std::vector<Parameters> grid;
  for (const RidgePoint& point : ridge.points) {
    for (const double factor : kSigmaFactors) {
      grid.push_back(full.parameters());
      grid.back().ln_sigma = std::max(point.ln_sigma + std::log(factor), box_.ln_sigma_min);
      grid.back().ln_tau = point.ln_tau;
    }
  }
  // From ln p(y without j) = ln p(y) - ln p(y_j | the rest): one sweep per point for all epochs.
  LooTable& table = workspace;
  leave_one_out_all(series_, around(full), mean_, LooWant::Densities, table);
  std::copy_n(table.loglike.begin(), around_all_.size(), around_all_.begin());
  around_.resize(series_.size());
  for (std::size_t j = 0; j < series_.size(); ++j) {
    const auto row = table.logpdf.begin() + static_cast<std::ptrdiff_t>(j * table.stride);
    std::copy_n(row, around_all_.size(), around_[j].begin());
  }
  leave_one_out_all(series_, grid, mean_, LooWant::Densities, table, {}, Digits::Single);
  look_elsewhere(grid, table);
}

// Maxima on the grid that lie elsewhere than the fit of all. Hardly any epoch has one; for most it
// is enough to see that every point far from the fit is lower than the best one.
void Refits::look_elsewhere(const std::vector<Parameters>& grid, const LooTable& table) {
  const auto all = std::span(table.loglike).first(grid.size());
  const auto best =
      static_cast<std::size_t>(std::max_element(all.begin(), all.end(), &is_lower) - all.begin());
  best_of_all_ = grid[best];
  std::vector<double> far(table.loglike.size(), -kInfinity);
  for (std::size_t k = 0; k < grid.size(); ++k) {
    if (!are_near(grid[k], full_.parameters()) || !are_near(grid[k], best_of_all_)) far[k] = all[k];
  }
  const std::vector<double> highest = highest_without_each(table, far);
  std::vector<double> without(grid.size());
  std::vector<GridPoint> along, found;
  for (std::size_t j = 0; j < series_.size(); ++j) {
    const double* logpdf = &table.logpdf[j * table.stride];
    if (highest[j] < all[best] - logpdf[best] - kGridError) continue;
    for (std::size_t k = 0; k < grid.size(); ++k) without[k] = all[k] - logpdf[k];
    find_peaks(without, along, found);
    for (const GridPoint& p : found) elsewhere_.push_back({j, grid[p.at]});
  }
}

// Of the likelihood without an epoch.
Around Refits::around_without(std::size_t j) const {
  Around f = around_all_;
  for (std::size_t k = 0; k < f.size(); ++k) f[k] -= around_[j][k];
  return f;
}

// Where a Newton step leads, if it is short enough to be trusted.
Parameters Refits::start_without(std::size_t j) const {
  constexpr double kTrusted = 0.5;
  Parameters p = full_.parameters();
  if (is_vague()) return p;
  const Vector<2> step = Quadratic(around_without(j)).step();
  if (std::abs(step[0]) > kTrusted || std::abs(step[1]) > kTrusted) return p;
  p.ln_sigma = std::clamp(p.ln_sigma + step[0], box_.ln_sigma_min, box_.ln_sigma_max);
  p.ln_tau = std::clamp(p.ln_tau + step[1], box_.ln_tau_min, box_.ln_tau_max);
  return p;
}

Fit Refits::polished(std::size_t epoch, const Fit& fit) const {
  const Start start{fit.parameters(), epoch};
  return better(fit_each(series_, box_, mean_, std::span(&start, 1)).front(), fit);
}

std::vector<Fit> Refits::operator()(std::span<const std::size_t> epochs,
                                    Precision precision) const {
  std::vector<Start> starts;
  std::vector<std::size_t> owner;
  for (std::size_t k = 0; k < epochs.size(); ++k) {
    const std::size_t j = epochs[k];
    const std::size_t begin = starts.size();
    starts.push_back({start_without(j), j, &full_});
    owner.push_back(k);
    const auto add = [&](const Parameters& p) {
      if (are_near(p, full_.parameters())) return;
      for (std::size_t i = begin + 1; i < starts.size(); ++i)
        if (are_near(p, starts[i].at)) return;
      starts.push_back({p, j});
      owner.push_back(k);
    };
    auto other =
        std::lower_bound(elsewhere_.begin(), elsewhere_.end(), j,
                         [](const Elsewhere& o, std::size_t epoch) { return o.epoch < epoch; });
    for (; other != elsewhere_.end() && other->epoch == j; ++other) add(other->at);
  }
  const std::vector<Fit> found = fit_each(series_, box_, mean_, starts, precision);
  std::vector<Fit> out(epochs.size());
  std::vector<bool> is_there(epochs.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::size_t k = owner[i];
    out[k] = is_there[k] ? better(out[k], found[i]) : found[i];
    is_there[k] = true;
  }
  return out;
}

// There a quadratic is useless.
bool Refits::is_vague() const {
  return !(Quadratic(around_all_).variance_of_ln_d() < kVague);
}

std::vector<Refits::Guess> Refits::guesses(std::size_t n_improbable, double least) const {
  const std::size_t n = series_.size();
  const Quadratic all(around_all_);
  const bool vague = is_vague();
  // To first order a Newton step is the same linear function of the gradient for every epoch.
  const Vector<2> by = all.ln_d_by_gradient();
  std::vector<Guess> out;
  for (std::size_t j = 0; j < n; ++j) {
    const Around& f = around_[j];
    double change = kInfinity;
    if (!vague) change = std::abs(by[0] * (f[0] - f[1]) + by[1] * (f[2] - f[3])) / (2 * kStep);
    if (!vague && !(change < kNegligible * least)) {
      const Vector<2> step = Quadratic(around_without(j)).step();
      change = std::abs(2 * step[0] - step[1]);
    }
    out.push_back({j, change});
  }
  for (const Elsewhere& other : elsewhere_) {
    if (are_near(other.at, best_of_all_)) continue;
    double& change = out[other.epoch].change;
    change = std::max(change, std::abs(ln_d(other.at) - ln_d(best_of_all_)));
  }
  const auto surprise = [&](const Guess& g) { return -around_[g.epoch].back(); };
  const auto improbable = static_cast<std::ptrdiff_t>(std::min(n_improbable, n));
  std::partial_sort(
      out.begin(), out.begin() + improbable, out.end(),
      [&](const Guess& a, const Guess& b) { return is_lower(surprise(b), surprise(a)); });
  std::for_each(out.begin(), out.begin() + improbable, [](Guess& g) { g.change = kInfinity; });
  const auto end = std::partition(out.begin() + improbable, out.end(),
                                  [&](const Guess& g) { return g.change >= least; });
  std::sort(out.begin() + improbable, end, [](const Guess& a, const Guess& b) {
    return a.change > b.change || (a.change == b.change && a.epoch < b.epoch);
  });
  return out;
}

}  // namespace ou
