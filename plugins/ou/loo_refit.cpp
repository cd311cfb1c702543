#include "loo_refit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "ou_surface.hpp"

namespace ou {
namespace {

// Without an outlier sigma may be far lower, but never much higher.
constexpr std::array kSigmaFactors{1.0, 0.5, 0.25, 0.1};
constexpr std::size_t kAtATime = 8;
constexpr double kVague = 1;      // variance of ln D beyond which its derivatives are meaningless
constexpr double kGridError = 2;  // log-likelihood between a grid point and a maximum
static_assert(kAtATime % kSigmaFactors.size() == 0);
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// So close that they certainly climb to the same maximum: about the grid spacing.
bool are_near(const Parameters& a, const Parameters& b) {
  return std::abs(a.ln_sigma - b.ln_sigma) < 0.6 && std::abs(a.ln_tau - b.ln_tau) < 0.8;
}

double ln_d(const Parameters& p) {
  return 2 * p.ln_sigma - p.ln_tau;
}

// Reused between calls: it is large, and allocating it takes longer than a sweep.
thread_local LooTable workspace;

// Steps of the differences around the fit: along the axes, along a diagonal, and none.
constexpr double kStep = 0.15;
std::vector<Parameters> around(const Fit& fit) {
  std::vector<Parameters> out;
  for (const auto& [s, t] : {std::pair{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, -1}, {0, 0}})
    out.push_back({fit.ln_sigma + kStep * s, fit.ln_tau + kStep * t, fit.ln_jitter});
  return out;
}

struct GridPoint {
  std::size_t at;
  double loglike;
};

// For each epoch the maxima along tau of the likelihood without it. Nearly all have exactly one, so
// further ones are stored separately.
class Peaks {
 public:
  struct Other {
    std::size_t epoch;
    GridPoint point;
  };
  explicit Peaks(std::size_t epochs) : along_(epochs) {}

  // The grid's next points: all sigma of a tau, then the next tau.
  void take(const LooTable& table, std::size_t first) {
    for (std::size_t j = 0; j < along_.size(); ++j) {
      for (std::size_t k = 0; k < table.loglike.size(); k += kSigmaFactors.size()) {
        GridPoint best{first + k, -kInfinity};
        for (std::size_t i = k; i < k + kSigmaFactors.size(); ++i) {
          const double loglike = table.loglike[i] - table.logpdf[j * table.stride + i];
          if (loglike > best.loglike) best = {first + i, loglike};
        }
        if (best.loglike < along_[j].last.loglike) pass(j);
        along_[j].rises = best.loglike >= along_[j].last.loglike;
        along_[j].last = best;
      }
    }
  }
  void end() {
    for (std::size_t j = 0; j < along_.size(); ++j) pass(j);
  }
  const GridPoint& highest(std::size_t epoch) const { return along_[epoch].highest; }
  const std::vector<Other>& others() const { return others_; }

 private:
  struct Along {
    GridPoint highest{0, -kInfinity};  // of the maxima so far
    GridPoint last{0, -kInfinity};
    bool rises = true;
  };
  void pass(std::size_t epoch) {
    Along& along = along_[epoch];
    if (!along.rises) return;
    GridPoint lower = along.last;
    if (along.last.loglike > along.highest.loglike) std::swap(lower, along.highest);
    if (lower.loglike > -kInfinity) others_.push_back({epoch, lower});
  }

