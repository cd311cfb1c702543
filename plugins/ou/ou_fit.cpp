#include "ou_fit.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <limits>

#include "nan.hpp"
#include "ou_surface.hpp"

namespace ou {
namespace {

constexpr double kAtBound = 1e-4;  // in ln sigma or ln tau
constexpr double kFlat = 1e-6;     // curvature below this counts as none
constexpr double kScreening = 1e-2;
constexpr double kFine = 1e-7;
constexpr double kFarBelow = 40;      // log-likelihood
constexpr double kEnoughOnRidge = 2;  // log-likelihood
constexpr double kConcave = 5e-11;    // least eigenvalue of a scaled information matrix

std::uint8_t bounds_at(const Parameters& p, const Box& box) {
  std::uint8_t bounds = 0;
  if (p.ln_sigma - box.ln_sigma_min < kAtBound) bounds |= kSigmaLow;
  if (box.ln_sigma_max - p.ln_sigma < kAtBound) bounds |= kSigmaHigh;
  if (p.ln_tau - box.ln_tau_min < kAtBound) bounds |= kTauLow;
  if (box.ln_tau_max - p.ln_tau < kAtBound) bounds |= kTauHigh;
  return bounds;
}

template <int D>
Fit fit_at(const Surface<D>& surface, const Box& box, const Summit<D>& summit) {
  Parameters p = surface.parameters(summit.best.u);
  Fit fit;
  fit.bounds = bounds_at(p, box);
  if constexpr (D == 3) {
    const double least = surface.coordinates().of({0, 0, box.ln_jitter_min})[2];
    if (surface.inside(summit.best.u)[2] - least < kAtBound) {
      p.ln_jitter = box.ln_jitter_min;
      fit.bounds |= kJitterLow;
    }
  }
  fit.ln_sigma = p.ln_sigma;
  fit.ln_tau = p.ln_tau;
  fit.ln_jitter = p.ln_jitter;
  fit.mean = summit.best.value.mean;
  fit.loglike = summit.best.value.loglike;
  fit.chi2 = summit.best.value.chi2;
  fit.evaluations = summit.evaluations;
  // At the rounding level of the log-likelihood no step gains, even at the optimum.
  fit.converged = std::isfinite(fit.loglike) && (summit.converged || summit.to_gain < kSameLoglike);
  return fit;
}

// Maxima of the ridge: where its slope changes sign from + to -, and ends that rise outwards.
std::vector<Start> starts_on(const Ridge& ridge) {
  std::vector<RidgePoint> found;
  const auto& points = ridge.points;
  if (points.front().slope <= 0) found.push_back(points.front());
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const RidgePoint &a = points[i], &b = points[i + 1];
    if (a.slope > 0 && b.slope <= 0) {
      const double t = a.slope / (a.slope - b.slope);
      found.push_back({a.ln_sigma + t * (b.ln_sigma - a.ln_sigma),
                       a.ln_tau + t * (b.ln_tau - a.ln_tau), std::max(a.loglike, b.loglike), 0, 0});
    }
  }
  if (points.back().slope > 0) found.push_back(points.back());
  std::stable_sort(found.begin(), found.end(), [](const RidgePoint& a, const RidgePoint& b) {
    return is_lower(b.loglike, a.loglike);
  });
  constexpr std::size_t kMost = 3;
  std::vector<Start> starts;
  for (const RidgePoint& p : found)
    if (starts.size() < kMost) starts.push_back({{p.ln_sigma, p.ln_tau}});
  return starts;
}

// The white noise that is seen in steps between successive epochs, mag^2; robust to outliers.
double variance_of_steps(const Series& series) {
  std::vector<double> squares;
  for (std::size_t i = 1; i < series.size(); ++i) {
    const double step = series.y[i] - series.y[i - 1];
    squares.push_back(step * step / 2);
  }
  if (squares.empty()) return 0;
  const auto middle = squares.begin() + static_cast<std::ptrdiff_t>(squares.size() / 2);
  std::nth_element(squares.begin(), middle, squares.end());
  constexpr double kMedianOfChi2 = 0.455;
  return *middle / kMedianOfChi2;
}

// Jitter takes the place of variations faster than the cadence, so that a longer tau may be the
// best with it, whatever the ridge without it says.
void add_jitter(const Series& series, const Ridge& ridge, const Box& box,
                std::vector<Start>& starts) {
  double weight = 0;
  for (const double v : series.var) weight += 1 / v;
  const double error2 = static_cast<double>(series.size()) / weight;
  const auto clamped = [&](double variance) {
    return std::clamp(0.5 * std::log(variance), box.ln_jitter_min, box.ln_jitter_max);
  };
  const double small = clamped(0.1 * error2);
  const double large = clamped(std::max(variance_of_steps(series) - error2, error2));
  for (Start& s : starts)
    if (std::isinf(s.at.ln_jitter)) s.at.ln_jitter = small;
  constexpr std::size_t kPlaces = 5;
  for (std::size_t i = 0; i < kPlaces; ++i) {
    const RidgePoint& p = ridge.points[i * (ridge.points.size() - 1) / (kPlaces - 1)];
    starts.push_back({{p.ln_sigma, p.ln_tau, large}});
  }
}

// Variance beyond the errors, and the range of tau that is constrained.
struct Rough {
  double variance, shortest, baseline;
};
Rough roughly(const Series& series) {
  Rough out{0, std::numeric_limits<double>::infinity(), 0};
  double mean = 0, errors = 0;
  const auto n = static_cast<double>(series.size());
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (series.dt[i] > 0) out.shortest = std::min(out.shortest, series.dt[i]);
    out.baseline += series.dt[i];
    mean += series.y[i];
    errors += series.var[i];
  }
  mean /= n;
  errors /= n;
  for (const double y : series.y) out.variance += (y - mean) * (y - mean);
  out.variance /= n;
  out.variance = std::max(out.variance - errors, 0.05 * out.variance);
  return out;
}

}  // namespace

