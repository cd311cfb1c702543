#include "report/light_curves_json.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "plot/figure.hpp"

namespace qsohost::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kTimeStep = 0.001;  // d
constexpr double kResidualStep = 0.01;
constexpr double kMostSteps = 1e12;  // integers that a script's numbers hold, with room for sums

double median(std::vector<double> values) {
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  if (values.empty()) return kNan;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

bool is_countable(double value, double step) {
  return std::abs(value) < kMostSteps * step;
}

Json steps(double value, double step) {
  if (!is_countable(value, step)) return nullptr;  // NaN too
  return std::llround(value / step);
}

// Magnitudes of one light curve as integers.
struct Scale {
  double zero, step;
  explicit Scale(const BandEpochs& band) : zero(median(band.mag)), step(1) {
    if (!std::isfinite(zero)) zero = 0;
    double error = median(band.mag_err);
    if (!(error > 0)) error = std::max(std::abs(zero) * 1e-3, 1e-6);
    step = std::pow(10, std::floor(std::log10(error)) - 2);
    zero = std::round(zero / step) * step;
  }
};

// Times as differences of rounded times, so that their sum does not drift.
class Times {
 public:
  explicit Times(const TimeSystem& system) : shift_(system.zero - kMjdZero - kTimeZero) {}
  bool has(double time) const { return is_countable(time + shift_, kTimeStep); }
  void add(double time) {
    const auto now = std::llround((time + shift_) / kTimeStep);
    out.push_back(now - last_);
    last_ = now;
  }
  Json out = Json::array();

 private:
  double shift_;
  long long last_ = 0;
};

void add_epochs(const BandEpochs& band, const Scale& scale, const std::vector<double>& residuals,
                RuleNames& rules, Json& out) {
  Times times(band.info.time_system);
  Json y = Json::array(), e = Json::array(), r = Json::array(), removed = Json::array();
  std::size_t undrawn = 0;
  for (std::size_t i = 0; i < band.time.size(); ++i) {
    const double mag = band.mag[i] - scale.zero;
    if (!times.has(band.time[i]) || !is_countable(mag, scale.step)) {
      ++undrawn;
      continue;
    }
    if (!band.removed[i].is_kept()) {
      removed.push_back({y.size(), rules.number_of(band.removed[i].rule)});
    }
    times.add(band.time[i]);
    y.push_back(steps(mag, scale.step));
    e.push_back(band.mag_err[i] > 0 ? steps(band.mag_err[i], scale.step) : Json());
    if (!residuals.empty()) r.push_back(steps(residuals[i], kResidualStep));
  }
  out["t"] = std::move(times.out);
  out["zero"] = scale.zero;
  out["step"] = scale.step;
  out["y"] = std::move(y);
  out["e"] = std::move(e);
  out["removed"] = std::move(removed);
  out["undrawn"] = undrawn;
  if (!residuals.empty()) out["r"] = std::move(r);
}

Json fit_json(const BandEpochs& band, const Scale& scale, const CurveFit& fit,
              const FittedCurve& curve) {
  Times times(band.info.time_system);
  Json y = Json::array(), s = Json::array();
  for (std::size_t i = 0; i < curve.time.size(); ++i) {
    const double mean = curve.mean[i] - scale.zero;
    if (!is_countable(mean, scale.step) || !is_countable(curve.sd[i], scale.step)) continue;
    times.add(curve.time[i]);
    y.push_back(steps(mean, scale.step));
    s.push_back(steps(curve.sd[i], scale.step));
  }
  return {
      {"stage", fit.stage}, {"t", std::move(times.out)}, {"y", std::move(y)}, {"s", std::move(s)}};
}

Json band_json(const BandEpochs& band, ObjectCurves& object, RuleNames& rules) {
  const plot::Style style = plot::style_of_band(band.info.name);
  Json out{{"group", band.info.name},
           {"unit", band.unit},
           {"colour", style.colour},
           {"marker", style.marker}};
  const Scale scale(band);
  // Of several fits the last of the chain: to the cleanest epochs.
  const CurveFit* best = nullptr;
  std::optional<FittedCurve> curve;
  for (const CurveFit& fit : object.fits) {
    if (fit.group != band.info.name || (best != nullptr && best->position > fit.position)) continue;
    std::optional<FittedCurve> found = fitted_curve(band, fit, object.notes);
    if (!found) continue;
    curve = std::move(found);
    best = &fit;
  }
  add_epochs(band, scale, curve ? curve->residuals : std::vector<double>{}, rules, out);
  if (curve) out["fit"] = fit_json(band, scale, *best, *curve);
  return out;
}

std::string text(double value, int digits) {
  return std::isfinite(value) ? fmt::format("{:.{}g}", value, digits) : "";
}

// ln tau and its error as days; an error of a factor 20 says nothing more.
std::string tau_text(const CurveFit& fit) {
  const double tau = std::exp(fit.log_tau);
  if (!std::isfinite(tau) || !std::isfinite(fit.err_log_tau)) return text(tau, 3);
  if (fit.err_log_tau > 3) return text(tau, 3) + " (not constrained)";
  return fmt::format("{} ({} to {})", text(tau, 3),
                     text(std::exp(fit.log_tau - fit.err_log_tau), 3),
                     text(std::exp(fit.log_tau + fit.err_log_tau), 3));
}

Json fit_row(const CurveFit& fit) {
  return {fit.stage,
          fit.group.empty() ? "all" : fit.group,
          text(fit.n_epochs, 9),
          text(fit.n_removed, 9),
          tau_text(fit),
          text(std::exp(fit.log_sigma), 3),
          text(fit.chi2, 4),
          fmt::format("{}", fmt::join(fit.flag_words, "; "))};
}

}  // namespace

std::size_t RuleNames::number_of(const std::string& rule) {
  const auto at = std::ranges::find(names_, rule);
  const auto number = static_cast<std::size_t>(at - names_.begin());
  if (at == names_.end()) names_.push_back(rule);
  return number;
}

Json json_of(ObjectCurves& object, RuleNames& rules) {
  double z = kNan, chi2 = kNan, n_removed = 0;
  bool is_flagged = false;
  Json rows = Json::array(), bands = Json::array();
  for (const CurveFit& fit : object.fits) {
    if (std::isfinite(fit.z)) z = fit.z;
    chi2 = std::fmax(chi2, fit.chi2);
    if (fit.n_removed > 0) n_removed += fit.n_removed;
    is_flagged |= fit.flags != 0;
    rows.push_back(fit_row(fit));
  }
  for (const BandEpochs& band : object.bands) bands.push_back(band_json(band, object, rules));
  return {{"id", object.id},           {"why", object.why},
          {"z", text(z, 6)},           {"chi2", std::isfinite(chi2) ? Json(chi2) : Json()},
          {"removed", n_removed},      {"flagged", is_flagged},
          {"fits", std::move(rows)},   {"notes", object.notes},
          {"curves", std::move(bands)}};
}

}  // namespace qsohost::cli
