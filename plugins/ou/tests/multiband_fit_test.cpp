#include "multiband_fit.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "multiband_golden.hpp"

using golden::Json;

TEST_CASE("multi-band fits find the global maximum of the reference cases") {
  int found = 0;
  for (const Json& json : golden::multiband_cases()) {
    if (!json.at("answers").contains("mle")) continue;
    INFO(json.at("name"));
    const golden::BandsCase c(json, {});
    const Json& mle = json.at("answers").at("mle");
    const ou::multiband::Fit fit = fit_global(c.series(), {ou::standard_box()});
    CHECK(fit.converged);
    CHECK(fit.value.loglike == Approx(mle.at("loglike").get<double>()).margin(1e-6));
    if (!mle.at("at_bound").empty()) continue;
    CHECK(fit.at.ln_tau == Approx(std::log(mle.at("tau").get<double>())).margin(1e-6));
    for (std::size_t b = 0; b < c.bands(); ++b) {
      if (!fit.has_epochs(b)) continue;
      CHECK(fit.at.ln_sigma[b] == Approx(std::log(mle.at("sigma")[b].get<double>())).margin(1e-6));
      ++found;
    }
  }
  CHECK(found >= 6);
}
