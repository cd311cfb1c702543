// Fits with jitter on simulated light curves whose errors may be too small.
#include <catch2/catch.hpp>
#include <cmath>
#include <sstream>

#include "fit_summary.hpp"
#include "ou_surface.hpp"
#include "simulate.hpp"

using ou::Mean;

namespace {

double densest(const ou::Series& series, const ou::Box& box, Mean mean) {
  std::vector<ou::Start> starts;
  for (const double sigma : {0.02, 0.1, 0.4, 1.5}) {
    for (const double tau : {0.3, 3.0, 30.0, 300.0, 3000.0})
      for (const double jitter : {0.0002, 0.005, 0.03, 0.15})
        starts.push_back({{std::log(sigma), std::log(tau), std::log(jitter)}});
  }
  double best = -1e300;
  for (const auto& summit : ou::climb_all<3>(series, box, mean, starts, 1e-2))
    best = std::max(best, summit.best.value.loglike);
  return best;
}

ou::Fit fit(const ou::Series& series, const ou::Box& box, Mean mean) {
  return ou::fit_global(series, box, mean, ou::look_along_tau(series, box, mean));
}

}  // namespace

TEST_CASE("with jitter the fit finds the highest of 80 climbs") {
  const ou::Box box = ou::with_jitter(ou::standard_box());
  int curves = 0, missed = 0, failed = 0;
  std::ostringstream which;
  for (const std::size_t n : {20, 60, 120, 300}) {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      const Mean mean = seed % 3 == 0   ? Mean::Fixed
                        : seed % 3 == 1 ? Mean::Profiled
                                        : Mean::Marginal;
      const ou::Series series = ou::series_of(simulate::jittered_curve(n, seed));
      const ou::Fit found = fit(series, box, mean);
      const double gained = densest(series, box, mean) - found.loglike;
      ++curves;
      failed += !found.converged;
      if (gained <= 1e-3) continue;
      ++missed;
      which << "N " << n << " seed " << seed << " by " << gained << "; ";
    }
  }
  INFO("missed: " << which.str());
  CHECK(failed == 0);
  CHECK(missed <= 0.005 * curves);
}

TEST_CASE("jitter takes up the white noise that the errors lack") {
  const ou::Box box = ou::standard_box();
  int recovered = 0, flat = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    ou::Curve curve = simulate::curve(200, seed);
    const ou::Series good = ou::series_of(curve);
    const ou::Fit without = fit(good, box, Mean::Profiled);
    // Where the errors are right it hardly gains: half of chi^2 of one degree.
    flat += fit(good, ou::with_jitter(box), Mean::Profiled).loglike - without.loglike < 2;

    simulate::Random random(seed);
    simulate::add_noise(curve, 0.06, random);
    const ou::Series noisy = ou::series_of(curve);
    const ou::Fit found = fit(noisy, ou::with_jitter(box), Mean::Profiled);
    CHECK(found.loglike > fit(noisy, box, Mean::Profiled).loglike);
    recovered += std::abs(found.ln_jitter - std::log(0.06)) < 2 * found.errors.ln_jitter;
    const ou::Summary summary = ou::summarise(noisy, found, Mean::Profiled, ou::with_jitter(box));
    CHECK(summary.n_parameters == 4);
  }
  CHECK(recovered >= 17);
  CHECK(flat >= 17);
}
