#include "multiband_fit.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "multiband_space.hpp"
#include "newton_climb.hpp"

namespace ou::multiband {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kAtBound = 1e-4;
constexpr double kRough = 1e-2, kFine = 5e-15;  // log-likelihood left to be gained
constexpr std::size_t kMostStarts = 3;
using Climb = NewtonClimb<Vector, Matrix>;

ou::Series one_band(const Series& series, std::size_t band) {
  ou::Series out;
  double last = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (series.band[i] != band) continue;
    out.dt.push_back(out.dt.empty() ? 0 : series.time[i] - last);
    out.y.push_back(series.y[i]);
    out.var.push_back(series.var[i]);
    last = series.time[i];
  }
  return out;
}

// The ridges of the bands, fitted one by one at the same values of tau: what they have in common is
// the starting point of the joint fit.
struct Ridges {
  std::vector<double> ln_tau, loglike;    // summed over bands
  std::vector<PerBand<double>> ln_sigma;  // by tau
};

Ridges ridges_of(const Series& series, const Space& space, const Box& box) {
  double shortest = std::numeric_limits<double>::infinity();
  for (std::size_t i = 1; i < series.size(); ++i) {
    const double dt = series.time[i] - series.time[i - 1];
    if (dt > 0) shortest = std::min(shortest, dt);
  }
  const double baseline = series.time.back() - series.time.front();
  const double low = std::clamp(std::log(shortest) - 1.5, box.ln_tau_min, box.ln_tau_max);
  const double high = std::clamp(std::log(baseline) + 2.5, low, box.ln_tau_max);
  const int steps = std::max(2, static_cast<int>(std::ceil((high - low) / 0.8)));
  Ridges out;
  for (int i = 0; i <= steps; ++i) out.ln_tau.push_back(low + (high - low) * i / steps);
  out.loglike.resize(out.ln_tau.size());
  out.ln_sigma.resize(out.ln_tau.size());
  for (const std::size_t b : space.bands()) {
    const Ridge ridge = ridge_at(one_band(series, b), box, ou::Mean::Profiled, out.ln_tau,
                                 -std::numeric_limits<double>::infinity(), 2);
    for (std::size_t i = 0; i < out.ln_tau.size(); ++i) {
      out.loglike[i] += ridge.points[i].loglike;
      out.ln_sigma[i][b] = ridge.points[i].ln_sigma;
    }
  }
  return out;
}

std::vector<Place> starts_on(const Ridges& ridges) {
  const auto& f = ridges.loglike;
  std::vector<std::size_t> peaks;
  for (std::size_t i = 0; i < f.size(); ++i) {
    if ((i == 0 || f[i] >= f[i - 1]) && (i + 1 == f.size() || f[i] > f[i + 1])) peaks.push_back(i);
  }
  std::ranges::stable_sort(peaks,
                           [&](std::size_t a, std::size_t b) { return is_lower(f[b], f[a]); });
  std::vector<Place> out;
  for (const std::size_t i : peaks) {
    if (out.size() == kMostStarts) break;
    Place place;
    place.at.ln_tau = ridges.ln_tau[i];
    place.at.ln_sigma = ridges.ln_sigma[i];
    out.push_back(place);
  }
  return out;
}

// Side by side, until each is near a maximum.
void climb_all(const Series& series, const Space& space, const Model& model,
               std::vector<Climb>& climbs, double least_gain) {
  for (;;) {
    std::vector<Climb*> climbing;
    std::vector<Vector> places;
    for (Climb& c : climbs) {
      if (c.is_done(least_gain)) continue;
      climbing.push_back(&c);
      places.push_back(space.inside(c.next()));
    }
    if (climbing.empty()) return;
    std::vector<Curved> found = with_curvature(series, space, model, places);
    for (std::size_t k = 0; k < climbing.size(); ++k) {
      space.to_line(climbing[k]->next(), found[k].gradient, found[k].curvature);
      climbing[k]->take(found[k].value.loglike, found[k].gradient, found[k].curvature);
    }
  }
}

// The covariance of the coordinates that are not on a bound; 0 for the rest.
Matrix covariance_of(const Matrix& curvature, const std::vector<bool>& fixed) {
  std::vector<int> free;
  for (int i = 0; i < curvature.rows(); ++i)
    if (!fixed[static_cast<std::size_t>(i)]) free.push_back(i);
  Matrix out = Matrix::Zero(curvature.rows(), curvature.rows());
  if (free.empty()) return out;
  const Matrix part = curvature(free, free);
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(part);
  if (!(eigen.eigenvalues().minCoeff() > 1e-10 * eigen.eigenvalues().maxCoeff())) {
    out.setConstant(kNaN);
    return out;
  }
  out(free, free) = eigen.eigenvectors() * eigen.eigenvalues().cwiseInverse().asDiagonal() *
                    eigen.eigenvectors().transpose();
  return out;
}

double root(double variance) {
  return variance > 0 && std::isfinite(variance) ? std::sqrt(variance) : kNaN;
}

