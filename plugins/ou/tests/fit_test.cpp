#include "ou_fit.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "golden.hpp"

using golden::Case;
using golden::Json;
using ou::Mean;

namespace {

// A curved, inner maximum: parameters can be compared, not only the likelihood.
bool well_determined(const Json& mle) {
  const Json& bent = mle.at("dlogL_if_tau_halved_or_doubled");
  return mle.at("well_determined").get<bool>() && std::abs(bent[0].get<double>()) > 0.005 &&
         std::abs(bent[1].get<double>()) > 0.005;
}

void check_at_bound(const Json& at_bound, const ou::Fit& fit) {
  CHECK(at_bound[0].get<bool>() == ((fit.bounds & (ou::kSigmaLow | ou::kSigmaHigh)) != 0));
  // Where sigma is on its bound tau is meaningless.
  if (!at_bound[0].get<bool>())
    CHECK(at_bound[1].get<bool>() == ((fit.bounds & (ou::kTauLow | ou::kTauHigh)) != 0));
}

}  // namespace

TEST_CASE("the fit finds the global maximum of the reference cases") {
  for (const Json& json : golden::cases()) {
    if (!json.contains("mle")) continue;
    INFO(json.at("name"));
    const Case c(json, 18);
    const ou::Box box = golden::box(json.at("box"));
    const ou::Ridge ridge = ou::look_along_tau(c.series, box, Mean::Profiled);
    const ou::Fit fit = ou::fit_global(c.series, box, Mean::Profiled, ridge);
    const Json& mle = json.at("mle");
    CHECK(fit.converged);
    CHECK(fit.loglike == Approx(mle.at("loglike").get<double>()).epsilon(1e-9).margin(1e-6));
    if (!well_determined(mle)) continue;
    check_at_bound(mle.at("at_bound"), fit);
    CHECK(fit.ln_sigma == Approx(std::log(mle.at("sigma").get<double>())).margin(2e-6));
    CHECK(fit.ln_tau == Approx(std::log(mle.at("tau").get<double>())).margin(2e-6));
    CHECK(fit.mean == Approx(mle.at("mean").get<double>()).epsilon(1e-6));
    // Their D is 2 sigma^2 / tau.
    const double ln_d = mle.at("log10D").get<double>() * std::log(10) - std::log(2);
    CHECK(fit.ln_d() == Approx(ln_d).margin(2e-6));
  }
}

TEST_CASE("a maximum on a bound is found and flagged") {
  const auto all = golden::cases();
  for (const Json& json : all) {
    if (json.at("name") != "tau_bound40" && json.at("name") != "white_bound40") continue;
    INFO(json.at("name"));
    const Case c(json, 18);
    const ou::Box box = golden::box(json.at("box"));
    const ou::Fit fit = ou::fit_global(c.series, box, Mean::Profiled,
                                       ou::look_along_tau(c.series, box, Mean::Profiled));
    check_at_bound(json.at("mle").at("at_bound"), fit);
    const ou::Errors errors = fit.errors;
    if (json.at("name") == "tau_bound40") {
      CHECK(fit.bounds == ou::kTauHigh);
      CHECK(fit.ln_sigma ==
            Approx(std::log(json.at("mle").at("sigma").get<double>())).margin(2e-6));
      CHECK(std::isnan(errors.ln_tau));
      CHECK(errors.ln_d == Approx(2 * errors.ln_sigma));
    } else {
      CHECK((fit.bounds & ou::kSigmaLow) != 0);
      CHECK(std::isnan(errors.ln_sigma));
    }
  }
}

TEST_CASE("errors are those of the curvature") {
  for (const Json& json : golden::cases()) {
    if (json.at("name") != "outlier60") continue;
    const Case c(json, 18);
    const ou::Box box = golden::box(json.at("box"));
    const ou::Fit fit = ou::fit_global(c.series, box, Mean::Profiled,
                                       ou::look_along_tau(c.series, box, Mean::Profiled));
    const ou::Errors e = fit.errors;
    // One standard deviation along the best direction for tau costs half a unit, to third order.
    const double step = 0.05;
    const double by_sigma = step * e.covariance / e.ln_tau;
    const ou::Parameters moved{fit.ln_sigma + by_sigma, fit.ln_tau + step * e.ln_tau};
    const double lost =
        fit.loglike - ou::evaluate(c.series, moved, Mean::Profiled, ou::Want::Value).loglike;
    CHECK(lost == Approx(0.5 * step * step).epsilon(0.05));
    CHECK(e.ln_d ==
          Approx(std::sqrt(4 * e.ln_sigma * e.ln_sigma + e.ln_tau * e.ln_tau - 4 * e.covariance)));
  }
}
