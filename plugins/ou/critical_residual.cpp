// The only file that includes Boost.Math.
#include <algorithm>
#include <boost/math/distributions/students_t.hpp>

#include "predictive_rule.hpp"

namespace ou {

double critical_residual(std::size_t n, double false_alarms) {
  const double count = std::max(static_cast<double>(n), 1.0);
  // Not by way of long double, which takes as long as a sweep.
  using Doubles = boost::math::policies::policy<boost::math::policies::promote_double<false>>;
  const boost::math::students_t_distribution<double, Doubles> t(std::max(count - 3, 1.0));
  const double per_epoch = std::min(false_alarms / count, 1.0);
  return quantile(complement(t, per_epoch / 2));
}

}  // namespace ou
