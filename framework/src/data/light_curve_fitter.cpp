#include "qsohost/light_curve_fitter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "data/curve_rules.hpp"
#include "data/doubts.hpp"

namespace qsohost::inline v1 {

namespace {

double median_step(const std::vector<double>& time) {
  std::vector<double> steps;
  for (std::size_t i = 1; i < time.size(); ++i) steps.push_back(time[i] - time[i - 1]);
  if (steps.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
  std::nth_element(steps.begin(), middle, steps.end());
  if (steps.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(steps.begin(), middle)) / 2;
}

// What the bits of the column "flags" mean that all fitters share.
std::string shared_flags() {
  return fmt::format(
      "sum of: {} too few epochs, {} redshift not above 0 and not above {} (both: not fitted), {} "
      "epochs took no part, as a number was not finite, mag_err not positive or below {} of the "
      "median, {} a fit did not converge; of the light curve: {} epochs took no part whose mag_err "
      "stands for none: {} times the median, or {} times and made of nines, {} times are rounded "
      "to "
      "32-bit numbers, {:g} d or more apart, {} two sources: {} or more exposures, and {:g} % of "
      "all, have magnitudes {} standard deviations and {:g} mag apart, {} redshift 0: times as "
      "observed",
      +kTooFewEpochs, +kBadRedshift, kLargestRedshift, +kEpochsWithoutPart, kLeastRelativeError,
      +kFitFailed, +kErrorSentinels, kSentinelAbove, kNinesAbove, +kRoundedTimes, kCoarseSpacing,
      +kTwoSources, kFewestDisagreements, 100 * kDisagreeingFraction, kDisagreement,
      kLeastDisagreement, +kZeroRedshift);
}

// What doubts() may add to them.
std::string doubtful_flags() {
  return fmt::format(
      "of a fit with a time scale and a likelihood: {} baseline below {} tau, {} tau below the "
      "median cadence, {} a constant is preferred by the Bayesian criterion, {} mag_err may be too "
      "small: chi2 exceeds its degrees of freedom (epochs - fitted parameters) by more than {} "
      "sqrt(2 degrees), or that of the differences of epochs closer than {} tau (degrees: pairs, "
      "no epoch in two) by more than {} standard deviations",
      +kShortBaseline, kFewestTaus, +kFasterThanCadence, +kConstantPreferred, +kErrorsTooSmall,
      kUnlikelyChi2, kCloseInTau, kUnlikelyPairs);
}

}  // namespace

std::string_view failure_of(std::int32_t flags) {
  if ((flags & kTooFewEpochs) != 0) return "too few epochs";
  if ((flags & kBadRedshift) != 0) return "invalid redshift";
  if ((flags & kFitFailed) != 0) return "the fit did not converge";
  return "";
}

LightCurveFitter::LightCurveFitter(MinPoints min_points)
    : min_points_(this, "min_points", min_points.usual, std::move(min_points.help),
                  {.min = min_points.least}) {}

LightCurveFitter::~LightCurveFitter() = default;

std::string LightCurveFitter::prefix(std::string_view group) const {
  return fmt::format("{}.{}", label(), group);
}

void LightCurveFitter::validate() const {
  if (groups_->empty())
    throw UsageError("groups is empty: name the light curves to fit, e.g. [\"ztf.g\"]");
  for (auto g = groups_->begin(); g != groups_->end(); ++g) {
    if (std::find(groups_->begin(), g, *g) != g)
      throw UsageError(fmt::format("groups names '{}' twice; name it once", *g));
  }
  if (*rest_frame_ && redshift_->empty())
    throw UsageError(
        "rest_frame = true needs a redshift: name its column, or set rest_frame = false");
}

void LightCurveFitter::declare(const Schema& before, Ports& ports) const {
  ports.minds_time_systems();  // one light curve at a time
  if (*rest_frame_) {
    const auto* z = before.find("", *redshift_);
    if (z != nullptr && z->port.dtype == DType::String)
      ports.problem(fmt::format("redshift column '{}' holds strings, not numbers", *redshift_));
    ports.reads({"", *redshift_, std::nullopt, "", "redshift"});
  }
  for (const std::string& name : *groups_) declare_group(name, before, ports);
}

void LightCurveFitter::declare_group(const std::string& name, const Schema& before,
                                     Ports& ports) const {
  const auto* group = before.find_group(name);
  if (group == nullptr && !before.is_open()) {
    // The host reports what is wrong.
    return ports.reads({name, "mag", std::nullopt, "", "light curve to fit"});
  }
  GroupInfo info;
  info.name = name;
  if (group != nullptr) {
    info = group->info;
    if (info.time.empty() || info.mag.empty() || info.mag_err.empty()) {
      return ports.problem(fmt::format(
          "group '{}' has no columns for time, mag and mag_err; name a light curve", name));
    }
    for (const auto& [column, what] :
         {std::pair{info.time, "time"}, std::pair{info.mag, "magnitude"},
          std::pair{info.mag_err, "error of the magnitude"}})
      ports.reads({name, column, std::nullopt, "", what});
  }
  declare_curve(info, before, ports);
}

std::string LightCurveFitter::framed(std::string_view help) const {
  return fmt::format("{}; {} frame", help, *rest_frame_ ? "rest" : "observed");
}

void LightCurveFitter::add_result(const GroupInfo& group, const ResultColumn& column,
                                  Ports& ports) const {
  const bool is_band = column.name == fit_column::kBand.name;
  std::string help = column.framed ? framed(column.help) : std::string(column.help);
  ports.adds({"", fmt::format("{}.{}", prefix(group.name), column.name), column.dtype,
              std::string(column.unit), std::move(help), 0, 1, is_band ? group.band : ""});
}

void LightCurveFitter::add_flags(const GroupInfo& group, std::string_view own, Ports& ports) const {
  const std::string help =
      fmt::format("{}; {}{}{}", shared_flags(), doubtful_flags(), own.empty() ? "" : "; ", own);
  add_result(group, {"flags", DType::I32, "", help}, ports);
}

void LightCurveFitter::set_likelihood(const CurveToFit& curve, std::int32_t n_parameters,
                                      double loglike, double chi2, Result& result) const {
  const auto n = static_cast<double>(curve.size());
  set(curve, fit_column::kParameters.name, n_parameters, result);
  set(curve, fit_column::kLoglike.name, loglike, result);
  set(curve, fit_column::kAic.name, 2.0 * n_parameters - 2 * loglike, result);
  set(curve, fit_column::kBic.name, n_parameters * std::log(n) - 2 * loglike, result);
  set(curve, fit_column::kChi2.name, chi2, result);
}

void LightCurveFitter::fit(const Object& object, Result& result) const {
  const double redshift =
      *rest_frame_ ? object.number(*redshift_) : std::numeric_limits<double>::quiet_NaN();
  for (const std::string& group : *groups_) fit_group(object, group, redshift, result);
}

void LightCurveFitter::fit_group(const Object& object, const std::string& group, double redshift,
                                 Result& result) const {
  const LightCurve fetched = object.light_curve(group);
  const UsableEpochs usable = usable_epochs(fetched);
  const TimeOrder order(fetched.time, usable.take);
  CurveToFit curve{object, group, fetched, order, redshift, usable.flags};
  std::int32_t obstacles = 0;
  if (order.size() < min_points()) obstacles |= kTooFewEpochs;
  if (*rest_frame_ && redshift == 0)
    curve.flags |= kZeroRedshift;
  else if (*rest_frame_ && !is_redshift(redshift))
    obstacles |= kBadRedshift;

  set(curve, fit_column::kZ.name, redshift, result);
  set(curve, fit_column::kEpochs.name, static_cast<std::int32_t>(order.size()), result);
  set(curve, "flags", curve.flags | obstacles, result);
  result.count(group, "epochs without part",
               static_cast<std::int64_t>(fetched.size() - order.size()));
  if ((obstacles & kTooFewEpochs) != 0)
    result.count(group, "objects too short");
  else if (obstacles != 0)
    result.count(group, "objects without valid redshift");
  if (obstacles != 0) return;
  fill(curve);
  set(curve, fit_column::kBaseline.name, curve.baseline, result);
  set(curve, fit_column::kCadence.name, curve.median_cadence, result);
  set(curve, "flags", curve.flags, result);
  fit_curve(curve, result);
}

void LightCurveFitter::fill(CurveToFit& curve) const {
  curve.time = curve.order.gather(curve.fetched.time);
  curve.mag = curve.order.gather(curve.fetched.mag);
  curve.mag_err = curve.order.gather(curve.fetched.mag_err);
  if (are_rounded_to_32_bits(curve.time))
    curve.flags |= kRoundedTimes;
  else if (has_two_sources(curve))
    curve.flags |= kTwoSources;
  const double first = curve.time.front();
  for (double& t : curve.time) t = (t - first) / (*rest_frame_ ? 1 + curve.redshift : 1.0);
  curve.baseline = curve.time.back();
  curve.median_cadence = median_step(curve.time);
}

}  // namespace qsohost::inline v1
