#include "multiband_fit.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "loo_clean.hpp"
#include "multiband_space.hpp"
#include "nan.hpp"
#include "newton_climb.hpp"

namespace ou::multiband {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kRough = 1e-2, kFine = 5e-15;  // log-likelihood left to be gained
constexpr std::size_t kMostStarts = 3, kMostFastStarts = 2;
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
  PerBand<double> ln_jitter;              // the same at all
};

Ridges ridges_of(const Series& series, const Space& space, const Box& box,
                 const PerBand<double>& ln_jitter) {
  double shortest = kInfinite;
  for (std::size_t i = 1; i < series.size(); ++i) {
    const double dt = series.time[i] - series.time[i - 1];
    if (dt > 0) shortest = std::min(shortest, dt);
  }
  const double baseline = series.time.back() - series.time.front();
  const double low = std::clamp(std::log(shortest) - 1.5, box.ln_tau_min, box.ln_tau_max);
  const double high = std::clamp(std::log(baseline) + 2.5, low, box.ln_tau_max);
  const int steps = std::max(2, static_cast<int>(std::ceil((high - low) / 0.8)));
  Ridges out;
  out.ln_jitter = ln_jitter;
  for (int i = 0; i <= steps; ++i) out.ln_tau.push_back(low + (high - low) * i / steps);
  out.loglike.resize(out.ln_tau.size());
  out.ln_sigma.resize(out.ln_tau.size());
  for (const std::size_t b : space.bands()) {
    const Ridge ridge =
        ridge_at(one_band(series, b), box, ou::Mean::Profiled, out.ln_tau, ln_jitter[b], 2);
    for (std::size_t i = 0; i < out.ln_tau.size(); ++i) {
      out.loglike[i] += ridge.points[i].loglike;
      out.ln_sigma[i][b] = ridge.points[i].ln_sigma;
    }
  }
  return out;
}

// Places of the local maxima of f, the highest first.
std::vector<std::size_t> peaks_of(const std::vector<double>& f) {
  std::vector<std::size_t> peaks;
  for (std::size_t i = 0; i < f.size(); ++i) {
    if ((i == 0 || f[i] >= f[i - 1]) && (i + 1 == f.size() || f[i] > f[i + 1])) peaks.push_back(i);
  }
  std::ranges::stable_sort(peaks,
                           [&](std::size_t a, std::size_t b) { return is_lower(f[b], f[a]); });
  return peaks;
}

std::vector<Place> starts_on(const Ridges& ridges) {
  std::vector<Place> out;
  for (const std::size_t i : peaks_of(ridges.loglike)) {
    if (out.size() == kMostStarts) break;
    Place place;
    place.at.ln_tau = ridges.ln_tau[i];
    place.at.ln_sigma = ridges.ln_sigma[i];
    place.at.ln_jitter = ridges.ln_jitter;
    out.push_back(place);
  }
  return out;
}

// By band: half the mean square of the differences between neighbouring epochs of the band (mag^2,
// over the shorter half of the intervals), and the median time to the next epoch of any band (d).
struct Neighbours {
  PerBand<double> scatter2{}, dt{};
};

Neighbours neighbours_of(const Series& series, const Space& space) {
  Neighbours out;
  for (const std::size_t b : space.bands()) {
    const ou::Series one = one_band(series, b);
    std::vector<std::size_t> pairs(one.y.size() - 1);
    std::iota(pairs.begin(), pairs.end(), std::size_t{1});
    std::ranges::stable_sort(pairs, {}, [&](std::size_t i) { return one.dt[i]; });
    pairs.resize((pairs.size() + 1) / 2);
    for (const std::size_t i : pairs)
      out.scatter2[b] +=
          std::pow(one.y[i] - one.y[i - 1], 2) / (2 * static_cast<double>(pairs.size()));
    std::vector<double> dt;
    for (std::size_t i = 0; i < series.size(); ++i) {
      if (series.band[i] != b) continue;
      const double before = i == 0 ? kInfinite : series.time[i] - series.time[i - 1];
      const double after = i + 1 == series.size() ? kInfinite : series.time[i + 1] - series.time[i];
      dt.push_back(std::min(before, after));
    }
    std::ranges::nth_element(dt, dt.begin() + static_cast<long>(dt.size() / 2));
    out.dt[b] = dt[dt.size() / 2];
  }
  return out;
}

// Outliers of one of several bands that are observed together, as Gaia's are within a minute, can
// also be variations within that minute, of a process that is much larger than each band shows.
std::vector<Place> starts_with_fast_bands(const Series& series, const Space& space,
                                          const Model& model, const Ridges& ridges) {
  const Neighbours near = neighbours_of(series, space);
  std::vector<Parameters> trials;
  for (std::size_t i = 0; i < ridges.ln_tau.size(); ++i) {
    Parameters& p = trials.emplace_back();
    p.ln_tau = ridges.ln_tau[i];
    for (const std::size_t b : space.bands()) {
      const double share = -std::expm1(-2 * near.dt[b] / std::exp(p.ln_tau));
      p.ln_sigma[b] = std::clamp(0.5 * std::log(near.scatter2[b] / share), ridges.ln_sigma[i][b],
                                 model.box.ln_sigma_max);
    }
  }
  std::vector<double> loglike;
  for (const Evaluation& e : evaluate_all(series, trials, model.mean, Want::Value))
    loglike.push_back(e.loglike);
  std::vector<Place> out;
  for (const std::size_t i : peaks_of(loglike))
    if (out.size() < kMostFastStarts) out.push_back({trials[i], {}});
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

// With jitter, variations faster than the cadence may be noise: from little of it, and from as much
// as neighbouring epochs differ, with the amplitudes that this leaves, or with equal ones.
std::vector<Place> starts_with_jitter(const Series& series, const Space& space, const Box& box) {
  const PerBand<double> scatter2 = neighbours_of(series, space).scatter2;
  std::vector<Place> out;
  for (const double share : {0.0, 1.0}) {
    PerBand<double> ln_jitter = kNoJitter;
    for (const std::size_t b : space.bands())
      ln_jitter[b] = std::clamp(
          0.5 * std::log(std::max(share * (scatter2[b] - space.error2(b)), 0.1 * space.error2(b))),
          box.ln_jitter_min, box.ln_jitter_max);
    for (Place& place : starts_on(ridges_of(series, space, box, ln_jitter))) {
      out.push_back(place);
      if (share == 0) continue;
      std::vector<double> ln_sigmas;
      for (const std::size_t b : space.bands()) ln_sigmas.push_back(place.at.ln_sigma[b]);
      place.at.ln_sigma.fill(median(std::move(ln_sigmas)));
      out.push_back(place);
    }
  }
  return out;
}

std::vector<Place> starts_without_jitter(const Series& series, const Space& space,
                                         const Model& model) {
  const Ridges ridges = ridges_of(series, space, model.box, kNoJitter);
  std::vector<Place> out = starts_on(ridges);
  for (const Place& place : starts_with_fast_bands(series, space, model, ridges))
    out.push_back(place);
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
  std::vector<Place> starts = space.has_jitter() ? starts_with_jitter(series, space, model.box)
                                                 : starts_without_jitter(series, space, model);
  for (const Parameters& p : more) starts.push_back({p, {}});
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