void set_errors(const Space& space, const Vector& x, const Matrix& c, Fit& fit) {
  fit.err_ln_tau = root(c(0, 0));
  for (std::size_t k = 0; k < space.bands().size(); ++k) {
    const std::size_t b = space.bands()[k];
    const int s = space.of_sigma(k), first = space.of_sigma(0);
    fit.err_ln_sigma[b] = root(c(s, s));
    fit.err_ln_d[b] = root(4 * c(s, s) + c(0, 0) - 4 * c(s, 0));
    fit.err_ln_ratio[b] = k == 0 ? 0 : root(c(s, s) + c(first, first) - 2 * c(s, first));
    if (space.has_jitter()) {
      const int j = space.of_jitter(k);
      fit.err_ln_jitter[b] = root(c(j, j)) / space.by_jitter(b, x[j]);
    }
  }
}

Fit finish(const Series& series, const Space& space, const Model& model, const Climb& top) {
  Fit fit;
  const Vector x = space.inside(top.best());
  const Place place = space.place(x);
  const Vector there[] = {x};
  const Curved last = with_curvature(series, space, model, there)[0];
  fit.at = place.at;
  fit.incoherent = place.incoherent;
  fit.value = last.value;
  fit.converged = std::isfinite(top.value()) && top.to_gain() < kSameLoglike;
  fit.n_parameters = space.size() + static_cast<int>(space.bands().size() + model.lagged.size());
  std::vector<bool> fixed;
  for (int i = 0; i < space.size(); ++i)
    fixed.push_back(x[i] - space.low(i) < kAtBound || space.high(i) - x[i] < kAtBound);
  const auto bounds = [&](int i, std::uint8_t low, std::uint8_t high) {
    return static_cast<std::uint8_t>(x[i] - space.low(i) < kAtBound    ? low
                                     : space.high(i) - x[i] < kAtBound ? high
                                                                       : 0);
  };
  fit.tau_bounds = bounds(0, kTauLow, kTauHigh);
  for (std::size_t k = 0; k < space.bands().size(); ++k) {
    const std::size_t b = space.bands()[k];
    fit.bands_with_epochs |= 1U << b;
    fit.bounds[b] = bounds(space.of_sigma(k), kSigmaLow, kSigmaHigh);
    if (!space.has_jitter() || bounds(space.of_jitter(k), kJitterLow, 0) == 0) continue;
    fit.bounds[b] |= kJitterLow;
    fit.at.ln_jitter[b] = model.box.ln_jitter_min;
  }
  set_errors(space, x, covariance_of(last.curvature, fixed), fit);
  return fit;
}

// With jitter, variations faster than the cadence may be noise: from a little of it, and from as
// much as the errors.
std::vector<Place> with_jitter(const std::vector<Place>& starts, const Series& series,
                               const Space& space, const Box& box) {
  PerBand<double> weight{}, count{};
  for (std::size_t i = 0; i < series.size(); ++i) {
    weight[series.band[i]] += 1 / series.var[i];
    ++count[series.band[i]];
  }
  std::vector<Place> out;
  for (const double share : {0.1, 2.0}) {
    for (Place place : starts) {
      for (const std::size_t b : space.bands())
        place.at.ln_jitter[b] = std::clamp(0.5 * std::log(share * count[b] / weight[b]),
                                           box.ln_jitter_min, box.ln_jitter_max);
      out.push_back(place);
    }
  }
  return out;
}

// "Common slow, private fast", and the reverse.
std::vector<Place> with_private_parts(const std::vector<Place>& starts, const Space& space) {
  std::vector<Place> out;
  for (const double factor : {0.1, 10.0}) {
    Place place = starts.front();
    place.incoherent.ln_tau = place.at.ln_tau + std::log(factor);
    for (const std::size_t b : space.bands()) place.incoherent.ln_ratio[b] = std::log(0.3);
    out.push_back(place);
  }
  return out;
}

}  // namespace

Fit fit_global(const Series& series, const Model& model, std::span<const Parameters> more) {
  const Space space(series, model);
  std::vector<Place> starts = starts_on(ridges_of(series, space, model.box));
  for (const Parameters& p : more) starts.push_back({p, {}});
  if (space.has_jitter()) starts = with_jitter(starts, series, space, model.box);
  if (model.incoherent) starts = with_private_parts(starts, space);
  std::vector<Climb> climbs;
  for (const Place& place : starts) climbs.emplace_back(space.inverse(space.coordinates(place)));
  climb_all(series, space, model, climbs, kRough);
  const auto highest = std::ranges::max_element(
      climbs, [](const Climb& a, const Climb& b) { return is_lower(a.value(), b.value()); });
  std::vector<Climb> top{*highest};
  climb_all(series, space, model, top, kFine);
  Fit fit = finish(series, space, model, top[0]);
  for (const Climb& c : climbs) fit.evaluations += c.evaluations() * (space.size() + 1);
  return fit;
}

double aic(const Fit& fit) {
  return 2 * fit.n_parameters - 2 * fit.value.loglike;
}
double bic(const Fit& fit, std::size_t epochs) {
  return fit.n_parameters * std::log(static_cast<double>(epochs)) - 2 * fit.value.loglike;
}

}  // namespace ou::multiband
