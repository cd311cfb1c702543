#include "multiband_columns.hpp"

#include <bit>

namespace ou::multiband {
namespace {

using qsohost::DType;
using Of = BandColumn::Of;

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

std::span<const qsohost::ResultColumn> joint_columns() {
  return kJoint;
}
std::span<const qsohost::ResultColumn> incoherent_columns() {
  return kIncoherent;
}
std::span<const BandColumn> band_columns() {
  return kBand;
}

}  // namespace ou::multiband
