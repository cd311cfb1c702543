// Exponential back-off between attempts, so that a failing server is not overloaded.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>

namespace qsohost::inline v1 {

struct Backoff {
  double first;       // seconds before the second attempt
  double longest;     // seconds
  double factor = 2;  // ratio of each wait to the one before

  // The wait before the next attempt, after `attempts` (1, 2, ...) failures.
  double seconds(int attempts) const {
    return std::min(longest, first * std::pow(factor, std::max(0, attempts - 1)));
  }
};

// Between half and all of it, so that clients that failed together do not retry together.
template <class Random>
double jittered(double seconds, Random& random) {
  return seconds * std::uniform_real_distribution<double>(0.5, 1)(random);
}

}  // namespace qsohost::inline v1
