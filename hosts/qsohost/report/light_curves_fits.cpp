#include "report/light_curves_fits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>

#include "qsohost/light_curve_fitter.hpp"
#include "qsohost/ou_prediction.hpp"
#include "report/fit_columns.hpp"

namespace qsohost::cli {
namespace {

// Of epochs that a fitter removed from its fit, and no product lacks.
constexpr std::size_t kNeverDropped = std::numeric_limits<std::size_t>::max();

// Of qsohost::FitFlag.
constexpr std::pair<std::int32_t, std::string_view> kSharedFlags[] = {
    {kTooFewEpochs, "too few epochs"},
    {kBadRedshift, "no redshift"},
    {kEpochsWithoutPart, "epochs without part"},
    {kFitFailed, "not converged"},
    {kShortBaseline, "baseline below 10 tau"},
    {kFasterThanCadence, "tau below the cadence"},
    {kConstantPreferred, "a constant is preferred"},
    {kErrorsTooSmall, "errors may be too small"},
    {kErrorSentinels, "error sentinels"},
    {kRoundedTimes, "rounded times"},
    {kTwoSources, "two sources"},
    {kZeroRedshift, "redshift 0"},
};

std::string_view word_of_shared(std::int32_t flag) {
  for (const auto& [bit, word] : kSharedFlags) {
    if (bit == flag) return word;
  }
  return "";
}

// What a description says of a fitter's own flag, with the heading of its part: of "...; at a
// bound: 64 sigma low, 128 sigma high; ..." it is "at a bound: sigma high" for 128.
std::string word_of_own(std::int32_t flag, const std::string& description) {
  const std::string number = std::to_string(flag);
  std::size_t at = description.find(" " + number);
  const auto is_longer = [&] {
    const std::size_t next = at + 1 + number.size();
    return next < description.size() && std::isdigit(static_cast<unsigned char>(description[next]));
  };
  while (at != std::string::npos && is_longer()) at = description.find(" " + number, at + 1);
  if (at == std::string::npos) return "flag " + number;
  const std::size_t part = description.rfind("; ", at);
  const std::size_t begin = part == std::string::npos ? 0 : part + 2;
  const std::size_t colon = description.find(": ", begin);
  const std::string heading = colon < at ? description.substr(begin, colon - begin) + ": " : "";
  const std::size_t text = at + 1 + number.size();
  const std::size_t end = description.find_first_of(",;:(", text);
  std::string word = description.substr(text, end == std::string::npos ? end : end - text);
  word.erase(0, word.find_first_not_of(' '));
  word.erase(word.find_last_not_of(' ') + 1);
  return heading + (word.empty() ? "flag " + number : word);
}

// Of the product's columns with these names the first's value.
double number(SampledRows& table, const std::string& id,
              std::initializer_list<std::string_view> names) {
  const auto column = first_column(table.product(), names);
  if (!column) return kNan;
  const Cells cells = table.read(id, {*column}).front();
  if (cells.values.dtype() == DType::String || cells.values.size() != 1) return kNan;
  return cells.values.number(0);
}

std::vector<double> array(SampledRows& table, const std::string& id, std::string_view name) {
  const auto column = first_column(table.product(), {name});
  std::vector<double> out;
  if (!column) return out;
  const Cells cells = table.read(id, {*column}).front();
  for (std::size_t i = 0; i < cells.values.size(); ++i) out.push_back(cells.values.number(i));
  return out;
}

const std::string& description(const Product& product, std::string_view name) {
  static const std::string kNone;
  const auto at =
      std::ranges::find_if(product.columns, [&](const auto& c) { return c.info.name == name; });
  return at == product.columns.end() ? kNone : at->info.description;
}

std::size_t position_of(const Product& product) {
  const std::vector<HistoryStage> stages = stages_of(product);
  const auto at = std::ranges::find(stages, product.stage, &HistoryStage::label);
  return static_cast<std::size_t>(at - stages.begin());
}

double reduced_chi2(SampledRows& table, const std::string& id, double n_epochs) {
  const double reduced = number(table, id, {"chi2_red_post", "chi2_red"});
  if (std::isfinite(reduced)) return reduced;
  return number(table, id, {"chi2"}) / (n_epochs - number(table, id, {"n_parameters"}));
}

CurveFit read_fit(SampledRows& table, const std::string& id) {
  const Product& product = table.product();
  CurveFit fit{.stage = product.stage, .group = product.group, .position = position_of(product)};
  const auto value = [&](auto... names) { return number(table, id, {names...}); };
  fit.z = value("z");
  fit.n_epochs = value("n_epochs");
  fit.n_removed = value("n_removed");
  fit.log_sigma = value("log_sigma_post", "log_sigma");
  fit.log_tau = value("log_tau_post", "log_tau");
  fit.err_log_tau = value("err_log_tau_post", "err_log_tau");
  fit.mean = value("mean_post", "mean");
  fit.log_jitter = value("log_jitter_post", "log_jitter");
  fit.chi2 = reduced_chi2(table, id, fit.n_epochs);
  fit.flags = bits_of(value("flags"));
  fit.flag_words = words_of_flags(fit.flags, description(product, "flags"));
  fit.removed_times = array(table, id, "removed_mjd");
  return fit;
}

// What took part in the fit, in time order, in its frame; times count from the first epoch.
struct FittedEpochs {
  std::vector<std::size_t> at;  // positions in the light curve
  std::vector<double> time, mag, variance;
  double first = 0, stretch = 1;  // light curve time = first + time * stretch
  OuEpochs view() const { return {time, mag, variance}; }
};

// Whether an epoch that an earlier stage marked was dropped before the fit depends on the chain;
// see fitted_curve().
FittedEpochs fitted_epochs(const BandEpochs& band, const CurveFit& fit, bool is_marked_dropped) {
  LightCurve curve;
  std::vector<std::size_t> at;
  for (std::size_t i = 0; i < band.time.size(); ++i) {
    const Removal& removal = band.removed[i];
    const bool is_gone =
        removal.last < fit.position || (is_marked_dropped && removal.first < fit.position);
    if (!removal.is_kept() && is_gone) continue;
    curve.time.push_back(band.time[i]);
    curve.mag.push_back(band.mag[i]);
    curve.mag_err.push_back(band.mag_err[i]);
    at.push_back(i);
  }
  const UsableEpochs usable = usable_epochs(curve);
  const TimeOrder order(curve.time, usable.take);
  FittedEpochs out;
  out.stretch = std::isfinite(fit.z) ? 1 + fit.z : 1;
  const double jitter = std::isfinite(fit.log_jitter) ? std::exp(2 * fit.log_jitter) : 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    const std::size_t i = at[order.original(k)];
    if (!band.removed[i].is_kept() && band.removed[i].first == fit.position) continue;
    if (out.at.empty()) out.first = band.time[i];
    out.at.push_back(i);
    out.time.push_back((band.time[i] - out.first) / out.stretch);
    out.mag.push_back(band.mag[i]);
    out.variance.push_back(band.mag_err[i] * band.mag_err[i] + jitter);
  }
  return out;
}

// Times of a drawing of the fit: epochs, and steps in the gaps between them; 300 at most.
std::vector<double> drawn_times(std::span<const double> time) {
  constexpr std::size_t kMostEpochs = 120;
  constexpr double kSteps = 150;  // of the whole length
  const double step = (time.back() - time.front()) / kSteps;
  std::vector<double> at;
  const auto go_to = [&](double next) {
    const double from = at.empty() ? next : at.back();
    const double pieces = step > 0 ? std::ceil((next - from) / step) : 1;
    for (double piece = 1; piece < pieces; ++piece)
      at.push_back(from + piece * (next - from) / pieces);
    if (at.empty() || next > at.back()) at.push_back(next);
  };
  const std::size_t stride = 1 + time.size() / kMostEpochs;
  for (std::size_t i = 0; i < time.size(); i += stride) go_to(time[i]);
  go_to(time.back());
  return at;
}

std::vector<double> residuals_of(const BandEpochs& band, const CurveFit& fit,
                                 const FittedEpochs& fitted, const OuParameters& parameters) {
  std::vector<double> others;
  for (const double time : band.time) others.push_back((time - fitted.first) / fitted.stretch);
  for (double& time : others) time = std::isfinite(time) ? time : 0;
  OuPrediction at = predict_ou(fitted.view(), parameters, others);
  const OuPrediction loo = leave_one_out_ou(fitted.view(), parameters);
  for (std::size_t k = 0; k < fitted.at.size(); ++k) {
    at.mean[fitted.at[k]] = loo.mean[k];
    at.variance[fitted.at[k]] = loo.variance[k];
  }
  const double jitter = std::isfinite(fit.log_jitter) ? std::exp(2 * fit.log_jitter) : 0;
  std::vector<double> out(band.time.size(), kNan);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double error = band.mag_err[i];
    if (!std::isfinite(band.time[i]) || !(error > 0)) continue;
    out[i] = (band.mag[i] - at.mean[i]) / std::sqrt(at.variance[i] + error * error + jitter);
  }
  return out;
}

}  // namespace

