#include "ou_likelihood.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "golden.hpp"

using golden::Case;
using golden::Json;
using ou::Mean;
using ou::Want;

namespace {

// The same likelihood by a dense Cholesky decomposition, O(N^3), in extended precision.
double dense_loglike(const std::vector<double>& t, const ou::Series& s, const ou::Parameters& p) {
  using Real = long double;
  const std::size_t n = s.size();
  std::vector<Real> a(n * n), z(n);
  Real loglike = 0;
  for (std::size_t i = 0; i < n; ++i) {
    z[i] = s.y[i];
    for (std::size_t k = 0; k <= i; ++k) {
      const Real lag = std::abs(t[i] - t[k]) / std::exp(static_cast<Real>(p.ln_tau));
      Real sum = std::exp(2 * static_cast<Real>(p.ln_sigma) - lag);
      if (i == k) sum += s.var[i] + std::exp(2 * static_cast<Real>(p.ln_jitter));
      for (std::size_t m = 0; m < k; ++m) sum -= a[i * n + m] * a[k * n + m];
      a[i * n + k] = i == k ? std::sqrt(sum) : sum / a[k * n + k];
      if (k < i) z[i] -= a[i * n + k] * z[k];
    }
    z[i] /= a[i * n + i];
    loglike -= z[i] * z[i] / 2 + std::log(a[i * n + i]) + std::log(2 * std::acos(Real{-1})) / 2;
  }
  return static_cast<double>(loglike);
}

void check_fixed_parameters(const Json& reference, const Case& c, const ou::Parameters& p,
                            Mean mean) {
  const ou::LeaveOneOut loo = ou::leave_one_out(c.series, p, mean);
  const auto means = c.sorted(reference.at("loo_mean"));
  const auto vars = c.sorted(reference.at("loo_var"));
  const auto logp = c.sorted(reference.at("loo_logp"));
  for (std::size_t k = 0; k < c.series.size(); ++k) {
    CHECK(loo.mean[k] == Approx(means[k]).epsilon(1e-9));
    CHECK(loo.var[k] == Approx(vars[k]).epsilon(1e-9));
    CHECK(loo.logpdf[k] == Approx(logp[k]).epsilon(1e-9).margin(1e-9));
  }
}

}  // namespace

TEST_CASE("likelihood, gradient and leave-one-out at fixed parameters, mean given") {
  for (const Json& json : golden::cases()) {
    INFO(json.at("name"));
    const ou::Parameters p = golden::parameters(json.at("params"));
    const Json& reference = json.at("given_mean");
    const double mean = reference.at("mean");
    const Case c(json, mean);
    const ou::Evaluation e = ou::evaluate(c.series, p, Mean::Fixed, Want::Gradient);
    CHECK(e.loglike == Approx(reference.at("loglike").get<double>()).epsilon(1e-9));
    for (int k = 0; k < 2; ++k)
      CHECK(e.gradient[k] == Approx(reference.at("grad")[k].get<double>()).epsilon(1e-9));
    check_fixed_parameters(reference, c, p, Mean::Fixed);
  }
}

TEST_CASE("likelihood, gradient and leave-one-out at fixed parameters, mean profiled") {
  for (const Json& json : golden::cases()) {
    INFO(json.at("name"));
    const ou::Parameters p = golden::parameters(json.at("params"));
    const Json& reference = json.at("gls_mean");
    const Case c(json, 18);  // the reference value must not matter
    const ou::Evaluation e = ou::evaluate(c.series, p, Mean::Profiled, Want::Gradient);
    CHECK(e.mean == Approx(reference.at("mean").get<double>()).epsilon(1e-9));
    CHECK(e.loglike == Approx(reference.at("loglike").get<double>()).epsilon(1e-9));
    for (int k = 0; k < 2; ++k)
      CHECK(e.gradient[k] == Approx(reference.at("grad")[k].get<double>()).epsilon(1e-9));
    check_fixed_parameters(reference, c, p, Mean::Profiled);
  }
}

TEST_CASE("likelihood and gradient over a wide grid of parameters") {
  for (const Json& json : golden::cases()) {
    const Case c(json, 18);
    for (const Json& point : json.at("grid_gls")) {
      INFO(json.at("name") << " " << point.dump());
      const ou::Evaluation e =
          ou::evaluate(c.series, golden::parameters(point), Mean::Profiled, Want::Gradient);
      CHECK(e.loglike == Approx(point.at("loglike_gls").get<double>()).epsilon(1e-9));
      CHECK(e.mean == Approx(point.at("mean_gls").get<double>()).epsilon(1e-9));
      for (int k = 0; k < 2; ++k) {
        CHECK(e.gradient[k] ==
              Approx(point.at("grad")[k].get<double>()).epsilon(1e-9).margin(1e-9));
      }
    }
  }
}

