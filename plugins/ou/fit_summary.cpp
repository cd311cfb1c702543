#include "fit_summary.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace ou {
namespace {

double loglike_of_constant(const Series& series, Mean treatment) {
  double weight = 0, sum = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    weight += 1 / series.var[i];
    sum += series.y[i] / series.var[i];
  }
  const double mean = sum / weight;
  double twice = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const double residual = series.y[i] - mean;
    twice += residual * residual / series.var[i] + std::log(2 * std::acos(-1.0) * series.var[i]);
  }
  const double two_pi = 2 * std::acos(-1.0);
  const double marginal = treatment == Mean::Marginal ? 0.5 * std::log(two_pi / weight) : 0;
  return marginal - 0.5 * twice;
}

constexpr SummaryColumn kColumns[] = {
    {"log_sigma", "", "ln of sigma in mag", [](const Summary& s) { return s.fit.ln_sigma; }},
    {"log_tau", "", "ln of tau in d", [](const Summary& s) { return s.fit.ln_tau; }},
    {"logD", "", "ln of D = sigma^2/tau in mag^2/d", [](const Summary& s) { return s.fit.ln_d(); }},
    {"err_log_sigma", "", "standard error of log_sigma",
     [](const Summary& s) { return s.fit.errors.ln_sigma; }},
    {"err_log_tau", "", "standard error of log_tau",
     [](const Summary& s) { return s.fit.errors.ln_tau; }},
    {"err_logD", "", "standard error of logD", [](const Summary& s) { return s.fit.errors.ln_d; }},
    {"cov_log_sigma_log_tau", "", "covariance of log_sigma and log_tau",
     [](const Summary& s) { return s.fit.errors.covariance; }},
    {"mean", "mag", "mean of the process", [](const Summary& s) { return s.fit.mean; }},
    {"sf_inf", "mag", "structure function at long lags, sqrt(2) sigma",
     [](const Summary& s) { return s.sf_inf(); }},
    {"loglike", "", "ln of the likelihood", [](const Summary& s) { return s.fit.loglike; }},
    {"loglike_const", "", "ln of the likelihood of a constant with the same errors",
     [](const Summary& s) { return s.loglike_constant; }},
    {"aic", "", "Akaike's criterion, 3 parameters", [](const Summary& s) { return s.aic; }},
    {"bic", "", "Bayesian criterion, 3 parameters", [](const Summary& s) { return s.bic; }},
    {"bic_const", "", "Bayesian criterion of a constant, 1 parameter",
     [](const Summary& s) { return s.bic_constant; }},
    {"chi2_red", "", "chi^2 of the one-step residuals over N - 3",
     [](const Summary& s) { return s.chi2_reduced; }},
};

}  // namespace

double Summary::sf_inf() const {
  return std::sqrt(2.0) * std::exp(fit.ln_sigma);
}

Summary summarise(const Series& series, const Fit& fit, Mean mean) {
  const auto n = static_cast<double>(series.size());
  Summary s{fit, loglike_of_constant(series, mean), 0, 0, 0, 0};
  s.aic = 2 * 3 - 2 * fit.loglike;
  s.bic = 3 * std::log(n) - 2 * fit.loglike;
  s.bic_constant = std::log(n) - 2 * s.loglike_constant;
  s.chi2_reduced = n > 3 ? fit.chi2 / (n - 3) : std::numeric_limits<double>::quiet_NaN();
  return s;
}

std::span<const SummaryColumn> summary_columns() {
  return kColumns;
}

}  // namespace ou
