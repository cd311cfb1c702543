#include "qsohost/light_curve_fitter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace qsohost::inline v1 {

namespace {

std::vector<std::uint8_t> usable(const LightCurve& curve) {
  std::vector<std::uint8_t> take(curve.size());
  for (std::size_t i = 0; i < curve.size(); ++i) {
    take[i] = std::isfinite(curve.time[i]) && std::isfinite(curve.mag[i]) &&
              curve.mag_err[i] >= 1e-15 && curve.mag_err[i] <= 1e15;
  }
  return take;
}

double median_step(const std::vector<double>& time) {
  std::vector<double> steps;
  for (std::size_t i = 1; i < time.size(); ++i) steps.push_back(time[i] - time[i - 1]);
  if (steps.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
  std::nth_element(steps.begin(), middle, steps.end());
  if (steps.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(steps.begin(), middle)) / 2;
}

constexpr double kFewestTimes = 10;  // tau in the baseline
constexpr double kUnlikelyChi2 = 3;  // standard deviations of chi2

}  // namespace

std::int32_t doubts(const CurveToFit& curve, const FitQuality& fit) {
  std::int32_t flags = 0;  // comparisons with NaN are false
  if (curve.baseline < kFewestTimes * fit.tau) flags |= kShortBaseline;
  if (fit.tau < curve.median_cadence) flags |= kFasterThanCadence;
  if (fit.bic_const < fit.bic) flags |= kConstantPreferred;
  if (fit.chi2 > fit.degrees + kUnlikelyChi2 * std::sqrt(2 * fit.degrees)) flags |= kErrorsTooSmall;
  return flags;
}

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
      throw UsageError(fmt::format("groups names '{}' twice", *g));
  }
  if (*rest_frame_ && redshift_->empty())
    throw UsageError(
        "rest_frame = true needs a redshift: name its column, or set rest_frame = false");
}

void LightCurveFitter::declare(const Schema& before, Ports& ports) const {
  ports.minds_time_systems();  // one light curve at a time
  if (!redshift_->empty()) {
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
      return ports.problem(
          fmt::format("group '{}' has no columns for time, mag and mag_err", name));
    }
    for (const auto& [column, what] :
         {std::pair{info.time, "time"}, std::pair{info.mag, "magnitude"},
          std::pair{info.mag_err, "error of the magnitude"}})
      ports.reads({name, column, std::nullopt, "", what});
  }
  declare_curve(info, before, ports);
}

void LightCurveFitter::add_result(const GroupInfo& group, const ResultColumn& column,
                                  Ports& ports) const {
  const bool is_band = column.name == fit_column::kBand.name;
  ports.adds({"", fmt::format("{}.{}", prefix(group.name), column.name), column.dtype,
              std::string(column.unit), std::string(column.help), 0, 1, is_band ? group.band : ""});
}

void LightCurveFitter::add_flags(const GroupInfo& group, std::string_view own, Ports& ports) const {
  const std::string help = fmt::format(
      "sum of: {} too few epochs, {} invalid redshift (both: not fitted), {} epochs with NaN or "
      "mag_err not between 1e-15 and 1e15 took no part, {} a fit did not converge{}{}; of fitters "
      "with a time scale and a likelihood: {} baseline below {} tau, {} tau below the median "
      "cadence, {} a constant is preferred by the Bayesian criterion, {} mag_err may be too small: "
      "chi2 exceeds its degrees of freedom (epochs - fitted parameters) by more than {} sqrt(2 "
      "degrees)",
      +kTooFewEpochs, +kBadRedshift, +kEpochsWithoutPart, +kFitFailed, own.empty() ? "" : ", ", own,
      +kShortBaseline, kFewestTimes, +kFasterThanCadence, +kConstantPreferred, +kErrorsTooSmall,
      kUnlikelyChi2);
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
      redshift_->empty() ? std::numeric_limits<double>::quiet_NaN() : object.number(*redshift_);
  for (const std::string& group : *groups_) fit_group(object, group, redshift, result);
}

void LightCurveFitter::fit_group(const Object& object, const std::string& group, double redshift,
                                 Result& result) const {
  const LightCurve fetched = object.light_curve(group);
  const TimeOrder order(fetched.time, usable(fetched));
  CurveToFit curve{object, group, fetched, order, redshift};
  if (order.size() < fetched.size()) curve.flags |= kEpochsWithoutPart;
  std::int32_t flags = curve.flags;
  if (*rest_frame_ && !(std::isfinite(redshift) && redshift > -1)) flags |= kBadRedshift;
  if (order.size() < min_points()) flags |= kTooFewEpochs;

  set(curve, fit_column::kZ.name, redshift, result);
  set(curve, fit_column::kEpochs.name, static_cast<std::int32_t>(order.size()), result);
  set(curve, "flags", flags, result);
  result.count(group, "epochs without part",
               static_cast<std::int64_t>(fetched.size() - order.size()));
  if ((flags & kTooFewEpochs) != 0)
    result.count(group, "objects too short");
  else if ((flags & kBadRedshift) != 0)
    result.count(group, "objects without valid redshift");
  if ((flags & (kTooFewEpochs | kBadRedshift)) != 0) return;

  curve.time = order.gather(fetched.time);
  curve.mag = order.gather(fetched.mag);
  curve.mag_err = order.gather(fetched.mag_err);
  const double first = curve.time.front();
  for (double& t : curve.time) t = (t - first) / (*rest_frame_ ? 1 + redshift : 1.0);
  curve.baseline = curve.time.back();
  curve.median_cadence = median_step(curve.time);
  set(curve, fit_column::kBaseline.name, curve.baseline, result);
  set(curve, fit_column::kCadence.name, curve.median_cadence, result);
  fit_curve(curve, result);
}

}  // namespace qsohost::inline v1