Box standard_box() {
  return {std::log(0.001), std::log(100.0), std::log(0.1), std::log(1e4)};
}

Box with_jitter(Box box) {
  box.ln_jitter_min = std::log(1e-6);
  box.ln_jitter_max = std::max(box.ln_sigma_max, box.ln_jitter_min + 1);
  return box;
}

Ridge ridge_at(const Series& series, const Box& box, Mean mean, std::span<const double> ln_taus,
               double ln_jitter, double enough, const Ridge* before) {
  const Rough rough = roughly(series);
  const Digits digits = enough >= kEnoughOnRidge ? Digits::Single : Digits::Double;
  const bool starts_there = before != nullptr && before->points.size() == ln_taus.size();
  Ridge ridge;
  std::vector<Trial> trials;
  for (const double ln_tau : ln_taus) {
    // If a process is longer than the light curve, only part of its variance is visible.
    const double hidden = 1 + 2 * std::exp(ln_tau) / std::max(rough.baseline, 1e-300);
    double ln_sigma = 0.5 * std::log(std::max(rough.variance * hidden, 1e-300));
    if (starts_there) ln_sigma = std::min(ln_sigma, before->points[trials.size()].ln_sigma);
    trials.push_back(
        {{std::clamp(ln_sigma, box.ln_sigma_min, box.ln_sigma_max), ln_tau, ln_jitter}});
  }
  ridge.points.resize(trials.size());
  double highest = -std::numeric_limits<double>::infinity();
  std::vector<std::size_t> at(trials.size());
  for (std::size_t i = 0; i < at.size(); ++i) at[i] = i;
  for (int round = 0; round < 4 && !trials.empty(); ++round) {
    const std::vector<Evaluation> found =
        evaluate_all(series, trials, mean, Want::Gradient, digits);
    ridge.evaluations += static_cast<int>(trials.size());
    std::vector<Trial> again;
    std::vector<std::size_t> again_at;
    for (std::size_t k = 0; k < trials.size(); ++k) {
      const Evaluation& e = found[k];
      const Parameters p = trials[k].at;
      const double curvature = std::max(e.information[0], kFlat);
      // Newton's step in ln sigma, or where errors are small that to the best factor of sigma^2.
      const double step = 0.5 * std::log1p(2 * std::clamp(e.gradient[0] / curvature, -0.45, 5.0));
      const double next = std::clamp(p.ln_sigma + step, box.ln_sigma_min, box.ln_sigma_max);
      const double gain = 0.5 * (next - p.ln_sigma) * e.gradient[0];
      const double by_tau = next == p.ln_sigma ? 0 : e.information[1] / curvature;
      ridge.points[at[k]] = {next, p.ln_tau, e.loglike + gain,
                             e.gradient[1] - by_tau * e.gradient[0], e.information[0]};
      highest = std::max(highest, e.loglike);
      // Far below the highest only the course of the ridge counts.
      if (gain < enough || (round > 0 && e.loglike + 2 * gain + kFarBelow < highest)) continue;
      again.push_back({{next, p.ln_tau, ln_jitter}});
      again_at.push_back(at[k]);
    }
    trials = std::move(again);
    at = std::move(again_at);
  }
  return ridge;
}

