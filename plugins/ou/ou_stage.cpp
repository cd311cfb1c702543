#include "ou_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace ou {
namespace {

using qsohost::DType;

constexpr std::array<std::string_view, 5> kQuantileNames{"q025", "q16", "q50", "q84", "q975"};
constexpr std::array<std::string_view, 5> kQuantileHelp{"2.5", "16", "50", "84", "97.5"};

struct Quantity {
  std::string_view name, help;
  bool framed;
  std::array<double, 5> Posterior::*quantiles;
};
constexpr Quantity kQuantities[] = {
    {"log_sigma", "ln of sigma in mag", false, &Posterior::ln_sigma},
    {"log_tau", "ln of tau in d", true, &Posterior::ln_tau},
    {"logD", "ln of D in mag^2/d", true, &Posterior::ln_d},
};

std::string quantile_name(const Quantity& quantity, std::string_view which, std::size_t q) {
  return fmt::format("{}{}{}_{}", quantity.name, which.empty() ? "" : "_", which,
                     kQuantileNames[q]);
}

std::vector<std::uint8_t> mask_of(std::size_t n, const std::vector<std::size_t>& removed) {
  std::vector<std::uint8_t> mask(n);
  for (const std::size_t i : removed) mask[i] = 1;
  return mask;
}

void check_bounds(std::string_view name, const std::vector<double>& bounds,
                  std::string_view example) {
  if (bounds.size() == 2 && bounds[0] > 0 && bounds[0] < bounds[1] && std::isfinite(bounds[1]))
    return;
  throw qsohost::UsageError(
      fmt::format("{} must be two numbers above 0, the lower one first, e.g. {}", name, example));
}

}  // namespace

void OuStage::validate() const {
  LightCurveFitter::validate();
  check_bounds("sigma_bounds", *sigma_bounds_, "[0.001, 100]");
  check_bounds("tau_bounds", *tau_bounds_, "[0.1, 10000]");
}

Box OuStage::box() const {
  const Box box{std::log((*sigma_bounds_)[0]), std::log((*sigma_bounds_)[1]),
                std::log((*tau_bounds_)[0]), std::log((*tau_bounds_)[1])};
  return *jitter_ ? with_jitter(box) : box;
}

void OuStage::declare_shared(const qsohost::GroupInfo& group, std::string_view which,
                             qsohost::Ports& ports) const {
  ports.adds({group.name, "loo_mean", DType::F64, "mag",
              "prediction of the epoch from all other epochs that were fitted"});
  ports.adds({group.name, "loo_sd", DType::F64, "mag",
              "standard deviation of mag - loo_mean: of the prediction, mag_err and jitter"});
  const auto add_array = [&](std::string_view name, std::string_view unit, std::string_view help,
                             std::size_t width) {
    ports.adds({"", fmt::format("{}.{}", prefix(group.name), name), DType::F64, std::string(unit),
                std::string(help), 0, width});
  };
  if (*posterior_) {
    for (const Quantity& quantity : kQuantities) {
      for (std::size_t q = 0; q < kQuantileNames.size(); ++q) {
        const std::string help = fmt::format("{} per cent of the posterior lie below; {}",
                                             kQuantileHelp[q], quantity.help);
        add_result(group,
                   {quantile_name(quantity, which, q), DType::F64, "", help, quantity.framed},
                   ports);
      }
    }
    add_array("posterior_log_sigma", "", "nodes of the posterior: ln of sigma in mag", kMostNodes);
    add_array("posterior_log_tau", "", framed("nodes of the posterior: ln of tau in d"),
              kMostNodes);
    add_array("posterior_log_weight", "", "ln of the weights of the nodes, which sum to 1",
              kMostNodes);
  }
  if (*predict_ > 0) {
    const auto n = static_cast<std::size_t>(*predict_);
    add_array("predicted_time", "d", "times of the fitted curve, as in the light curve", n);
    add_array("predicted_mag", "mag", "the fitted curve, from all epochs fitted", n);
    add_array("predicted_sd", "mag", "standard deviation of the fitted curve, without noise", n);
  }
}

