// structure-function: binned, error-corrected structure functions of light curves. Adds the arrays
// of group "LABEL.GROUP", one element per bin, and object columns "LABEL.GROUP.<result>".
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <qsohost/plugin.hpp>
#include <string>

#include "binned.hpp"
#include "bootstrap.hpp"
#include "functions.hpp"

namespace {

using qsohost::DType;

constexpr std::int32_t kTooFewBins = 16;
constexpr std::int32_t kTauAtBound = 32;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view kFlagsHelp =
    "16 too few bins for one of the two functions, 32 tau at the end of its range";

constexpr qsohost::ResultColumn kFunctions[] = {
    {"amplitude", DType::F64, "mag", "structure function at a lag of 365.25 d, of a power law",
     true},
    {"slope", DType::F64, "", "exponent of the power law"},
    {"err_amplitude", DType::F64, "mag",
     "error of amplitude, as err_slope; 0.7 to 0.8 of the scatter where tau is a fifth of the "
     "baseline or more"},
    {"err_slope", DType::F64, "",
     "error of slope: half the range from the 16th to the 84th percentile among replicates of a "
     "damped random walk that is fitted to the bins; for other processes a guess. NaN if most "
     "replicates have no value"},
    {"sf_inf", DType::F64, "mag",
     "structure function at long lags, of SF^2 = sf_inf^2 (1 - exp(-lag/tau))"},
    {"log_tau", DType::F64, "", "ln of tau in d, of the same function", true},
    {"err_sf_inf", DType::F64, "mag",
     "error of sf_inf, as err_slope; down to half of the scatter where tau is a tenth of the "
     "baseline or more"},
    {"err_log_tau", DType::F64, "", "error of log_tau, as err_slope"},
};

class StructureFunction final : public qsohost::LightCurveFitter {
 public:
  StructureFunction() : LightCurveFitter({.usual = 10, .least = 3, .help = "epochs needed"}) {}
  void validate() const override;
  void open(qsohost::Context& context) override { context_ = &context; }

 private:
  void declare_curve(const qsohost::GroupInfo& group, const qsohost::Schema& before,
                     qsohost::Ports& ports) const override;
  void fit_curve(const qsohost::CurveToFit& curve, qsohost::Result& result) const override;

  qsohost::Option<double> lag_min_{
      this, "lag_min", 1, "lags from here", {.unit = "d", .min = 1e-6}};
  qsohost::Option<double> lag_max_{
      this, "lag_max", 3000, "lags up to here", {.unit = "d", .min = 1e-6}};
  qsohost::Option<std::int64_t> bins_{
      this, "bins", 12, "bins of equal width in the logarithm of the lag", {.min = 1, .max = 1000}};
  qsohost::Option<std::int64_t> min_pairs_{
      this, "min_pairs", 20, "a bin with fewer pairs has no value", {.min = 2}};
  qsohost::Choice<sf::Estimator> estimator_{
      this,
      "estimator",
      sf::Estimator::MeanSquare,
      {{"mean-square", sf::Estimator::MeanSquare}, {"iqr", sf::Estimator::Iqr}},
      "mean-square: SF^2 = <dm^2 - e_i^2 - e_j^2>; iqr: SF^2 = (0.7413 IQR(dm))^2 - <e_i^2 + "
      "e_j^2>, which outliers hardly change"};
  qsohost::Context* context_ = nullptr;
};

void StructureFunction::validate() const {
  LightCurveFitter::validate();
  if (*lag_max_ <= *lag_min_)
    throw qsohost::UsageError(
        fmt::format("lag_max ({}) must be above lag_min ({})", *lag_max_, *lag_min_));
}

void StructureFunction::declare_curve(const qsohost::GroupInfo& group,
                                      const qsohost::Schema& /*before*/,
                                      qsohost::Ports& ports) const {
  for (const auto& c : qsohost::fit_column::kEveryCurve) add_result(group, c, ports);
  for (const auto& c : kFunctions) add_result(group, c, ports);
  add_flags(group, kFlagsHelp, ports);
  qsohost::GroupInfo arrays;
  arrays.name = prefix(group.name);
  arrays.band = group.band;
  ports.adds_group(arrays);
  ports.adds({arrays.name, "lag", DType::F64, "d", framed("mean lag of the pairs of each bin")});
  ports.adds({arrays.name, "sf", DType::F64, "mag",
              "structure function; NaN with too few pairs or no more scatter than errors make"});
  ports.adds({arrays.name, "sf_err", DType::F64, "mag",
              "standard error of sf as if pairs were independent: a lower bound"});
  ports.adds({arrays.name, "pairs", DType::I64, "", "pairs of epochs in each bin"});
}

void StructureFunction::fit_curve(const qsohost::CurveToFit& curve, qsohost::Result& result) const {
  const auto edges = sf::edges_between(*lag_min_, *lag_max_, static_cast<std::size_t>(*bins_));
  const auto bins = sf::bin_pairs(curve.time, curve.mag, curve.mag_err, edges, *estimator_,
                                  static_cast<std::size_t>(*min_pairs_),
                                  [this] { return context_->stop_requested(); });
  if (bins.empty()) return;  // stopped: the host discards this batch
  for (const sf::Bin& bin : bins) {
    const double value = bin.sf2 > 0 ? std::sqrt(bin.sf2) : std::nan("");
    result.append<double>(prefix(curve.group), "lag", bin.lag);
    result.append<double>(prefix(curve.group), "sf", value);
    result.append<double>(prefix(curve.group), "sf_err", bin.sf2_err / (2 * value));
    result.append<std::int64_t>(prefix(curve.group), "pairs", static_cast<std::int64_t>(bin.pairs));
  }
  std::int32_t flags = curve.flags;
  const auto law = sf::fit_power_law(bins);
  const auto saturation = sf::fit_saturation(bins);
  const auto errors =
      sf::bootstrap_errors(curve.time, curve.mag, curve.mag_err, edges, *estimator_, bins);
  if (law) {
    set(curve, "amplitude", law->amplitude, result);
    set(curve, "slope", law->slope, result);
    set(curve, "err_amplitude", errors.amplitude, result);
    set(curve, "err_slope", errors.slope, result);
  }
  if (saturation) {
    set(curve, "sf_inf", saturation->sf_inf, result);
    set(curve, "log_tau", saturation->ln_tau, result);
    set(curve, "err_sf_inf", errors.sf_inf, result);
    set(curve, "err_log_tau", errors.ln_tau, result);
    if (saturation->at_bound) flags |= kTauAtBound;
    flags |= qsohost::doubts(curve, {std::exp(saturation->ln_tau), kNone, kNone, kNone, kNone});
  }
  if (!law || !saturation) flags |= kTooFewBins;
  set(curve, "flags", flags, result);
  result.count(curve.group, "objects fitted");
}

}  // namespace

QSOHOST_PLUGIN("structure-function", QSOHOST_VERSION,
               qsohost::stage<StructureFunction>("structure-function",
                                                 "binned, error-corrected structure functions"));
