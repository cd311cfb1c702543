// Marginal means, leave-one-out predictions and the fitted curve against dense algebra.
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "dense.hpp"
#include "simulate.hpp"

using ou::Mean;
using ou::Want;

namespace {

struct Sample {
  ou::Curve curve = simulate::curve(60, 5);
  ou::Series series;
  std::vector<std::uint8_t> none = std::vector<std::uint8_t>(60), removed = none;
  std::vector<ou::Parameters> at{{std::log(0.15), std::log(100)},
                                 {std::log(0.15), std::log(100), std::log(0.03)},
                                 {std::log(1.0), std::log(3000), std::log(0.001)}};
  Sample() {
    curve.time[20] = curve.time[21];
    series = ou::series_of(curve);
    for (const std::size_t i : {0, 7, 8, 20, 59}) removed[i] = 1;
  }
};

}  // namespace

TEST_CASE("likelihoods with each treatment of the mean, without and with jitter, are dense ones") {
  const Sample s;
  for (const ou::Parameters& p : s.at) {
    const dense::Process all(s.curve.time, s.series, p, s.none);
    for (const Mean mean : {Mean::Fixed, Mean::Profiled, Mean::Marginal}) {
      CHECK(ou::evaluate(s.series, p, mean, Want::Value).loglike ==
            Approx(all.loglike(mean)).epsilon(1e-10));
      CHECK(ou::evaluate_all(s.series, std::vector{ou::Trial{p}}, mean, Want::Value)[0].loglike ==
            Approx(all.loglike(mean)).epsilon(1e-10));
    }
  }
}

TEST_CASE("the gradient with a marginal mean is that of the likelihood") {
  const Sample s;
  const ou::Parameters p = s.at[1];
  const auto e = ou::evaluate(s.series, p, Mean::Marginal, Want::GradientWithJitter);
  const auto lanes = ou::evaluate_all(s.series, std::vector{ou::Trial{p}}, Mean::Marginal,
                                      Want::GradientWithJitter)[0];
  double ou::Parameters::*const members[] = {&ou::Parameters::ln_sigma, &ou::Parameters::ln_tau,
                                             &ou::Parameters::ln_jitter};
  for (std::size_t k = 0; k < 3; ++k) {
    ou::Parameters up = p, down = p;
    up.*members[k] += 1e-4;
    down.*members[k] -= 1e-4;
    const double slope =
        (dense::Process(s.curve.time, s.series, up, s.none).loglike(Mean::Marginal) -
         dense::Process(s.curve.time, s.series, down, s.none).loglike(Mean::Marginal)) /
        2e-4;
    CHECK(e.gradient[k] == Approx(slope).epsilon(1e-5).margin(1e-5));
    CHECK(lanes.gradient[k] == Approx(slope).epsilon(1e-5).margin(1e-5));
  }
}

TEST_CASE("predictions of every epoch are those of a Gaussian process without it") {
  const Sample s;
  for (const ou::Parameters& p : s.at) {
    for (const Mean mean : {Mean::Fixed, Mean::Profiled, Mean::Marginal}) {
      for (const auto& removed : {s.none, s.removed}) {
        const ou::LeaveOneOut loo = ou::leave_one_out(s.series, p, mean, removed);
        for (std::size_t j = 0; j < s.series.size(); ++j) {
          std::vector<std::uint8_t> left_out = removed;
          left_out[j] = 1;
          const auto expected =
              dense::Process(s.curve.time, s.series, p, left_out).predict(s.curve.time[j], mean);
          const double noise = s.series.var[j] + std::exp(2 * p.ln_jitter);
          INFO("epoch " << j << ", removed " << int{removed[j]});
          CHECK(loo.mean[j] == Approx(s.series.reference + expected.mean).epsilon(1e-10));
          CHECK(loo.var[j] == Approx(expected.var + noise).epsilon(1e-8));
        }
      }
    }
  }
}

TEST_CASE("the fitted curve is a Gaussian process's") {
  const Sample s;
  const std::vector<double> grid{0,   10,  11.5, 200,
                                 300, 900, 1700, 2500};  // d since the first epoch
  for (const ou::Parameters& p : s.at) {
    for (const Mean mean : {Mean::Fixed, Mean::Profiled, Mean::Marginal}) {
      const ou::Predicted got = ou::predict_at(s.series, s.removed, grid, p, mean);
      const dense::Process all(s.curve.time, s.series, p, s.removed);
      REQUIRE(got.mean.size() == grid.size());
      for (std::size_t i = 0; i < grid.size(); ++i) {
        const auto expected = all.predict(s.curve.time[0] + grid[i], mean);
        CHECK(got.mean[i] == Approx(s.series.reference + expected.mean).epsilon(1e-10));
        CHECK(got.var[i] == Approx(expected.var).epsilon(1e-7).margin(1e-12));
      }
    }
  }
}
