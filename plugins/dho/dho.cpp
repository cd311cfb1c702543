// dho: fits a damped harmonic oscillator, CARMA(2,1), to light curves. It adds object columns
// "LABEL.GROUP.<result>".
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <qsohost/plugin.hpp>
#include <string>

#include "dho_fit.hpp"

namespace {

using dho::kOmega, dho::kPerturb, dho::kSigma, dho::kXi;
using qsohost::DType;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int kParameters = 5;  // the mean among them

constexpr int kBounds = 6;
enum Flag : std::int32_t {
  kNoErrors = 1 << 14,
  kLikeAWalk = 1 << 15,
  kUnconstrained = 1 << 16,
};
constexpr double kLargestError = 3;  // of a fitted logarithm: a factor of 20
constexpr std::string_view kFlagsHelp =
    "at a bound: 64 sigma low, 128 high, 256 omega_0 low, 512 high, 1024 xi low, 2048 high, 4096 "
    "tau_perturb low, 8192 high; 16384 some error of parameters is undefined (NaN), 32768 not told "
    "apart from a damped random walk: its Bayesian criterion is not higher, 65536 the error of "
    "some fitted logarithm exceeds 3: that parameter is not constrained; 1048576 also if what "
    "tells "
    "it from a damped random walk is added variance as fast as white noise, with tau_rise below "
    "the median cadence; tau is tau_decay";

// A logarithm of a parameter: its value, and its derivatives with respect to the fitted ones.
struct Derived {
  double value;
  dho::Parameters by;
};

struct NamedLogarithm {
  std::string_view name, help;
  bool has_time;  // depends on the frame
  Derived (*of)(const dho::Parameters& at);
};

Derived fitted(const dho::Parameters& at, int which) {
  return {at[which], dho::Parameters::Unit(which)};
}

Derived beta_0(const dho::Parameters& at) {
  const double turn = std::exp(2 * (at[kOmega] + at[kPerturb]));  // (omega_0 tau_perturb)^2
  const double share = turn / (1 + turn);
  const double value =
      at[kSigma] + std::numbers::ln2 + (3 * at[kOmega] + at[kXi]) / 2 - std::log1p(turn) / 2;
  return {value, {1, 1.5 - share, 0.5, -share}};
}

Derived beta_1(const dho::Parameters& at) {
  const Derived b = beta_0(at);
  return {b.value + at[kPerturb], b.by + dho::Parameters::Unit(kPerturb)};
}

constexpr std::array kLogarithms{
    NamedLogarithm{"log_sigma",
                   "ln of sigma, the root of the variance, in mag; sigma is 0.001 to 100", false,
                   [](const dho::Parameters& at) { return fitted(at, kSigma); }},
    NamedLogarithm{"log_omega_0", "ln of omega_0 in rad/d; omega_0 is 1e-5 to 100", true,
                   [](const dho::Parameters& at) { return fitted(at, kOmega); }},
    NamedLogarithm{"log_xi", "ln of the damping ratio xi, 0.01 to 1000", false,
                   [](const dho::Parameters& at) { return fitted(at, kXi); }},
    NamedLogarithm{"log_tau_perturb", "ln of tau_perturb = beta_1/beta_0 in d, 1e-4 to 1e4", true,
                   [](const dho::Parameters& at) { return fitted(at, kPerturb); }},
    NamedLogarithm{"log_alpha_1", "ln of alpha_1 = 2 xi omega_0 in 1/d", true,
                   [](const dho::Parameters& at) {
                     return Derived{std::numbers::ln2 + at[kXi] + at[kOmega], {0, 1, 1, 0}};
                   }},
    NamedLogarithm{"log_alpha_2", "ln of alpha_2 = omega_0^2 in 1/d^2", true,
                   [](const dho::Parameters& at) {
                     return Derived{2 * at[kOmega], {0, 2, 0, 0}};
                   }},
    NamedLogarithm{"log_beta_0", "ln of beta_0 in mag/d^1.5", true, beta_0},
    NamedLogarithm{"log_beta_1", "ln of beta_1 in mag/d^0.5", true, beta_1},
};

constexpr qsohost::ResultColumn kDerived[] = {
    {"mean", DType::F64, "mag", "mean of the process; the expected one if it is marginal"},
    {"sf_inf", DType::F64, "mag", "structure function at long lags, sqrt(2) sigma"},
    {"tau_decay", DType::F64, "d", "longer of the two e-folding times; below xi = 1 the only one",
     true},
    {"tau_rise", DType::F64, "d", "shorter of the two e-folding times; NaN below xi = 1", true},
    {"period", DType::F64, "d", "2 pi / (omega_0 sqrt(1 - xi^2)); NaN from xi = 1 on", true},
    {"loglike_drw", DType::F64, "",
     "ln of the likelihood of the best damped random walk, tau 0.1 to 1e4 d; 2 parameters fewer"},
    {"loglike_const", DType::F64, "", "ln of the likelihood of the best constant; 1 parameter"},
};

// tau_decay, tau_rise, period.
std::array<double, 3> times_of(const dho::Parameters& at) {
  const double omega = std::exp(at[kOmega]), xi = std::exp(at[kXi]);
  const double k = std::sqrt(std::abs(std::expm1(2 * at[kXi])));
  if (at[kXi] < 0) return {1 / (xi * omega), kNaN, 2 * std::numbers::pi / (omega * k)};
  return {(xi + k) / omega, 1 / ((xi + k) * omega), kNaN};
}

// What a careful person would not trust.
std::int32_t all_doubts(const qsohost::CurveToFit& curve, const dho::Fit& fit,
                        double loglike_const) {
  const double ln_n = std::log(curve.size());
  const auto bic = [&](double loglike, int parameters) { return parameters * ln_n - 2 * loglike; };
  const double own_bic = bic(fit.loglike, kParameters);
  const auto [decay, rise, period] = times_of(fit.at);
  std::int32_t flags =
      qsohost::doubts(curve, {decay, fit.chi2, static_cast<double>(curve.size()) - kParameters,
                              own_bic, bic(loglike_const, 1)});
  if (bic(fit.loglike_walk, kParameters - 2) <= own_bic) flags |= kLikeAWalk;
  if (fit.covariance.diagonal().maxCoeff() > kLargestError * kLargestError) flags |= kUnconstrained;
  const bool has_noise = rise < curve.median_cadence && std::exp(fit.at[kPerturb]) > rise;
  if (has_noise && (flags & kLikeAWalk) == 0) flags |= qsohost::kErrorsTooSmall;
  return flags;
}

class Dho final : public qsohost::LightCurveFitter {
 public:
  Dho() : LightCurveFitter({.usual = 10, .least = 6, .help = "epochs needed for a fit"}) {}

