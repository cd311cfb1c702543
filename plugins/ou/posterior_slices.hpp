// The posterior along ln sigma at chosen values of tau.
#pragma once

#include <vector>

#include "ou_posterior.hpp"

namespace ou {

// A natural cubic spline through at least two points of ascending x.
class Spline {
 public:
  Spline(const std::vector<double>& x, const std::vector<double>& y);
  // Between points i and i + 1, at the fraction t of the way.
  double at(std::size_t i, double t) const;

 private:
  std::vector<double> x_, y_, bend_;  // bend: second derivatives
};

struct Slice {
  struct Cell {
    double at, mass;
  };
  double ln_tau = 0;
  double centre = 0;        // median of ln sigma
  double ln_mass = 0;       // ln of the density of ln tau
  std::vector<Cell> cells;  // of ln sigma, ascending; masses sum to 1
};

// At least two, ascending in tau, denser where the density changes faster. Where it is below e^-12
// of the highest there are none.
std::vector<Slice> slices_of(const Series& series, const Box& box, Prior prior, double ln_jitter);

// Gauss's rule of at most so many points for these masses.
std::vector<Slice::Cell> gauss_rule(const std::vector<Slice::Cell>& cells, int points);

}  // namespace ou