std::vector<std::string> words_of_flags(std::int32_t flags, const std::string& description) {
  std::vector<std::string> words;
  for (int bit = 0; bit < 31; ++bit) {
    const std::int32_t flag = std::int32_t{1} << bit;
    if ((flags & flag) == 0) continue;
    const std::string_view shared = word_of_shared(flag);
    words.push_back(shared.empty() ? word_of_own(flag, description) : std::string(shared));
  }
  return words;
}

FitsOfRun::FitsOfRun(const RunProducts& run, const std::set<std::string>& ids) {
  for (const ProductKind kind : {ProductKind::Fit, ProductKind::JointFit}) {
    for (const Product* product : run.of_kind(kind)) tables_.emplace_back(*product, ids);
  }
}

std::vector<CurveFit> FitsOfRun::read(const std::string& id) {
  std::vector<CurveFit> fits;
  for (SampledRows& table : tables_) {
    if (table.has(id)) fits.push_back(read_fit(table, id));
  }
  return fits;
}

void mark_removed(BandEpochs& band, const CurveFit& fit) {
  for (const double time : fit.removed_times) {
    std::size_t found = band.time.size();
    for (std::size_t i = 0; i < band.time.size(); ++i) {
      const Removal& removal = band.removed[i];
      // An epoch that a filter before the fit removed did not take part.
      const bool may_be = removal.is_kept() || removal.last > fit.position;
      if (band.time[i] != time || !may_be) continue;
      // Of two epochs at one time the one that later products lack.
      if (found == band.time.size() || (band.removed[found].is_kept() && !removal.is_kept())) {
        found = i;
      }
    }
    if (found == band.time.size()) continue;
    Removal& removal = band.removed[found];
    const std::size_t last = removal.is_kept() ? kNeverDropped : removal.last;
    removal = {fit.position, last, fit.stage + ": leave-one-out"};
  }
}

