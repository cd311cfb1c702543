// What is fitted to the bins of a structure function. A bin without a value takes no part.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "binned.hpp"

namespace sf {

// A finite value with an error above 0; the value may be negative.
bool is_good(const Bin& bin);

// SF = amplitude (lag / 365.25 d)^slope, by least squares in the logarithms, over good bins with
// SF^2 > 0. None with fewer than two such bins.
struct PowerLaw {
  double amplitude, slope;  // mag
};
std::optional<PowerLaw> fit_power_law(std::span<const Bin> bins);

// SF^2 = sf_inf^2 (1 - exp(-lag / tau)) by least squares in SF^2, tau between a third of the
// shortest and ten times the longest lag.
struct Saturation {
  double sf_inf, ln_tau;  // mag, d
  bool at_bound;          // tau is at its bound: only the ratio sf_inf^2 / tau, or sf_inf alone, is
                          // constrained
};
// None with fewer than three good bins or no positive sf_inf^2.
std::optional<Saturation> fit_saturation(std::span<const Bin> bins);

// The same function for many sets of values at the same lags: tau on a grid, then by a parabola
// through the best three nodes, to about 0.01 in ln tau.
class SaturationGrid {
 public:
  // Lags ascend; at least one.
  explicit SaturationGrid(std::span<const double> lags);

  struct Found {
    double sf2;     // sf_inf^2, mag^2; 0 if the best is not positive
    double ln_tau;  // d
  };
  Found fit(std::span<const double> values, std::span<const double> errors) const;

  // The interval of ln tau that holds the minimum.
  struct Interval {
    double low, high;
  };
  Interval bracket(std::span<const double> values, std::span<const double> errors) const;

  double low() const { return low_; }
  double high() const { return low_ + kNodes * step_; }

 private:
  static constexpr int kNodes = 60;
  double ln_tau(int node) const { return low_ + node * step_; }
  std::vector<double> chi2(std::span<const double> values, std::span<const double> errors) const;

  std::vector<double> lags_;
  double low_ = 0, step_ = 0;
  std::vector<double> shapes_;  // 1 - exp(-lag / tau), by node, then lag
};

}  // namespace sf
