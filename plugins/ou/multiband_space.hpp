// The parameters of a multi-band fit as coordinates of a space without bounds.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "multiband_fit.hpp"
#include "ou_surface.hpp"

namespace ou::multiband {

inline constexpr double kAtBound = 1e-4;  // a coordinate this near to its bound is at it
inline constexpr int kMostParameters = 2 + 3 * static_cast<int>(kMostBands);
using Vector = Eigen::Matrix<double, Eigen::Dynamic, 1, 0, kMostParameters, 1>;
using Matrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, 0, kMostParameters, kMostParameters>;

struct Place {
  Parameters at;
  Incoherent incoherent;
};

// Coordinates x: ln tau, ln sigma of each band with epochs; if jitter is fitted, for each such band
// ln of the root of jitter^2 + (a typical error)^2; in model M2 ln tau_2 and ln ratio of each band.
// Each is an interval, mapped to a line u (see Interval).
class Space {
 public:
  Space(const Series& series, const Model& model);
  int size() const { return static_cast<int>(axes_.size()); }
  const std::vector<std::size_t>& bands() const { return bands_; }
  bool has_jitter() const { return model_->box.has_jitter(); }

  Vector coordinates(const Place& place) const;
  Place place(const Vector& x) const;
  Vector gradient(const Vector& x, const Gradient& g) const;

  Vector inside(const Vector& u) const;
  Vector inverse(const Vector& x) const;
  // By u, from those by x.
  void to_line(const Vector& u, Vector& gradient, Matrix& curvature) const;

  double error2(std::size_t band) const { return error2_[band]; }  // a typical one, mag^2
  double low(int i) const { return low_[static_cast<std::size_t>(i)]; }
  double high(int i) const { return high_[static_cast<std::size_t>(i)]; }
  double by_jitter(std::size_t band, double x) const;                    // d x / d ln jitter
  int of_sigma(std::size_t k) const { return 1 + static_cast<int>(k); }  // k: place in bands()
  int of_jitter(std::size_t k) const { return 1 + static_cast<int>(bands_.size() + k); }
  int of_ratio(std::size_t k) const;

 private:
  void add_axis(double low, double high);

  const Model* model_;
  std::vector<std::size_t> bands_;
  PerBand<double> error2_{};  // mag^2
  std::vector<double> low_, high_;
  std::vector<Interval> axes_;
};

// Value, gradient and minus the second derivatives in coordinates, by differences of the gradient.
struct Curved {
  Evaluation value;
  Vector gradient;
  Matrix curvature;
};
std::vector<Curved> with_curvature(const Series& series, const Space& space, const Model& model,
                                   std::span<const Vector> places);

}  // namespace ou::multiband