Ridge look_along_tau(const Series& series, const Box& box, Mean mean, const Ridge* before) {
  const Rough rough = roughly(series);
  // Outside this range tau makes no difference.
  const double low = std::clamp(std::log(rough.shortest) - 1.5, box.ln_tau_min, box.ln_tau_max);
  const double high = std::clamp(std::log(rough.baseline) + 2.5, low, box.ln_tau_max);
  const int steps = std::max(2, static_cast<int>(std::ceil((high - low) / 1.1)));
  std::vector<double> ln_taus;
  for (int i = 0; i <= steps; ++i) ln_taus.push_back(low + (high - low) * i / steps);
  return ridge_at(series, box, mean, ln_taus, Parameters{}.ln_jitter, kEnoughOnRidge, before);
}

bool are_near(const Parameters& a, const Parameters& b) {
  return std::abs(a.ln_sigma - b.ln_sigma) < 0.6 && std::abs(a.ln_tau - b.ln_tau) < 0.8;
}

bool is_lower(double a, double b) {
  return std::isnan(a) ? !std::isnan(b) : a < b;
}

const Fit& better(const Fit& first, const Fit& second) {
  if (first.converged != second.converged) return first.converged ? first : second;
  return is_lower(first.loglike + kSameLoglike, second.loglike) ? second : first;
}

