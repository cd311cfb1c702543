// Waits between attempts that grow, so that a server in trouble is left alone.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>

namespace qsohost::inline v1 {

struct Backoff {
  double first;        // seconds before the second attempt
  double longest;      // seconds
  double factor = 2;   // of each wait to the one before

  // Before the attempt after `attempts` (1, 2, ...) that have failed.
  double seconds(int attempts) const {
    return std::min(longest, first * std::pow(factor, std::max(0, attempts - 1)));
  }
};

// Between a half and the whole, so that those that failed together do not come back together.
template <class Random>
double jittered(double seconds, Random& random) {
  return seconds * std::uniform_real_distribution<double>(0.5, 1)(random);
}

}  // namespace qsohost::inline v1