 private:
  void declare_curve(const qsohost::GroupInfo& group, const qsohost::Schema& before,
                     qsohost::Ports& ports) const override;
  void fit_curve(const qsohost::CurveToFit& curve, qsohost::Result& result) const override;
  void store(const qsohost::CurveToFit& curve, const dho::Series& series, const dho::Fit& fit,
             qsohost::Result& result) const;

  qsohost::Choice<dho::Mean> mean_{
      this,
      "mean",
      dho::Mean::Fixed,
      {{"median", dho::Mean::Fixed},
       {"profiled", dho::Mean::Profiled},
       {"marginal", dho::Mean::Marginal}},
      "mean of the process: the median of the magnitudes, the value that maximises the "
      "likelihood, or integrated over with equal density (1 per mag)"};
};

void Dho::declare_curve(const qsohost::GroupInfo& group, const qsohost::Schema& /*before*/,
                        qsohost::Ports& ports) const {
  for (const auto& c : qsohost::fit_column::kEveryCurve) add_result(group, c, ports);
  for (const NamedLogarithm& l : kLogarithms)
    add_result(group, {l.name, DType::F64, "", l.help, l.has_time}, ports);
  for (const NamedLogarithm& l : kLogarithms) {
    add_result(group,
               {fmt::format("err_{}", l.name), DType::F64, "",
                fmt::format("standard error of {}", l.name)},
               ports);
  }
  for (const auto& c : kDerived) add_result(group, c, ports);
  for (const auto& c : qsohost::fit_column::kEveryLikelihood) add_result(group, c, ports);
  add_flags(group, kFlagsHelp, ports);
}

void Dho::fit_curve(const qsohost::CurveToFit& curve, qsohost::Result& result) const {
  const dho::Series series = dho::make_series(curve.time, curve.mag, curve.mag_err);
  const dho::Fit fit = dho::fit_global(series, dho::standard_box(), *mean_);
  result.count(curve.group, fit.converged ? "objects fitted" : "objects given up");
  if (!fit.converged) return set(curve, "flags", curve.flags | qsohost::kFitFailed, result);
  store(curve, series, fit, result);
}

void Dho::store(const qsohost::CurveToFit& curve, const dho::Series& series, const dho::Fit& fit,
                qsohost::Result& result) const {
  const double loglike_const = dho::loglike_of_constant(series, *mean_);
  std::int32_t flags =
      curve.flags | (fit.bounds << kBounds) | all_doubts(curve, fit, loglike_const);
  for (const NamedLogarithm& l : kLogarithms) {
    const Derived d = l.of(fit.at);
    // A parameter on its bound counts as known: its error is not 0 but undefined.
    const double variance = d.by.dot(fit.covariance * d.by);
    const double error = variance > 0 ? std::sqrt(variance) : kNaN;
    if (std::isnan(error)) flags |= kNoErrors;
    set(curve, l.name, d.value, result);
    set(curve, fmt::format("err_{}", l.name), error, result);
  }
  const auto [decay, rise, period] = times_of(fit.at);
  set(curve, "mean", fit.mean, result);
  set(curve, "sf_inf", std::numbers::sqrt2 * std::exp(fit.at[kSigma]), result);
  set(curve, "tau_decay", decay, result);
  set(curve, "tau_rise", rise, result);
  set(curve, "period", period, result);
  set(curve, "loglike_drw", fit.loglike_walk, result);
  set(curve, "loglike_const", loglike_const, result);
  set_likelihood(curve, kParameters, fit.loglike, fit.chi2, result);
  set(curve, "flags", flags, result);
}

}  // namespace

QSOHOST_PLUGIN("dho", QSOHOST_VERSION,
               qsohost::stage<Dho>("dho", "damped harmonic oscillator, CARMA(2,1), fits"));