namespace {

// Of all parameters; NaN where the likelihood is not concave. A parameter on its bound counts as
// known: its row and column are 0.
template <int D>
Matrix<D> covariance_of(Matrix<D> curvature, const std::array<bool, D>& fixed) {
  for (int i = 0; i < D; ++i) {
    if (!fixed[static_cast<std::size_t>(i)]) continue;
    curvature.row(i).setZero();
    curvature.col(i).setZero();
    curvature(i, i) = 1;
  }
  const Vector<D> scale = curvature.diagonal().cwiseSqrt();  // NaN for negative ones
  const Matrix<D> scaled =
      scale.cwiseInverse().asDiagonal() * curvature * scale.cwiseInverse().asDiagonal();
  if (!(decompose(scaled).values[D - 1] > kConcave)) return Matrix<D>::Constant(kNaN);
  Matrix<D> covariance =
      scale.cwiseInverse().asDiagonal() * scaled.inverse() * scale.cwiseInverse().asDiagonal();
  for (int i = 0; i < D; ++i) {
    if (!fixed[static_cast<std::size_t>(i)]) continue;
    covariance(i, i) = 0;
  }
  return covariance;
}

template <int D>
Errors errors_at(const Surface<D>& surface, const Summit<D>& summit, std::uint8_t bounds) {
  const auto at_bound = [&](int some) { return (bounds & some) != 0; };
  std::array<bool, D> fixed{at_bound(kSigmaLow | kSigmaHigh), at_bound(kTauLow | kTauHigh)};
  if constexpr (D == 3) fixed[2] = at_bound(kJitterLow);
  const Matrix<D> c = covariance_of<D>(summit.best.curvature, fixed);
  const auto root = [](double v) { return v > 0 && std::isfinite(v) ? std::sqrt(v) : kNaN; };
  Errors errors{root(c(0, 0)), root(c(1, 1)), root(4 * c(0, 0) + c(1, 1) - 4 * c(0, 1)),
                fixed[0] || fixed[1] ? kNaN : c(0, 1), kNaN};
  if constexpr (D == 3)
    errors.ln_jitter =
        root(c(2, 2)) / surface.coordinates().by_jitter(surface.inside(summit.best.u)[2]);
  return errors;
}

template <int D>
Fit fit_highest(const Series& series, const Box& box, Mean mean, std::span<const Start> starts) {
  const Surface<D> surface(series, box);
  const Summit<D> top = climb_to_highest<D>(series, box, mean, starts, kFine);
  Fit fit = fit_at(surface, box, top);
  fit.errors = errors_at(surface, top, fit.bounds);
  std::size_t at = 0;
  for (int i = 0; i < D; ++i)
    for (int k = 0; k <= i; ++k) fit.curvature[at++] = top.best.curvature(i, k);
  return fit;
}

template <int D>
std::vector<Fit> fit_each_in(const Series& series, const Box& box, Mean mean,
                             std::span<const Start> starts, double precision) {
  const Surface<D> surface(series, box);
  std::vector<Fit> fits;
  if (starts.size() == 1) {
    fits.push_back(
        fit_at(surface, box, climb_to_top<D>(series, box, mean, starts[0], {}, precision)));
    return fits;
  }
  const std::vector<Summit<D>> summits = climb_all<D>(series, box, mean, starts, precision);
  for (std::size_t k = 0; k < starts.size(); ++k) {
    Summit<D> summit = summits[k];
    if (!summit.converged && std::isfinite(summit.best.value.loglike))
      summit = climb_to_top<D>(series, box, mean, starts[k], summit, kFine);
    fits.push_back(fit_at(surface, box, summit));
  }
  return fits;
}

}  // namespace

Fit fit_global(const Series& series, const Box& box, Mean mean, const Ridge& ridge,
               std::span<const Parameters> more) {
  std::vector<Start> starts;
  for (const Parameters& p : more) starts.push_back({p});
  for (const Start& s : starts_on(ridge)) {
    if (std::ranges::none_of(more, [&](const Parameters& p) { return are_near(p, s.at); }))
      starts.push_back(s);
  }
  if (starts.empty()) starts.push_back({{ridge.points[0].ln_sigma, ridge.points[0].ln_tau}});
  if (box.has_jitter()) add_jitter(series, ridge, box, starts);
  Fit fit = box.has_jitter() ? fit_highest<3>(series, box, mean, starts)
                             : fit_highest<2>(series, box, mean, starts);
  fit.evaluations += ridge.evaluations;
  return fit;
}

std::vector<Fit> fit_each(const Series& series, const Box& box, Mean mean,
                          std::span<const Start> starts, Precision precision) {
  const double to = precision == Precision::Full ? kFine : kScreening;
  return box.has_jitter() ? fit_each_in<3>(series, box, mean, starts, to)
                          : fit_each_in<2>(series, box, mean, starts, to);
}

bool Errors::some_undefined() const {
  return std::isnan(ln_sigma + ln_tau + ln_d + covariance);
}

}  // namespace ou