std::int32_t OuStage::flags_of(const qsohost::CurveToFit& curve, const Fitted& fitted) const {
  const Summary& summary = fitted.summary;
  const Fit& fit = summary.fit;
  qsohost::CurveToFit kept = curve;
  const std::vector<std::uint8_t> gone = mask_of(curve.size(), fitted.removed);
  for (std::vector<double>* values : {&kept.time, &kept.mag, &kept.mag_err}) {
    std::size_t i = 0;
    std::erase_if(*values, [&](double) { return gone[i++] != 0; });
  }
  qsohost::FitQuality quality{std::exp(fit.ln_tau), fit.chi2,
                              static_cast<double>(kept.size()) - summary.n_parameters, summary.bic,
                              summary.bic_constant};
  if (!fits_jitter()) quality.sigma = std::exp(fit.ln_sigma);
  std::int32_t flags = qsohost::doubts(kept, quality);
  if (fit.errors.some_undefined()) flags |= kNoErrors;
  if ((fit.bounds & kJitterLow) != 0) flags |= kJitterAtBound;
  return flags;
}

void OuStage::set_shared(const qsohost::CurveToFit& curve, const Fitted& fitted,
                         std::string_view which, qsohost::Result& result) const {
  set_epochs(curve, fitted, result);
  if (*posterior_) set_posterior(curve, fitted, which, result);
  if (*predict_ > 0) set_predicted(curve, fitted, result);
}

void OuStage::set_epochs(const qsohost::CurveToFit& curve, const Fitted& fitted,
                         qsohost::Result& result) const {
  const LeaveOneOut loo = leave_one_out(fitted.all, fitted.summary.fit.parameters(), mean(),
                                        mask_of(curve.size(), fitted.removed));
  const auto means = result.epochs<double>(curve.group, "loo_mean");
  const auto deviations = result.epochs<double>(curve.group, "loo_sd");
  for (std::size_t k = 0; k < curve.size(); ++k) {
    means[curve.order.original(k)] = loo.mean[k];
    deviations[curve.order.original(k)] = std::sqrt(loo.var[k]);
  }
}

void OuStage::set_posterior(const qsohost::CurveToFit& curve, const Fitted& fitted,
                            std::string_view which, qsohost::Result& result) const {
  const Posterior posterior =
      posterior_of(fitted.kept, box(), *prior_, fitted.summary.fit.ln_jitter);
  for (const Quantity& quantity : kQuantities) {
    for (std::size_t q = 0; q < kQuantileNames.size(); ++q)
      set(curve, quantile_name(quantity, which, q), (posterior.*quantity.quantiles)[q], result);
  }
  const auto cell = [&](std::string_view name) {
    return result.cell<double>(fmt::format("{}.{}", prefix(curve.group), name));
  };
  const auto sigma = cell("posterior_log_sigma"), tau = cell("posterior_log_tau"),
             weight = cell("posterior_log_weight");
  for (std::size_t k = 0; k < posterior.nodes.size(); ++k) {
    sigma[k] = posterior.nodes[k].ln_sigma;
    tau[k] = posterior.nodes[k].ln_tau;
    weight[k] = posterior.nodes[k].ln_weight;
  }
}

void OuStage::set_predicted(const qsohost::CurveToFit& curve, const Fitted& fitted,
                            qsohost::Result& result) const {
  const auto n = static_cast<std::size_t>(*predict_);
  const double first = curve.fetched.time[curve.order.original(0)];
  const double last = curve.fetched.time[curve.order.original(curve.size() - 1)];
  std::vector<double> fraction(n);
  for (std::size_t i = 0; i < n; ++i)
    fraction[i] = n == 1 ? 0 : static_cast<double>(i) / static_cast<double>(n - 1);
  std::vector<double> times;
  for (const double f : fraction) times.push_back(f * curve.time.back());
  const Predicted predicted = predict_at(fitted.all, mask_of(curve.size(), fitted.removed), times,
                                         fitted.summary.fit.parameters(), mean());
  const auto cell = [&](std::string_view name) {
    return result.cell<double>(fmt::format("{}.{}", prefix(curve.group), name));
  };
  std::ranges::copy(predicted.mean, cell("predicted_mag").begin());
  const auto time = cell("predicted_time"), deviation = cell("predicted_sd");
  for (std::size_t i = 0; i < n; ++i) {
    time[i] = first + fraction[i] * (last - first);
    deviation[i] = std::sqrt(predicted.var[i]);
  }
}

}  // namespace ou
