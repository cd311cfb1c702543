#include "fit_summary.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace ou {
namespace {

double loglike_of_constant(const Series& series, Mean mean, const Box& box) {
  constexpr double kNone = -30;  // ln sigma
  const Mean treatment = mean == Mean::Marginal ? mean : Mean::Profiled;
  if (!box.has_jitter()) return evaluate(series, {kNone, 0}, treatment, Want::Value).loglike;
  // The best jitter: a grid, then finer ones around its best point.
  double low = box.ln_jitter_min, high = box.ln_jitter_max, best = 0;
  for (int round = 0; round < 6; ++round) {
    constexpr int kSteps = 15;
    std::vector<Trial> trials;
    for (int k = 0; k <= kSteps; ++k)
      trials.push_back({{kNone, 0, low + (high - low) * k / kSteps}});
    const auto found = evaluate_all(series, trials, treatment, Want::Value);
    const auto top = std::max_element(found.begin(), found.end(), [](const auto& a, const auto& b) {
      return is_lower(a.loglike, b.loglike);
    });
    best = top->loglike;
    const double at = trials[static_cast<std::size_t>(top - found.begin())].at.ln_jitter;
    const double step = (high - low) / kSteps;
    low = at - step;
    high = at + step;
  }
  return best;
}

constexpr SummaryColumn kColumns[] = {
    {"log_sigma", "", "ln of sigma in mag", [](const Summary& s) { return s.fit.ln_sigma; }},
    {"log_tau", "", "ln of tau in d", [](const Summary& s) { return s.fit.ln_tau; }, true},
    {"logD", "", "ln of D = sigma^2/tau in mag^2/d", [](const Summary& s) { return s.fit.ln_d(); },
     true},
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
    {"loglike_const", "",
     "ln of the likelihood of the best constant with the same errors and, if fitted, jitter",
     [](const Summary& s) { return s.loglike_constant; }},
    {"aic", "", "Akaike's criterion, 2 n_parameters - 2 loglike",
     [](const Summary& s) { return s.aic; }},
    {"bic", "", "Bayesian criterion, n_parameters ln N - 2 loglike",
     [](const Summary& s) { return s.bic; }},
    {"bic_const", "", "Bayesian criterion of a constant, 1 parameter, or 2 with jitter",
     [](const Summary& s) { return s.bic_constant; }},
    {"chi2_red", "", "chi^2 of the one-step residuals over N - n_parameters",
     [](const Summary& s) { return s.chi2_reduced; }},
    // Only if jitter is fitted:
    {"log_jitter", "", "ln of the jitter in mag", [](const Summary& s) { return s.fit.ln_jitter; }},
    {"err_log_jitter", "", "standard error of log_jitter; NaN at the bound",
     [](const Summary& s) { return s.fit.errors.ln_jitter; }},
};
constexpr std::size_t kOfJitter = 2;

}  // namespace

double Summary::sf_inf() const {
  return std::sqrt(2.0) * std::exp(fit.ln_sigma);
}

Summary summarise(const Series& series, const Fit& fit, Mean mean, const Box& box) {
  const auto n = static_cast<double>(series.size());
  const int own = box.has_jitter() ? 1 : 0;
  Summary s{fit, 3 + own, loglike_of_constant(series, mean, box), 0, 0, 0, 0};
  s.aic = 2 * s.n_parameters - 2 * fit.loglike;
  s.bic = s.n_parameters * std::log(n) - 2 * fit.loglike;
  s.bic_constant = (1 + own) * std::log(n) - 2 * s.loglike_constant;
  s.chi2_reduced = n > s.n_parameters ? fit.chi2 / (n - s.n_parameters)
                                      : std::numeric_limits<double>::quiet_NaN();
  return s;
}

std::span<const SummaryColumn> summary_columns(bool with_jitter) {
  return std::span(kColumns).first(std::size(kColumns) - (with_jitter ? 0 : kOfJitter));
}

}  // namespace ou
