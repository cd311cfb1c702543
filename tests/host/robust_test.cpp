// The robust line against cases that are known by other means.
#include "relate/robust.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "qsohost/error.hpp"

namespace {

using namespace qsohost::cli;

struct Sample {
  std::vector<std::vector<double>> x;
  std::vector<double> y;
};

// y = 2 - 1.2 (x - 46) + 0.5 w, scatter 0.3 that grows with x; a tenth of the points is 5 higher
// if `outliers`.
Sample sample_of(std::uint32_t seed, std::size_t n, bool outliers) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  Sample s{{{}, {}}, {}};
  for (std::size_t i = 0; i < n; ++i) {
    const double x = 46 + 0.5 * normal(random), w = normal(random);
    const double spread = 0.3 * std::exp(0.5 * (x - 46));
    s.x[0].push_back(x);
    s.x[1].push_back(w);
    s.y.push_back(2 - 1.2 * (x - 46) + 0.5 * w + spread * normal(random) +
                  (outliers && i % 10 == 0 ? 5 : 0));
  }
  return s;
}

}  // namespace

TEST_CASE("a robust line goes through points without scatter") {
  const std::vector<std::vector<double>> x{{1, 2, 3, 4, 5, 6}};
  const std::vector<double> y{3, 5, 7, 9, 11, 13};
  const RobustFit fit = robust_line(x, y);
  CHECK(fit.centre[0] == 3.5);
  CHECK(fit.intercept == Approx(8).margin(1e-12));
  CHECK(fit.slope[0] == Approx(2).margin(1e-12));
  CHECK(fit.scatter == Approx(0).margin(1e-12));
  CHECK(fit.at(std::vector{10.0}) == Approx(21).margin(1e-12));
}

TEST_CASE("a far point has the weight that Huber gives it") {
  const std::vector<std::vector<double>> x{{0, 1, 2, 3, 4, 5, 6, 7}};
  const std::vector<double> y{0.1, 0.9, 2.2, 2.9, 14, 5.1, 5.8, 7.2};
  const RobustFit fit = robust_line(x, y);
  CHECK(fit.has_converged);
  CHECK(fit.slope[0] == Approx(1.0).margin(0.05));
  CHECK(fit.weight[4] < 0.05);
  CHECK(fit.sd > 3);
  CHECK(fit.scatter < 0.4);
  // At the solution the weighted residuals are orthogonal to all regressors.
  double sum = 0, along = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    sum += fit.weight[i] * fit.residual[i];
    along += fit.weight[i] * fit.residual[i] * x[0][i];
  }
  CHECK(sum == Approx(0).margin(1e-6));
  CHECK(along == Approx(0).margin(1e-6));
}

TEST_CASE("errors of a robust line are those that its scatter over samples shows") {
  for (const bool outliers : {false, true}) {
    double mean = 0, square = 0, claimed = 0;
    constexpr int kSamples = 1000;
    for (std::uint32_t seed = 1; seed <= kSamples; ++seed) {
      const Sample s = sample_of(seed, 400, outliers);
      const RobustFit fit = robust_line(s.x, s.y);
      mean += fit.slope[0] / kSamples;
      square += fit.slope[0] * fit.slope[0] / kSamples;
      claimed += fit.slope_err[0] / kSamples;
    }
    const double found = std::sqrt(square - mean * mean);
    INFO("outliers " << outliers << " found " << found << " claimed " << claimed);
    // Far points on one side alone, where the scatter grows with x, act on the slope, too.
    if (!outliers) CHECK(mean == Approx(-1.2).margin(4 * claimed / std::sqrt(kSamples)));
    CHECK(claimed / found == Approx(1).margin(0.1));
  }
}

TEST_CASE("bands of one object that share their scatter do not count twice") {
  const Sample s = sample_of(3, 400, false);
  Sample twice = s;
  std::vector<std::size_t> object(s.y.size());
  for (std::size_t i = 0; i < object.size(); ++i) object[i] = i;
  for (std::size_t k = 0; k < 2; ++k) {
    twice.x[k].insert(twice.x[k].end(), s.x[k].begin(), s.x[k].end());
  }
  twice.y.insert(twice.y.end(), s.y.begin(), s.y.end());
  std::vector<std::size_t> objects = object;
  objects.insert(objects.end(), object.begin(), object.end());
  const RobustFit once = robust_line(s.x, s.y), both = robust_line(twice.x, twice.y, objects);
  CHECK(both.slope[0] == Approx(once.slope[0]).margin(1e-6));
  CHECK(both.slope_err[0] / once.slope_err[0] == Approx(1).margin(0.01));
}

TEST_CASE("a line that the points do not determine is refused") {
  const std::vector<double> y{1, 2, 3, 4, 5};
  CHECK_THROWS_AS(robust_line({{1, 2, 3}}, std::vector<double>{1, 2, 3}), qsohost::RunError);
  CHECK_THROWS_AS(robust_line({{7, 7, 7, 7, 7}}, y), qsohost::RunError);
  CHECK_THROWS_AS(robust_line({{1, 2, 4, 8, 9}, {2, 4, 8, 16, 18}}, std::vector<double>(5, 1.0)),
                  qsohost::RunError);
}
