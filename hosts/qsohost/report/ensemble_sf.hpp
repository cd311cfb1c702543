// Ensemble structure function: SF^2(lag) is the mean over objects of each object's mean of
// (m_i - m_j)^2 - e_i^2 - e_j^2, in bins of the lag of 0.2 dex from 1 to 10^4 d.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "qsohost/light_curve.hpp"

namespace qsohost::cli {

struct SfPoint {
  double lag;    // d, mean over the pairs
  double sf;     // mag
  double error;  // mag; NaN if the objects are too few
};

// 2 sigma^2 (1 - exp(-lag / tau)), mag^2.
double drw_sf_squared(double sigma, double tau, double lag);

// Every object belongs to one of kParts parts; a delete-one-part jackknife gives the errors, as
// pairs of one object are not independent.
class EnsembleSf {
 public:
  static constexpr std::size_t kParts = 50;

  // Epochs in time order, all of them usable. `object` counts objects.
  void add(const LightCurve& curve, std::size_t object);
  std::uint64_t pairs() const { return pairs_; }
  // Bins with at least 5 objects whose SF^2 is above 0.
  std::vector<SfPoint> points() const;

 private:
  static constexpr std::size_t kBins = 20;
  struct Sum {
    double sf_squared = 0;  // of the objects' means
    double objects = 0;
  };
  SfPoint point(std::size_t bin) const;

  std::array<std::array<Sum, kParts>, kBins> sums_{};
  std::array<double, kBins> lag_sum_{}, lag_pairs_{};
  std::uint64_t pairs_ = 0;
};

}  // namespace qsohost::cli
