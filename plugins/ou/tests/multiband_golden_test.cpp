// The multi-band likelihood against an independent dense reference.
#include <catch2/catch.hpp>
#include <cmath>

#include "multiband_golden.hpp"

using golden::BandsCase;
using golden::Json;
using ou::multiband::Evaluation;
using ou::multiband::Gradient;
using ou::multiband::LeaveOneOut;
using ou::multiband::Mean;
using ou::multiband::PerBand;
using ou::multiband::Want;

namespace {

// Sums over the epochs may cancel: hence the margin.
Approx close(double reference) {
  return Approx(reference).epsilon(1e-9).margin(1e-9);
}

void check_list(const PerBand<double>& found, const Json& reference, const char* name) {
  for (std::size_t b = 0; b < reference.size(); ++b) {
    INFO(name << " of band " << b);
    if (!reference[b].is_null()) CHECK(found[b] == close(reference[b].get<double>()));
  }
}

void check_gradient(const Gradient& found, const Json& reference) {
  CHECK(found.ln_tau == close(reference.at("ln_tau").get<double>()));
  check_list(found.ln_sigma, reference.at("ln_sigma"), "ln_sigma");
  check_list(found.lag, reference.at("lag"), "lag");
  check_list(found.ln_jitter, reference.at("ln_jitter"), "ln_jitter");
  if (!reference.contains("ln_tau2")) return;
  CHECK(found.incoherent.ln_tau == close(reference.at("ln_tau2").get<double>()));
  check_list(found.incoherent.ln_ratio, reference.at("ln_r"), "ln_ratio");
}

void check_epochs(const BandsCase& c, Mean mean, const Json& reference) {
  const LeaveOneOut loo = c.leave_one_out(mean);
  for (std::size_t k = 0; k < c.series().size(); ++k) {
    const std::size_t i = c.sorted.order[k];
    INFO("epoch " << i);
    if (reference.at("mean")[i].is_null()) {
      CHECK(std::isnan(loo.mean[k]));
      CHECK(std::isinf(loo.var[k]));
      CHECK(std::isnan(loo.logpdf[k]));
      continue;
    }
    CHECK(loo.mean[k] == Approx(reference.at("mean")[i].get<double>()).epsilon(1e-9));
    CHECK(loo.var[k] == Approx(reference.at("variance")[i].get<double>()).epsilon(1e-9));
    CHECK(loo.logpdf[k] == close(reference.at("logdensity")[i].get<double>()));
  }
}

void check_without(const BandsCase& c, const Json& reference) {
  const LeaveOneOut loo = c.leave_one_out(Mean::Profiled);
  for (std::size_t k = 0; k < c.series().size(); ++k)
    CHECK(loo.loglike_without[k] == close(reference[c.sorted.order[k]].get<double>()));
}

}  // namespace

TEST_CASE("all bands: likelihood, gradient and leave-one-out, means given") {
  for (const Json& json : golden::multiband_cases()) {
    INFO(json.at("name"));
    const Json& answers = json.at("answers");
    const BandsCase c(json, golden::numbers(json.at("params").at("mean")));
    const Evaluation e = c.evaluate(Mean::Given, Want::GradientWithLags);
    CHECK(e.loglike == close(answers.at("loglike_given").get<double>()));
    check_gradient(e.gradient, answers.at("grad_given"));
    if (answers.contains("loo_given")) check_epochs(c, Mean::Given, answers.at("loo_given"));
  }
}

TEST_CASE("all bands: likelihood, gradient and leave-one-out, means profiled") {
  for (const Json& json : golden::multiband_cases()) {
    INFO(json.at("name"));
    const Json& answers = json.at("answers");
    const BandsCase c(json, {18, 17.5, 18, 18, 18});  // the references must not matter
    const Evaluation e = c.evaluate(Mean::Profiled, Want::GradientWithLags);
    CHECK(e.loglike == close(answers.at("loglike_profiled").get<double>()));
    check_list(e.mean, answers.at("mean_profiled"), "mean");
    if (answers.contains("mean_covariance")) {
      for (std::size_t b = 0; b < c.bands(); ++b) {
        const Json& variance = answers.at("mean_covariance")[b][b];
        if (!variance.is_null()) CHECK(e.mean_var[b] == close(variance.get<double>()));
      }
    }
    check_gradient(e.gradient, answers.at("grad_profiled"));
    if (!answers.contains("loo_profiled")) continue;
    check_epochs(c, Mean::Profiled, answers.at("loo_profiled"));
    check_without(c, answers.at("loglike_profiled_without"));
  }
}

TEST_CASE("all bands: the marginal likelihood") {
  for (const Json& json : golden::multiband_cases()) {
    INFO(json.at("name"));
    const Json& answers = json.at("answers");
    if (!answers.contains("loglike_marginal")) continue;
    const BandsCase c(json, {18, 17.5, 18, 18, 18});
    CHECK(c.evaluate(Mean::Marginal, Want::Value).loglike ==
          close(answers.at("loglike_marginal").get<double>()));
  }
}