TEST_CASE("the likelihood with jitter is that with larger errors, and so is its gradient") {
  const std::vector<double> t{0, 1, 1, 4, 9, 30}, y{0.1, -0.2, 0.05, 0.3, -0.1, 0},
      err{0.02, 0.03, 0.01, 0.05, 0.02, 0.04};
  const ou::Series s = ou::make_series(t, y, err, 0.02);
  const ou::Parameters p{std::log(0.15), std::log(7), std::log(0.06)};
  for (const Mean mean : {Mean::Fixed, Mean::Profiled}) {
    const ou::Evaluation e = ou::evaluate(s, p, mean, Want::GradientWithJitter);
    if (mean == Mean::Fixed) CHECK(e.loglike == Approx(dense_loglike(t, s, p)).epsilon(1e-12));
    const double h = 1e-5;
    for (int k = 0; k < 3; ++k) {
      ou::Parameters up = p, down = p;
      double ou::Parameters::*const member[] = {&ou::Parameters::ln_sigma, &ou::Parameters::ln_tau,
                                                &ou::Parameters::ln_jitter};
      up.*member[k] += h;
      down.*member[k] -= h;
      const double numeric = (ou::evaluate(s, up, mean, Want::Value).loglike -
                              ou::evaluate(s, down, mean, Want::Value).loglike) /
                             (2 * h);
      CHECK(e.gradient[k] == Approx(numeric).epsilon(1e-6).margin(1e-8));
    }
  }
}

TEST_CASE("hard cases agree with dense algebra, and with brute-force leaving out") {
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  for (const double error : {1e-4, 1e-2, 1.0}) {
    std::vector<double> t{0, 0, 0, 1e-6, 0.1, 5, 5.02, 1200, 1200, 101200, 101201}, y, err;
    for (std::size_t i = 0; i < t.size(); ++i) {
      y.push_back(0.1 * normal(random));
      err.push_back(error * (1 + 0.3 * std::abs(normal(random))));
    }
    const ou::Series s = ou::make_series(t, y, err, 0);
    for (const double sigma : {0.001, 0.1, 100.0}) {
      for (const double tau : {0.1, 10.0, 1e4}) {
        INFO("error " << error << " sigma " << sigma << " tau " << tau);
        const ou::Parameters p{std::log(sigma), std::log(tau)};
        const double all = ou::evaluate(s, p, Mean::Fixed, Want::Value).loglike;
        // The dense matrix of sigma = 100, error = 1e-4 has condition 1e13: a rough check only.
        const double precision = sigma / error > 1e5 ? 1e-4 : 1e-9;
        CHECK(all == Approx(dense_loglike(t, s, p)).epsilon(precision));
        const ou::LeaveOneOut loo = ou::leave_one_out(s, p, Mean::Fixed);
        for (std::size_t j = 0; j < s.size(); ++j) {
          const double rest =
              ou::evaluate(ou::without(s, {j}), p, Mean::Fixed, Want::Value).loglike;
          const double scale = std::abs(all) + std::abs(rest);
          CHECK(std::abs(loo.logpdf[j] - (all - rest)) < 1e-9 * scale);
        }
      }
    }
  }
}

TEST_CASE("the likelihood is exact for one epoch and for a hundred thousand") {
  const std::vector<double> one{0.3}, error{0.1};
  const ou::Series single = ou::make_series(one, one, error, 0);
  const ou::Parameters p{std::log(0.2), std::log(10)};
  const double var = 0.2 * 0.2 + 0.1 * 0.1;
  CHECK(ou::evaluate(single, p, Mean::Fixed, Want::Value).loglike ==
        Approx(-0.5 * (0.09 / var + std::log(2 * M_PI * var))));
  CHECK(ou::leave_one_out(single, p, Mean::Fixed).var[0] == Approx(var));

  // Far apart, epochs are independent: a sum of equal terms.
  const std::size_t n = 100000;
  std::vector<double> t(n), y(n, 0.3), err(n, 0.1);
  for (std::size_t i = 0; i < n; ++i) t[i] = 1e5 * static_cast<double>(i);
  const ou::Series many = ou::make_series(t, y, err, 0);
  const ou::Evaluation e = ou::evaluate(many, p, Mean::Fixed, Want::Gradient);
  CHECK(e.loglike ==
        Approx(static_cast<double>(n) * ou::evaluate(single, p, Mean::Fixed, Want::Value).loglike)
            .epsilon(1e-10));
  CHECK(e.gradient[1] == Approx(0).margin(1e-10));
}
