#include "multiband_fit.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "multiband_golden.hpp"
#include "multiband_simulate.hpp"

using golden::Json;
using ou::multiband::Model;

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
  CHECK(found > 20);
}

TEST_CASE("speed", "[.speed]") {
  const simulate::Bands c = simulate::bands(1);
  const auto s = ou::multiband::make_series(5, c.time, c.band, c.mag, c.mag_err, {});
  for (const bool jitter : {false, true}) {
    Model model{jitter ? ou::with_jitter(ou::standard_box()) : ou::standard_box()};
    const auto begin = std::chrono::steady_clock::now();
    int evaluations = 0;
    for (int i = 0; i < 100; ++i) evaluations += fit_global(s.series, model).evaluations;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::printf("%zu epochs, jitter %d: %.3f ms, %d evaluations\n", s.series.size(), jitter,
                took.count() * 10, evaluations / 100);
  }
}