std::optional<FittedCurve> fitted_curve(const BandEpochs& band, const CurveFit& fit,
                                        std::vector<std::string>& notes) {
  const OuParameters parameters{fit.log_sigma, fit.log_tau, fit.mean};
  if (!std::isfinite(fit.log_sigma) || !std::isfinite(fit.log_tau) || !std::isfinite(fit.mean)) {
    return std::nullopt;
  }
  const double n = fit.n_epochs - (std::isfinite(fit.n_removed) ? fit.n_removed : 0);
  FittedEpochs fitted = fitted_epochs(band, fit, false);
  if (static_cast<double>(fitted.at.size()) != n) fitted = fitted_epochs(band, fit, true);
  if (static_cast<double>(fitted.at.size()) != n || fitted.at.empty()) {
    notes.push_back(fmt::format(
        "{}, {}: no curve, for the epochs that were fitted cannot be told from the products",
        fit.group, fit.stage));
    return std::nullopt;
  }
  FittedCurve out;
  const std::vector<double> at = drawn_times(fitted.time);
  OuPrediction drawn = predict_ou(fitted.view(), parameters, at);
  for (const double time : at) out.time.push_back(fitted.first + time * fitted.stretch);
  out.mean = std::move(drawn.mean);
  for (const double variance : drawn.variance) out.sd.push_back(std::sqrt(std::max(variance, 0.0)));
  out.residuals = residuals_of(band, fit, fitted, parameters);
  return out;
}

}  // namespace qsohost::cli
