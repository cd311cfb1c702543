#include "functions.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace sf {
namespace {

constexpr double kYear = 365.25;  // d

struct Scaled {
  double best;  // factor of the shapes
  double chi2;
};

Scaled scale(std::span<const double> shapes, std::span<const double> values,
             std::span<const double> errors) {
  double ff = 0, fy = 0, yy = 0;
  for (std::size_t k = 0; k < values.size(); ++k) {
    const double f = shapes[k] / errors[k], y = values[k] / errors[k];
    ff += f * f;
    fy += f * y;
    yy += y * y;
  }
  const double best = std::max(0.0, fy / ff);
  return {best, yy - 2 * best * fy + best * best * ff};
}

Scaled scale_at(double ln_tau, std::span<const double> lags, std::span<const double> values,
                std::span<const double> errors) {
  std::vector<double> shapes;
  for (const double lag : lags) shapes.push_back(-std::expm1(-lag / std::exp(ln_tau)));
  return scale(shapes, values, errors);
}

}  // namespace

bool is_good(const Bin& bin) {
  return std::isfinite(bin.sf2) && bin.sf2_err > 0;
}

std::optional<PowerLaw> fit_power_law(std::span<const Bin> bins) {
  double w = 0, wx = 0, wy = 0, wxx = 0, wxy = 0;
  int n = 0;
  for (const Bin& bin : bins) {
    if (!is_good(bin) || bin.sf2 <= 0) continue;
    const double x = std::log(bin.lag / kYear), y = std::log(bin.sf2) / 2;
    const double error = bin.sf2_err / (2 * bin.sf2), weight = 1 / (error * error);
    w += weight;
    wx += weight * x;
    wy += weight * y;
    wxx += weight * x * x;
    wxy += weight * x * y;
    ++n;
  }
  const double determinant = w * wxx - wx * wx;
  if (n < 2 || !(determinant > 0)) return std::nullopt;
  const double slope = (w * wxy - wx * wy) / determinant;
  return PowerLaw{std::exp((wy - slope * wx) / w), slope};
}

SaturationGrid::SaturationGrid(std::span<const double> lags) : lags_(lags.begin(), lags.end()) {
  low_ = std::log(lags_.front() / 3);
  step_ = (std::log(10 * lags_.back()) - low_) / kNodes;
  for (int node = 0; node <= kNodes; ++node) {
    for (const double lag : lags_) shapes_.push_back(-std::expm1(-lag / std::exp(ln_tau(node))));
  }
}

std::vector<double> SaturationGrid::chi2(std::span<const double> values,
                                         std::span<const double> errors) const {
  std::vector<double> chi2;
  for (int node = 0; node <= kNodes; ++node) {
    const auto at = static_cast<std::size_t>(node) * lags_.size();
    chi2.push_back(scale(std::span(shapes_).subspan(at, lags_.size()), values, errors).chi2);
  }
  return chi2;
}

SaturationGrid::Interval SaturationGrid::bracket(std::span<const double> values,
                                                 std::span<const double> errors) const {
  const auto chi2 = this->chi2(values, errors);
  const int best = static_cast<int>(std::ranges::min_element(chi2) - chi2.begin());
  return {ln_tau(std::max(0, best - 1)), ln_tau(std::min(kNodes, best + 1))};
}

SaturationGrid::Found SaturationGrid::fit(std::span<const double> values,
                                          std::span<const double> errors) const {
  const auto chi2 = this->chi2(values, errors);
  const auto best = std::ranges::min_element(chi2) - chi2.begin();
  double found = ln_tau(static_cast<int>(best));
  if (best > 0 && best < kNodes) {
    const auto* c = &chi2[static_cast<std::size_t>(best)];
    const double bend = c[-1] - 2 * c[0] + c[1];
    if (bend > 0) found += step_ * (c[-1] - c[1]) / (2 * bend);
  }
  return {scale_at(found, lags_, values, errors).best, found};
}

std::optional<Saturation> fit_saturation(std::span<const Bin> bins) {
  std::vector<double> lags, values, errors;
  for (const Bin& bin : bins) {
    if (!is_good(bin)) continue;
    lags.push_back(bin.lag);
    values.push_back(bin.sf2);
    errors.push_back(bin.sf2_err);
  }
  if (lags.size() < 3) return std::nullopt;
  const SaturationGrid grid(lags);
  auto [a, b] = grid.bracket(values, errors);
  for (int round = 0; round < 60; ++round) {  // by ternary search
    const double p = a + (b - a) / 3, q = b - (b - a) / 3;
    const bool left =
        scale_at(p, lags, values, errors).chi2 <= scale_at(q, lags, values, errors).chi2;
    (left ? b : a) = left ? q : p;
  }
  const double ln_tau = (a + b) / 2;
  const double sf2 = scale_at(ln_tau, lags, values, errors).best;
  if (!(sf2 > 0)) return std::nullopt;
  return Saturation{std::sqrt(sf2), ln_tau,
                    ln_tau - grid.low() < 1e-6 || grid.high() - ln_tau < 1e-6};
}

}  // namespace sf
