// log10 tau against log10 sigma of every damped random walk, with what bounds their meaning: the
// baseline, the cadence, and the bounds of the fitter.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

#include "qsohost/light_curve_fitter.hpp"
#include "report/fit_columns.hpp"
#include "report/plot_parts.hpp"
#include "report/sections.hpp"

namespace qsohost::cli {
namespace {

// The fits of one light curve in one frame, log10 of days and mag.
struct Plane {
  bool is_rest_frame = true;
  Pairs usual{}, flagged{}, at_bound{};
  std::vector<double> baseline{}, cadence{};  // d
  std::size_t without_fit = 0, without_z = 0;
  std::size_t fits() const { return usual.size() + flagged.size() + at_bound.size(); }
};

// The doubts that the regions of the figure do not show.
constexpr std::int32_t kDoubts = kFitFailed | kConstantPreferred | kErrorsTooSmall | kTwoSources;

// `z`: empty for the frame of the fit.
Plane plane_of(const FitColumns& fit, const FitValues& values, const std::vector<double>& z) {
  Plane plane{.is_rest_frame = fit.in_rest_frame == z.empty()};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values.log_tau[i]) || !std::isfinite(values.log_sigma[i])) {
      ++plane.without_fit;
      continue;
    }
    if (!z.empty() && std::isnan(z[i])) {
      ++plane.without_z;
      continue;
    }
    const double stretch = z.empty() ? 1 : fit.in_rest_frame ? 1 + z[i] : 1 / (1 + z[i]);
    Pairs& to = fit.is_at_bound(values.log_sigma[i], values.log_tau[i]) ? plane.at_bound
                : has_flag(values.flags[i], kDoubts)                    ? plane.flagged
                                                                        : plane.usual;
    to.x.push_back(values.log_tau[i] / std::numbers::ln10 + std::log10(stretch));
    to.y.push_back(values.log_sigma[i] / std::numbers::ln10);
    plane.baseline.push_back(values.baseline[i] * stretch);
    plane.cadence.push_back(values.cadence[i] * stretch);
  }
  return plane;
}

// All that is drawn, with a margin.
void set_range(plot::Axis& axis, std::vector<double> Pairs::*values, const Plane& plane,
               std::initializer_list<double> besides) {
  double low = 1e300, high = -1e300;
  const auto widen = [&](double v) {
    if (!std::isfinite(v)) return;
    low = std::min(low, v);
    high = std::max(high, v);
  };
  for (const Pairs* pairs : {&plane.usual, &plane.flagged, &plane.at_bound}) {
    std::ranges::for_each(pairs->*values, widen);
  }
  std::ranges::for_each(besides, widen);
  axis.min = low - 0.1;
  axis.max = high + 0.1;
}

void add_region(plot::Figure& figure, std::string label, double from, double to) {
  if (!(to > from)) return;
  const double low = *figure.y.min, high = *figure.y.max;
  figure.layers.emplace_back(
      plot::Region{std::move(label), {from, to, to, from}, {low, low, high, high}});
}

void add_bounds(plot::Figure& figure, const FitColumns& fit) {
  const plot::Style dashed{.colour = -2, .dash = 1};
  std::string label = "bounds of the fit";
  const auto add = [&](double at, const plot::Axis& axis, bool is_tau) {
    const double value = at / std::numbers::ln10;
    if (value < *axis.min || value > *axis.max) return;
    const plot::Axis& other = is_tau ? figure.y : figure.x;
    std::vector<double> along{*other.min, *other.max}, fixed{value, value};
    figure.layers.emplace_back(plot::Line{std::exchange(label, ""), is_tau ? fixed : along,
                                          is_tau ? along : fixed, dashed});
  };
  for (const auto& [bounds, is_tau] :
       {std::pair(fit.tau_bounds, true), {fit.sigma_bounds, false}}) {
    if (!bounds) continue;
    add(bounds->low, is_tau ? figure.x : figure.y, is_tau);
    add(bounds->high, is_tau ? figure.x : figure.y, is_tau);
  }
}

