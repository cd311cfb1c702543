#include "multiband_space.hpp"

#include <algorithm>
#include <cmath>

namespace ou::multiband {
namespace {

constexpr double kLeastRatio = 1e-3, kMostRatio = 10;  // of M2

}  // namespace

Space::Space(const Series& series, const Model& model) : model_(&model) {
  PerBand<double> weight{}, count{};
  for (std::size_t i = 0; i < series.size(); ++i) {
    weight[series.band[i]] += 1 / series.var[i];
    ++count[series.band[i]];
  }
  for (std::size_t b = 0; b < series.bands; ++b) {
    if (count[b] == 0) continue;
    bands_.push_back(b);
    error2_[b] = count[b] / weight[b];
  }
  const Box& box = model.box;
  add_axis(box.ln_tau_min, box.ln_tau_max);
  for (std::size_t k = 0; k < bands_.size(); ++k) add_axis(box.ln_sigma_min, box.ln_sigma_max);
  if (has_jitter()) {
    const auto with_error = [](double ln_jitter, double error2) {
      return 0.5 * std::log(std::exp(2 * ln_jitter) + error2);
    };
    for (const std::size_t b : bands_)
      add_axis(with_error(box.ln_jitter_min, error2_[b]),
               with_error(box.ln_jitter_max, error2_[b]));
  }
  if (model.incoherent) {
    add_axis(box.ln_tau_min, box.ln_tau_max);
    for (std::size_t k = 0; k < bands_.size(); ++k)
      add_axis(std::log(kLeastRatio), std::log(kMostRatio));
  }
}

void Space::add_axis(double low, double high) {
  low_.push_back(low);
  high_.push_back(high);
  axes_.emplace_back(low, high);
}

int Space::of_ratio(std::size_t k) const {
  return size() - static_cast<int>(bands_.size() - k);
}

double Space::by_jitter(std::size_t band, double x) const {
  const double all = std::exp(2 * x);
  return std::max(all - error2_[band], 1e-30) / all;
}

Vector Space::coordinates(const Place& place) const {
  Vector x(size());
  x[0] = place.at.ln_tau;
  for (std::size_t k = 0; k < bands_.size(); ++k) {
    const std::size_t b = bands_[k];
    x[of_sigma(k)] = place.at.ln_sigma[b];
    if (has_jitter())
      x[of_jitter(k)] = 0.5 * std::log(std::exp(2 * place.at.ln_jitter[b]) + error2_[b]);
    if (model_->incoherent) x[of_ratio(k)] = place.incoherent.ln_ratio[b];
  }
  if (model_->incoherent) x[of_ratio(0) - 1] = place.incoherent.ln_tau;
  return x;
}

Place Space::place(const Vector& x) const {
  Place place;
  place.at.ln_tau = x[0];
  place.at.lag = model_->lag;
  for (std::size_t k = 0; k < bands_.size(); ++k) {
    const std::size_t b = bands_[k];
    place.at.ln_sigma[b] = x[of_sigma(k)];
    if (has_jitter())
      place.at.ln_jitter[b] =
          0.5 * std::log(std::max(std::exp(2 * x[of_jitter(k)]) - error2_[b], 1e-30));
    if (model_->incoherent) place.incoherent.ln_ratio[b] = x[of_ratio(k)];
  }
  if (model_->incoherent) place.incoherent.ln_tau = x[of_ratio(0) - 1];
  return place;
}

Vector Space::gradient(const Vector& x, const Gradient& g) const {
  Vector out(size());
  out[0] = g.ln_tau;
  for (std::size_t k = 0; k < bands_.size(); ++k) {
    const std::size_t b = bands_[k];
    out[of_sigma(k)] = g.ln_sigma[b];
    if (has_jitter()) out[of_jitter(k)] = g.ln_jitter[b] / by_jitter(b, x[of_jitter(k)]);
    if (model_->incoherent) out[of_ratio(k)] = g.incoherent.ln_ratio[b];
  }
  if (model_->incoherent) out[of_ratio(0) - 1] = g.incoherent.ln_tau;
  return out;
}

Vector Space::inside(const Vector& u) const {
  Vector x(size());
  for (int i = 0; i < size(); ++i) x[i] = axes_[static_cast<std::size_t>(i)].value(u[i]);
  return x;
}

Vector Space::inverse(const Vector& x) const {
  Vector u(size());
  for (int i = 0; i < size(); ++i) u[i] = axes_[static_cast<std::size_t>(i)].inverse(x[i]);
  return u;
}

void Space::to_line(const Vector& u, Vector& gradient, Matrix& curvature) const {
  for (int i = 0; i < size(); ++i) {
    const Interval& axis = axes_[static_cast<std::size_t>(i)];
    const double slope = axis.slope(u[i]);
    curvature.row(i) *= slope;
    curvature.col(i) *= slope;
    curvature(i, i) -= gradient[i] * axis.bend(u[i]);
    gradient[i] *= slope;
  }
}

std::vector<Curved> with_curvature(const Series& series, const Space& space, const Model& model,
                                   std::span<const Vector> places) {
  constexpr double kStep = 1e-5;
  std::vector<Vector> x;
  for (const Vector& place : places) {
    x.push_back(place);
    for (int i = 0; i < space.size(); ++i) {
      x.push_back(place);
      x.back()[i] += kStep;
    }
  }
  std::vector<Parameters> trials;
  std::vector<Incoherent> incoherent;
  for (const Vector& v : x) {
    const Place place = space.place(v);
    trials.push_back(place.at);
    incoherent.push_back(place.incoherent);
  }
  const auto found = model.incoherent
                         ? evaluate_all(series, trials, incoherent, model.mean, Want::Gradient)
                         : evaluate_all(series, trials, model.mean, Want::Gradient);
  std::vector<Curved> out;
  for (std::size_t k = 0; k < x.size(); k += static_cast<std::size_t>(space.size()) + 1) {
    Curved c{found[k], space.gradient(x[k], found[k].gradient), Matrix(space.size(), space.size())};
    for (int i = 0; i < space.size(); ++i) {
      const std::size_t at = k + 1 + static_cast<std::size_t>(i);
      c.curvature.col(i) = (c.gradient - space.gradient(x[at], found[at].gradient)) / kStep;
    }
    c.curvature = ((c.curvature + c.curvature.transpose()) / 2).eval();
    out.push_back(std::move(c));
  }
  return out;
}

}  // namespace ou::multiband
