#include "multiband_columns.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <string>

#include "multiband_stage.hpp"

namespace ou::multiband {
namespace {

using qsohost::DType;
using Of = BandColumn::Of;

constexpr std::array<std::string_view, 5> kQuantileNames{"q025", "q16", "q50", "q84", "q975"};
constexpr std::array<std::string_view, 5> kQuantileHelp{"2.5", "16", "50", "84", "97.5"};

std::string quantile_name(std::string_view quantity, std::size_t q) {
  return fmt::format("{}_{}", quantity, kQuantileNames[q]);
}

constexpr qsohost::ResultColumn kJoint[] = {
    {"z", DType::F64, "", "redshift used; NaN in the observed frame"},
    {"n_epochs", DType::I32, "", "epochs that took part, of all bands"},
    {"n_bands", DType::I32, "", "bands that took part"},
    {"n_removed", DType::I32, "", "epochs removed, of all bands"},
    {"baseline", DType::F64, "d", "time from the first to the last epoch of all bands", true},
    {"log_tau", DType::F64, "", "ln of tau in d", true},
    {"err_log_tau", DType::F64, "", "standard error of log_tau"},
    {"n_parameters", DType::I32, "", "parameters of the model, the means among them"},
    {"loglike", DType::F64, "", "ln of the likelihood of all bands"},
    {"aic", DType::F64, "", "Akaike's criterion, 2 n_parameters - 2 loglike"},
    {"bic", DType::F64, "", "Bayesian criterion, n_parameters ln n_epochs - 2 loglike"},
    {"chi2", DType::F64, "", "one-step residuals squared over their variances, summed over epochs"},
};
constexpr qsohost::ResultColumn kIncoherent[] = {
    {"loglike_incoherent", DType::F64, "",
     "ln of the likelihood where every band has a process of its own besides the common one"},
    {"bic_incoherent", DType::F64, "", "its Bayesian criterion"},
    {"log_tau_incoherent", DType::F64, "", "its common process: ln of tau in d", true},
    {"log_tau_own", DType::F64, "", "the bands' own processes: ln of tau in d", true},
};

constexpr BandColumn kBand[] = {
    {{"log_sigma", DType::F64, "", "ln of sigma in mag"},
     [](const Fit& f, std::size_t b) { return f.at.ln_sigma[b]; }},
    {{"err_log_sigma", DType::F64, "", "standard error of log_sigma"},
     [](const Fit& f, std::size_t b) { return f.err_ln_sigma[b]; }},
    {{"logD", DType::F64, "", "ln of D = sigma^2/tau in mag^2/d", true},
     [](const Fit& f, std::size_t b) { return 2 * f.at.ln_sigma[b] - f.at.ln_tau; }},
    {{"err_logD", DType::F64, "", "standard error of logD"},
     [](const Fit& f, std::size_t b) { return f.err_ln_d[b]; }},
    {{"mean", DType::F64, "mag", "mean of the process in this band"},
     [](const Fit& f, std::size_t b) { return f.value.mean[b]; }},
    {{"log_ratio", DType::F64, "", "ln of sigma over that of the first band that took part"},
     [](const Fit& f, std::size_t b) {
       const auto first = static_cast<std::size_t>(std::countr_zero(f.bands_with_epochs));
       return f.at.ln_sigma[b] - f.at.ln_sigma[first];
     }},
    {{"err_log_ratio", DType::F64, "", "standard error of log_ratio"},
     [](const Fit& f, std::size_t b) { return f.err_ln_ratio[b]; }},
    {{"log_jitter", DType::F64, "", "ln of the jitter in mag"},
     [](const Fit& f, std::size_t b) { return f.at.ln_jitter[b]; },
     Of::Jitter},
    {{"err_log_jitter", DType::F64, "", "standard error of log_jitter; NaN at the bound"},
     [](const Fit& f, std::size_t b) { return f.err_ln_jitter[b]; },
     Of::Jitter},
    {{"lag", DType::F64, "d",
      "time by which the band follows the first band of its survey that took part; 0 for that band",
      true},
     [](const Fit& f, std::size_t b) { return f.at.lag[b]; },
     Of::Lags},
    {{"lag_low", DType::F64, "d",
      "lowest lag at which loglike is at most 0.5 below its maximum, all else as it is", true},
     [](const Fit& f, std::size_t b) { return f.lag_interval[b].low; },
     Of::Lags},
    {{"lag_high", DType::F64, "d", "the highest such lag; there may be gaps between", true},
     [](const Fit& f, std::size_t b) { return f.lag_interval[b].high; },
     Of::Lags},
};

}  // namespace

const std::string_view kFlagsHelp =
    "sum of: 1 too few epochs, 2 redshift not above 0 and not above 20 (both: not fitted), 4 "
    "epochs "
    "took no part, as a number was not finite or mag_err not positive, 8 the fit did not converge; "
    "16 a band with fewer than min_points_band epochs took no part; at a bound: 32 tau low, 64 tau "
    "high, 128 some sigma, 65536 some jitter low; 256 a band would have been left with fewer than "
    "min_points_band epochs, 16777216 with less than 1 - max_removed_fraction of them (both: "
    "nothing "
    "removed); 512 the removals did not settle; 16384 some error is undefined (NaN); 131072 "
    "baseline "
    "below 10 tau; 2097152 error sentinels took no part; 33554432 the Bayesian criterion prefers "
    "processes of the bands' own; 67108864 times could not be brought to one scale (not fitted); "
    "134217728 some lag, or an end of its interval, at a bound; "
    "1073741824 redshift 0: times as observed";

std::int32_t flag_of(Ending ending) {
  switch (ending) {
    case Ending::FitFailed:
      return qsohost::kFitFailed;
    case Ending::TooFewLeft:
      return kTooFewLeftFlag;
    case Ending::TooManyRemoved:
      return kTooManyRemovedFlag;
    case Ending::PassesUsedUp:
      return kPassesUsedUpFlag;
    default:
      return 0;
  }
}

std::span<const BandColumn> band_columns() {
  return kBand;
}

bool OuMultiband::is_wanted(const BandColumn& column) const {
  switch (column.of) {
    case BandColumn::Of::Jitter:
      return *jitter_;
    case BandColumn::Of::Lags:
      return *lags_;
    default:
      return true;
  }
}

void OuMultiband::declare_results(qsohost::Ports& ports) const {
  const auto add = [&](const std::string& full, const qsohost::ResultColumn& c,
                       std::size_t width = 1) {
    std::string help(c.help);
    if (c.framed) help += *rest_frame_ ? "; rest frame" : "; observed frame";
    ports.adds({"", full, c.dtype, std::string(c.unit), help, 0, width});
  };
  for (const auto& c : kJoint) add(name(c.name), c);
  if (*incoherent_)
    for (const auto& c : kIncoherent) add(name(c.name), c);
  const auto add_quantiles = [&](const auto& name_of, std::string_view quantity,
                                 std::string_view of, bool framed) {
    for (std::size_t q = 0; q < kQuantileNames.size(); ++q) {
      const std::string help =
          fmt::format("{} per cent of the posterior lie below; {}", kQuantileHelp[q], of);
      add(name_of(quantile_name(quantity, q)), {"", DType::F64, "", help, framed});
    }
  };
  if (*posterior_)
    add_quantiles([&](const std::string& column) { return name(column); }, "log_tau",
                  "ln of tau in d", true);
  const auto n = static_cast<std::size_t>(*predict_);
  if (n > 0) {
    add(name("predicted_time"),
        {"", DType::F64, "d", "times of the fitted curves, on the common scale of the bands"}, n);
  }
  add(name("flags"), {"flags", DType::I32, "", kFlagsHelp});
  for (std::size_t b = 0; b < groups_->size(); ++b) {
    add(name(b, "n_epochs"), {"", DType::I32, "", "epochs of this band that could be fitted"});
    add(name(b, "n_removed"), {"", DType::I32, "", "epochs of this band that were removed"});
    for (const BandColumn& c : kBand)
      if (is_wanted(c)) add(name(b, c.column.name), c.column);
    if (*incoherent_)
      add(name(b, "log_ratio_own"),
          {"", DType::F64, "", "ln of the sigma of its own process over log_sigma's"});
    if (*posterior_) {
      const auto of_band = [&](const std::string& column) { return name(b, column); };
      add_quantiles(of_band, "log_sigma", "ln of sigma in mag", false);
      add_quantiles(of_band, "logD", "ln of D = sigma^2/tau in mag^2/d", true);
    }
    if (n == 0) continue;
    add(name(b, "predicted_mag"), {"", DType::F64, "mag", "the fitted curve in this band"}, n);
    add(name(b, "predicted_sd"), {"", DType::F64, "mag", "its standard deviation, without noise"},
        n);
  }
}

void OuMultiband::store_posterior(const Posterior& posterior, const Fit& fit,
                                  qsohost::Result& result) const {
  for (std::size_t q = 0; q < kQuantileNames.size(); ++q) {
    result.set<double>(name(quantile_name("log_tau", q)), posterior.ln_tau[q]);
    for (std::size_t b = 0; b < groups_->size(); ++b) {
      if (!fit.has_epochs(b)) continue;
      result.set<double>(name(b, quantile_name("log_sigma", q)), posterior.ln_sigma[b][q]);
      result.set<double>(name(b, quantile_name("logD", q)), posterior.ln_d[b][q]);
    }
  }
}

}  // namespace ou::multiband
