#include "multiband_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <optional>
#include <qsohost/time_converter.hpp>

#include "multiband_lags.hpp"
#include "nan.hpp"

namespace ou::multiband {
namespace {

// Of each survey, the bands after the first that takes part.
template <class TakesPart>
std::vector<Lagged> lagged_bands(const std::vector<qsohost::GroupInfo>& infos,
                                 const TakesPart& takes_part) {
  std::vector<Lagged> out;
  for (std::size_t b = 0; b < infos.size(); ++b) {
    std::size_t first = 0;
    while (first < b && !(takes_part(first) && infos[first].survey == infos[b].survey)) ++first;
    if (first < b && takes_part(b)) out.push_back({b, first});
  }
  return out;
}

void check_bounds(std::string_view name, const std::vector<double>& bounds) {
  if (bounds.size() == 2 && bounds[0] > 0 && bounds[0] < bounds[1] && std::isfinite(bounds[1]))
    return;
  throw qsohost::UsageError(
      fmt::format("{} must be two numbers above 0, the lower one first", name));
}

}  // namespace

struct OuMultiband::Fitted {
  const Curves& curves;
  const SortedSeries& sorted;
  const Cleaned& cleaned;
  double redshift;
  std::optional<Fit> incoherent{};
  const Series& series() const { return sorted.series; }
  const Fit& fit() const { return cleaned.fit; }
  std::size_t kept() const {
    return series().size() -
           static_cast<std::size_t>(std::count(cleaned.removed.begin(), cleaned.removed.end(), 1));
  }
};

std::string OuMultiband::name(std::string_view result) const {
  return fmt::format("{}.{}", label(), result);
}
std::string OuMultiband::name(std::size_t band, std::string_view result) const {
  return fmt::format("{}.{}.{}", label(), (*groups_)[band], result);
}

void OuMultiband::validate() const {
  if (groups_->empty())
    throw qsohost::UsageError("groups is empty: name the light curves to fit, e.g. [\"ztf.g\"]");
  if (groups_->size() > kMostBands)
    throw qsohost::UsageError(
        fmt::format("groups names {} light curves; at most {}", groups_->size(), kMostBands));
  for (auto g = groups_->begin(); g != groups_->end(); ++g) {
    if (std::find(groups_->begin(), g, *g) != g)
      throw qsohost::UsageError(fmt::format("groups names '{}' twice; name it once", *g));
  }
  if (*rest_frame_ && redshift_->empty())
    throw qsohost::UsageError(
        "rest_frame = true needs a redshift: name its column, or set rest_frame = false");
  check_bounds("sigma_bounds", *sigma_bounds_);
  check_bounds("tau_bounds", *tau_bounds_);
  const std::vector<double>& lags = *lag_bounds_;
  if (lags.size() != 2 || !(lags[0] <= 0 && lags[1] >= 0 && lags[0] < lags[1]) ||
      !std::isfinite(lags[1] - lags[0]))
    throw qsohost::UsageError(
        "lag_bounds must be two numbers, the lower one first, with 0 between them");
}

void OuMultiband::declare(const qsohost::Schema& before, qsohost::Ports& ports) const {
  if (*rest_frame_) {
    const auto* z = before.find("", *redshift_);
    if (z != nullptr && z->port.dtype == qsohost::DType::String)
      ports.problem(fmt::format("redshift column '{}' holds strings, not numbers", *redshift_));
    ports.reads({"", *redshift_, std::nullopt, "", "redshift"});
  }
  ports.minds_time_systems();
  std::vector<qsohost::GroupInfo> infos;
  for (const std::string& group : *groups_) declare_group(group, before, infos, ports);
  if (infos.size() == groups_->size()) {
    const qsohost::TimeSystem to = qsohost::common_time_system(infos);
    const bool has_position = before.find("", *ra_) != nullptr && before.find("", *dec_) != nullptr;
    if (*lags_ && lagged_bands(infos, [](std::size_t) { return true; }).empty())
      ports.problem(
          "lags = \"fit\" needs two light curves of one survey in groups: lags between surveys "
          "of different years cannot be measured");
    const std::string why =
        qsohost::why_not_combinable(to, infos, has_position || before.is_open());
    if (!why.empty()) ports.problem(why);
    if (has_position) {
      ports.reads({"", *ra_, std::nullopt, "deg", "right ascension, ICRS"});
      ports.reads({"", *dec_, std::nullopt, "deg", "declination, ICRS"});
    }
  }
  declare_results(ports);
}

void OuMultiband::declare_group(const std::string& group, const qsohost::Schema& before,
                                std::vector<qsohost::GroupInfo>& infos,
                                qsohost::Ports& ports) const {
  const auto* entry = before.find_group(group);
  if (entry == nullptr) {
    // The host reports what is wrong.
    if (!before.is_open()) ports.reads({group, "mag", std::nullopt, "", "light curve to fit"});
    return;
  }
  const qsohost::GroupInfo& info = entry->info;
  if (info.time.empty() || info.mag.empty() || info.mag_err.empty())
    return ports.problem(fmt::format(
        "group '{}' has no columns for time, mag and mag_err; name a light curve", group));
  for (const std::string& column : {info.time, info.mag, info.mag_err})
    ports.reads({group, column, std::nullopt, "", "light curve"});
  infos.push_back(info);
  if (*rule_)
    ports.adds(
        {group, "keep", qsohost::DType::Bool, "", "0: removed by leave-one-out cleaning", 1});
  ports.adds({group, "loo_mean", qsohost::DType::F64, "mag",
              "prediction of the epoch from all other epochs, of all bands, that were fitted"});
  ports.adds({group, "loo_sd", qsohost::DType::F64, "mag",
              "standard deviation of mag - loo_mean: of the prediction, mag_err and jitter"});
}

Model OuMultiband::model(const Curves& curves) const {
  const Box box{std::log((*sigma_bounds_)[0]), std::log((*sigma_bounds_)[1]),
                std::log((*tau_bounds_)[0]), std::log((*tau_bounds_)[1])};
  Model model{*jitter_ ? with_jitter(box) : box, *mean_};
  if (!*lags_) return model;
  model.lagged = curves.lagged;
  model.lag_min = (*lag_bounds_)[0];
  model.lag_max = (*lag_bounds_)[1];
  return model;
}

Rule OuMultiband::rule() const {
  Rule rule;
  rule.false_alarms_per_curve = *false_alarms_;
  rule.max_removed_fraction = *max_removed_;
  rule.min_points = static_cast<std::size_t>(*min_points_band_);
  if (context_ != nullptr)
    rule.stop_requested = [context = context_] { return context->stop_requested(); };
  return rule;
}

double OuMultiband::number(const qsohost::Object& object, const std::string& column) const {
  return object.batch().objects().find(column) == nullptr ? kNaN : object.number(column);
}

OuMultiband::Curves OuMultiband::gather(const qsohost::Object& object, double stretch) const {
  Curves out;
  std::vector<qsohost::GroupInfo> infos;
  for (const std::string& group : *groups_) infos.push_back(object.batch().group(group).info());
  const qsohost::TimeSystem to = qsohost::common_time_system(infos);
  const double ra = number(object, *ra_), dec = number(object, *dec_);
  for (std::size_t b = 0; b < groups_->size(); ++b) {
    const qsohost::LightCurve curve = object.light_curve((*groups_)[b]);
    const qsohost::UsableEpochs usable = qsohost::usable_epochs(curve);
    out.flags |= usable.flags;
    std::vector<double> time(curve.time.begin(), curve.time.end());
    if (infos[b].time_system != to)
      time = qsohost::times_on(to, infos[b].time_system, time, ra, dec);
    std::vector<double> mags;
    for (std::size_t i = 0; i < time.size(); ++i) {
      if (usable.take[i] == 0) continue;
      if (std::isnan(time[i])) out.flags |= kTimesNotConverted;
      mags.push_back(curve.mag[i]);
      out.time.push_back(time[i]);
      out.mag.push_back(curve.mag[i]);
      out.mag_err.push_back(curve.mag_err[i]);
      out.band.push_back(static_cast<std::uint8_t>(b));
      out.origin.push_back(i);
    }
    out.epochs[b] = mags.size();
    out.median[b] = median(std::move(mags));
  }
  // Bands with too few epochs take no part.
  const auto least = static_cast<std::size_t>(*min_points_band_);
  std::size_t n = 0;
  for (std::size_t i = 0; i < out.time.size(); ++i) {
    if (!out.takes_part(out.band[i], least)) continue;
    out.time[n] = out.time[i];
    out.mag[n] = out.mag[i];
    out.mag_err[n] = out.mag_err[i];
    out.band[n] = out.band[i];
    out.origin[n] = out.origin[i];
    ++n;
  }
  for (std::vector<double>* v : {&out.time, &out.mag, &out.mag_err}) v->resize(n);
  out.band.resize(n);
  out.origin.resize(n);
  for (std::size_t b = 0; b < groups_->size(); ++b)
    if (!out.takes_part(b, least)) out.flags |= kBandWithoutPart;
  out.lagged = lagged_bands(infos, [&](std::size_t b) { return out.takes_part(b, least); });
  if (n == 0) return out;
  const auto [low, high] = std::ranges::minmax_element(out.time);
  out.first = *low;
  out.last = *high;
  for (double& t : out.time) t = (t - out.first) / stretch;
  return out;
}

void OuMultiband::fit(const qsohost::Object& object, qsohost::Result& result) const {
  const double redshift = *rest_frame_ ? object.number(*redshift_) : kNaN;
  const bool is_zero = redshift == 0;
  const bool is_bad = *rest_frame_ && !is_zero && !qsohost::is_redshift(redshift);
  const Curves curves = gather(object, *rest_frame_ && !is_bad ? 1 + redshift : 1.0);
  std::int32_t flags =
      curves.flags | (is_zero ? qsohost::kZeroRedshift : 0) | (is_bad ? qsohost::kBadRedshift : 0);
  if (curves.time.size() < static_cast<std::size_t>(*min_points_)) flags |= qsohost::kTooFewEpochs;
  result.set<double>(name("z"), redshift);
  result.set<std::int32_t>(name("n_epochs"), static_cast<std::int32_t>(curves.time.size()));
  result.set<std::int32_t>(name("flags"), flags);
  for (std::size_t b = 0; b < groups_->size(); ++b)
    result.set<std::int32_t>(name(b, "n_epochs"), static_cast<std::int32_t>(curves.epochs[b]));
  constexpr std::int32_t kObstacles =
      qsohost::kTooFewEpochs | qsohost::kBadRedshift | kTimesNotConverted;
  if ((flags & kObstacles) != 0) return result.count(label(), "objects not fitted");

  const SortedSeries sorted = make_series(groups_->size(), curves.time, curves.band, curves.mag,
                                          curves.mag_err, curves.median);
  Cleaned cleaned;
  if (*rule_) {
    cleaned = clean_by_prediction(sorted.series, model(curves), rule());
    if (cleaned.ending == Ending::Stopped) return;  // the host discards this batch
  } else {
    cleaned.fit = fit_with_lags(sorted.series, model(curves));
    cleaned.removed.assign(sorted.series.size(), 0);
  }
  flags |= flag_of(cleaned.ending);
  result.count(label(), cleaned.fit.converged ? "objects fitted" : "objects given up");
  if (!cleaned.fit.converged)
    return result.set<std::int32_t>(name("flags"), flags | qsohost::kFitFailed);
  Fitted fitted{curves, sorted, cleaned, redshift};
  if (*incoherent_) {
    Model with_own = model(curves);
    with_own.incoherent = true;
    with_own.lag = cleaned.fit.at.lag;  // not fitted again: the criterion compares processes
    fitted.incoherent = fit_global(without(sorted.series, cleaned.removed), with_own);
  }
  store(fitted, result);
  result.set<std::int32_t>(name("flags"), flags | flags_of(fitted));
}

std::int32_t OuMultiband::flags_of(const Fitted& fitted) const {
  const Fit& fit = fitted.fit();
  std::int32_t flags = 0;
  if ((fit.tau_bounds & kTauLow) != 0) flags |= kTauLowFlag;
  if ((fit.tau_bounds & kTauHigh) != 0) flags |= kTauHighFlag;
  bool has_errors = std::isfinite(fit.err_ln_tau);
  for (std::size_t b = 0; b < groups_->size(); ++b) {
    if (!fit.has_epochs(b)) continue;
    if ((fit.bounds[b] & (kSigmaLow | kSigmaHigh)) != 0) flags |= kSigmaFlag;
    if ((fit.bounds[b] & kJitterLow) != 0) flags |= kJitterAtBound;
    has_errors = has_errors && std::isfinite(fit.err_ln_sigma[b]);
    const bool has_lag =
        std::ranges::any_of(fitted.curves.lagged, [&](const Lagged& l) { return l.band == b; });
    const LagInterval& lags = fit.lag_interval[b];
    if (*lags_ && has_lag && (lags.low <= (*lag_bounds_)[0] || lags.high >= (*lag_bounds_)[1]))
      flags |= kLagAtBound;
  }
  if (!has_errors) flags |= kNoErrors;
  if (fitted.series().time.back() < 10 * std::exp(fit.at.ln_tau)) flags |= qsohost::kShortBaseline;
  if (fitted.incoherent && bic(*fitted.incoherent, fitted.kept()) < bic(fit, fitted.kept()))
    flags |= kIncoherentPreferred;
  return flags;
}

void OuMultiband::store(const Fitted& fitted, qsohost::Result& result) const {
  const Fit& fit = fitted.fit();
  const std::size_t kept = fitted.kept();
  const auto set = [&](std::string_view column, double value) {
    result.set<double>(name(column), value);
  };
  set("baseline", fitted.series().time.back());
  set("log_tau", fit.at.ln_tau);
  set("err_log_tau", fit.err_ln_tau);
  set("loglike", fit.value.loglike);
  set("aic", aic(fit));
  set("bic", bic(fit, kept));
  set("chi2", fit.value.chi2);
  result.set<std::int32_t>(name("n_parameters"), fit.n_parameters);
  result.set<std::int32_t>(name("n_bands"), std::popcount(fit.bands_with_epochs));
  result.set<std::int32_t>(name("n_removed"),
                           static_cast<std::int32_t>(fitted.series().size() - kept));
  if (fitted.incoherent) {
    const Fit& own = *fitted.incoherent;
    set("loglike_incoherent", own.value.loglike);
    set("bic_incoherent", bic(own, kept));
    set("log_tau_incoherent", own.at.ln_tau);
    set("log_tau_own", own.incoherent.ln_tau);
  }
  for (std::size_t b = 0; b < groups_->size(); ++b)
    if (fit.has_epochs(b)) store_band(fitted, b, result);
  store_epochs(fitted, result);
  if (*posterior_)
    store_posterior(
        posterior_of(without(fitted.series(), fitted.cleaned.removed), model(fitted.curves), fit),
        fit, result);
  if (*predict_ > 0) store_predicted(fitted, result);
}

void OuMultiband::store_band(const Fitted& fitted, std::size_t band,
                             qsohost::Result& result) const {
  for (const BandColumn& c : band_columns())
    if (is_wanted(c)) result.set<double>(name(band, c.column.name), c.value(fitted.fit(), band));
  if (fitted.incoherent)
    result.set<double>(name(band, "log_ratio_own"), fitted.incoherent->incoherent.ln_ratio[band]);
  std::int32_t removed = 0;
  for (std::size_t i = 0; i < fitted.series().size(); ++i)
    if (fitted.series().band[i] == band) removed += fitted.cleaned.removed[i];
  result.set<std::int32_t>(name(band, "n_removed"), removed);
  result.count((*groups_)[band], "epochs removed", removed);
}

void OuMultiband::store_epochs(const Fitted& fitted, qsohost::Result& result) const {
  const LeaveOneOut loo =
      leave_one_out(fitted.series(), fitted.fit().at, *mean_, fitted.cleaned.removed);
  for (std::size_t i = 0; i < fitted.series().size(); ++i) {
    const std::size_t input = fitted.sorted.order[i];
    const std::string& group = (*groups_)[fitted.series().band[i]];
    const std::size_t at = fitted.curves.origin[input];
    result.epochs<double>(group, "loo_mean")[at] = loo.mean[i];
    result.epochs<double>(group, "loo_sd")[at] = std::sqrt(loo.var[i]);
    if (fitted.cleaned.removed[i] != 0) result.epochs<bool>(group, "keep")[at] = 0;
  }
}

void OuMultiband::store_predicted(const Fitted& fitted, qsohost::Result& result) const {
  const auto n = static_cast<std::size_t>(*predict_);
  const Curves& curves = fitted.curves;
  const auto grid = result.cell<double>(name("predicted_time"));
  std::vector<double> times(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double part = n == 1 ? 0 : static_cast<double>(i) / static_cast<double>(n - 1);
    grid[i] = curves.first + part * (curves.last - curves.first);
    times[i] = part * fitted.series().time.back();
  }
  for (std::size_t b = 0; b < groups_->size(); ++b) {
    if (!fitted.fit().has_epochs(b)) continue;
    const Predicted predicted =
        predict_at(fitted.series(), fitted.cleaned.removed, times, b, fitted.fit().at, *mean_);
    std::ranges::copy(predicted.mean, result.cell<double>(name(b, "predicted_mag")).begin());
    const auto deviation = result.cell<double>(name(b, "predicted_sd"));
    for (std::size_t i = 0; i < n; ++i) deviation[i] = std::sqrt(predicted.var[i]);
  }
}

}  // namespace ou::multiband