  std::vector<Along> along_;
  std::vector<Other> others_;
};

}  // namespace

Refits::Refits(const Series& series, const Fit& full, const Ridge& ridge, const Box& box, Mean mean)
    : series_(series), full_(full), box_(box), mean_(mean) {
  look_at_grid(ridge);
}

// For each epoch the maxima along tau of a grid around the ridge, of the likelihood without it,
// from ln p(y without j) = ln p(y) - ln p(y_j | the rest): one sweep per point for all epochs.
void Refits::look_at_grid(const Ridge& ridge) {
  std::vector<Parameters> grid;
  for (const RidgePoint& point : ridge.points) {
    for (const double factor : kSigmaFactors)
      grid.push_back({std::max(point.ln_sigma + std::log(factor), box_.ln_sigma_min), point.ln_tau,
                      full_.ln_jitter});
  }
  double highest_of_all = -kInfinity;
  best_of_all_ = grid[0];
  Peaks peaks(series_.size());
  LooTable& table = workspace;
  for (std::size_t first = 0; first < grid.size(); first += kAtATime) {
    const auto some = std::span(grid).subspan(first, std::min(kAtATime, grid.size() - first));
    leave_one_out_all(series_, some, mean_, LooWant::Densities, table);
    peaks.take(table, first);
    for (std::size_t k = 0; k < some.size(); ++k) {
      if (!(table.loglike[k] > highest_of_all)) continue;
      highest_of_all = table.loglike[k];
      best_of_all_ = some[k];
    }
  }
  peaks.end();
  for (std::size_t j = 0; j < series_.size(); ++j) best_.push_back(grid[peaks.highest(j).at]);
  for (const Peaks::Other& p : peaks.others()) {
    if (p.point.loglike >= peaks.highest(p.epoch).loglike - kGridError)
      others_.push_back({p.epoch, grid[p.point.at]});
  }
  std::stable_sort(others_.begin(), others_.end(),
                   [](const Other& a, const Other& b) { return a.epoch < b.epoch; });
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
    const auto add = [&](const Parameters& p) {
      for (std::size_t i = begin; i < starts.size(); ++i)
        if (are_near(p, starts[i].at)) return;
      starts.push_back({p, j});
      owner.push_back(k);
    };
    add(full_.parameters());
    add(best_[j]);
    auto other =
        std::lower_bound(others_.begin(), others_.end(), j,
                         [](const Other& o, std::size_t epoch) { return o.epoch < epoch; });
    for (; other != others_.end() && other->epoch == j; ++other) add(other->at);
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

namespace {

// A quadratic model of a likelihood, from its values at the points of around().
struct Quadratic {
  explicit Quadratic(const std::array<double, 7>& f)
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
  // The change of ln D by a Newton step.
  double change() const {
    double change = 0;
    for (int i = 0; i < 2; ++i) {
      const double by = gradient.dot(curvature.vectors.col(i)) / stiffness(i);
      change += std::clamp(by, -2.0, 2.0) * slope_of_ln_d(i);
    }
    return std::isfinite(change) ? std::abs(change) : 0;
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

std::vector<Refits::Guess> Refits::guesses(std::size_t n_improbable) const {
  const std::size_t n = series_.size();
  LooTable& table = workspace;
  leave_one_out_all(series_, around(full_), mean_, LooWant::Densities, table);
  std::vector<Guess> out;
  const auto jump = [&](const Parameters& p) {
    return are_near(p, best_of_all_) ? 0 : std::abs(ln_d(p) - ln_d(best_of_all_));
  };
  // Where the light curve hardly constrains D, a quadratic is useless.
  std::array<double, 7> f;
  std::copy_n(table.loglike.begin(), f.size(), f.begin());
  const bool vague = !(Quadratic(f).variance_of_ln_d() < kVague);
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t k = 0; k < f.size(); ++k)
      f[k] = table.loglike[k] - table.logpdf[j * table.stride + k];
    out.push_back({j, vague ? kInfinity : std::max(Quadratic(f).change(), jump(best_[j]))});
  }
  for (const Other& other : others_)
    out[other.epoch].change = std::max(out[other.epoch].change, jump(other.at));
  const auto surprise = [&](const Guess& g) { return -table.logpdf[g.epoch * table.stride + 6]; };
  const auto improbable = static_cast<std::ptrdiff_t>(std::min(n_improbable, n));
  std::partial_sort(
      out.begin(), out.begin() + improbable, out.end(),
      [&](const Guess& a, const Guess& b) { return is_lower(surprise(b), surprise(a)); });
  std::for_each(out.begin(), out.begin() + improbable, [](Guess& g) { g.change = kInfinity; });
  std::stable_sort(out.begin() + improbable, out.end(),
                   [](const Guess& a, const Guess& b) { return a.change > b.change; });
  return out;
}

}  // namespace ou