std::string caption_of(const Plane& plane, std::size_t outside) {
  const std::size_t all = plane.fits() + plane.without_fit + plane.without_z;
  std::string text = fmt::format("Fitted: {}; at a bound: {}; flagged: {}.",
                                 of_objects(plane.fits() + plane.without_z, all),
                                 plane.at_bound.size(), plane.flagged.size());
  if (plane.without_z > 0) text += fmt::format(" Without z: {}.", plane.without_z);
  if (outside > 0) text += fmt::format(" Outside the grid of counts: {}.", outside);
  const double baseline = median(plane.baseline), cadence = median(plane.cadence);
  if (std::isfinite(baseline)) text += fmt::format(" Median baseline {:.4g} d.", baseline);
  if (std::isfinite(cadence)) text += fmt::format(" Median cadence {:.3g} d.", cadence);
  return text;
}

plot::Figure figure_of(const FitColumns& fit, const Plane& plane, bool is_frame_of_fit) {
  const char* frame = plane.is_rest_frame ? "rest frame" : "observed frame";
  plot::Figure figure{
      .id = fmt::format("tau-sigma-{}-{}", fit.id(), plane.is_rest_frame ? "rest" : "observed"),
      .title = fmt::format("{}, {}", fit.name(), frame),
      .alt = fmt::format("Amplitude against time scale of the damped random walks that {} fitted.",
                         fit.name()),
      .x = {.label = fmt::format("log10 tau (d), {}", frame)},
      .y = {.label = "log10 sigma (mag)"},
      .layers = {}};
  const double slow = std::log10(0.1 * median(plane.baseline));
  const double fast = std::log10(median(plane.cadence));
  set_range(figure.x, &Pairs::x, plane, {slow, fast});
  set_range(figure.y, &Pairs::y, plane, {});
  add_region(figure, "baseline below 10 tau", slow, *figure.x.max);
  add_region(figure, "tau below the cadence", *figure.x.min, fast);
  Cloud usual = cloud(plane.usual, "fits", plot::style_of_band(fit.group));
  figure.layers.push_back(std::move(usual.layer));
  const auto add = [&](const Pairs& pairs, const char* label, int marker) {
    if (pairs.size() == 0) return;
    figure.layers.push_back(marked(pairs, label, {.colour = -1, .marker = marker}));
  };
  add(plane.flagged, "flagged", 4);
  add(plane.at_bound, "at a bound", 2);
  if (is_frame_of_fit) add_bounds(figure, fit);
  figure.caption = caption_of(plane, usual.outside);
  return figure;
}

void add_figures(const FitColumns& fit, const RunProducts& run, Section& section) {
  const FitValues values =
      read_fit(fit, {&FitValues::log_sigma, &FitValues::log_tau, &FitValues::flags,
                     &FitValues::baseline, &FitValues::cadence});
  const Plane own = plane_of(fit, values, {});
  if (own.fits() == 0) {
    section.paragraphs.push_back(
        fmt::format("{}: none of {} objects has a fit.", fit.name(), own.without_fit));
    return;
  }
  section.figures.push_back(figure_of(fit, own, true));
  if (fit.is_joint) return;  // its bands share tau: the other frame adds nothing but figures
  const Plane other = plane_of(fit, values, redshifts(*fit.product, run));
  if (other.fits() > 0) section.figures.push_back(figure_of(fit, other, false));
}

}  // namespace

Section tau_sigma_section(const RunProducts& run) {
  Section section{.id = "tau-sigma", .title = "Time scale and amplitude"};
  for (const FitColumns& fit : fits_of(run)) add_figures(fit, run, section);
  if (section.figures.empty()) return section;
  section.paragraphs.emplace_back(
      "The process has the covariance sigma^2 exp(-|dt|/tau). Shaded: where values are hardly "
      "constrained, for the median object: tau above a tenth of the baseline, and tau below the "
      "cadence. Flagged: the fit did not converge, a constant is preferred, errors seem too small, "
      "or the light curve may hold two sources. Contours hold 39 % and 86 % of the fits.");
  return section;
}

}  // namespace qsohost::cli
