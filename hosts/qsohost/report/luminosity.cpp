// D of the fits against luminosity, black-hole mass, redshift and rest wavelength.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

#include "nan.hpp"
#include "relate/robust.hpp"
#include "relate/wavelength.hpp"
#include "report/fit_columns.hpp"
#include "report/object_columns.hpp"
#include "report/plot_parts.hpp"
#include "report/sections.hpp"

namespace qsohost::cli {
namespace {

// What D is plotted against. Catalogues write 0, -999 and the like for "none": only values between
// `least` and `most` count.
struct Quantity {
  std::string id, label;
  std::initializer_list<std::string_view> names;
  double least, most;
  bool is_reversed = false;
};
const Quantity kLuminosity{
    "lbol", "log10 L_bol (erg/s)", {"loglbol", "log_lbol", "logl_bol"}, 40, 60};
const Quantity kMass{"mbh", "log10 M_BH (solar masses)", {"logmbh", "log_mbh", "logbh"}, 0, 15};
const Quantity kMagnitude{"mi", "M_i (mag)", {"m_i", "abs_mag_i"}, -40, -10, true};

// log10 D of every row of a fit, NaN without one. Where a bound stopped the fit, D says where the
// bound is: it is kept apart.
struct FitD {
  const FitColumns* fit;
  std::vector<double> log_d, log_d_at_bound;
  std::vector<double> z;  // NaN if unknown
  bool in_rest_frame = true;
  std::size_t fitted = 0, at_bound = 0;
};

// In the rest frame D is larger by 1 + z, as tau is shorter.
FitD read_d(const FitColumns& fit, const RunProducts& run) {
  const FitValues values = read_fit(fit, {&FitValues::log_sigma, &FitValues::log_tau});
  const std::vector<double> none(values.size(), kNan);
  FitD out{.fit = &fit, .log_d = none, .log_d_at_bound = none, .z = redshifts(*fit.product, run)};
  out.in_rest_frame =
      fit.in_rest_frame || std::ranges::any_of(out.z, [](double z) { return std::isfinite(z); });
  const bool has_to_convert = out.in_rest_frame && !fit.in_rest_frame;
  for (std::size_t i = 0; i < values.size(); ++i) {
    double log_d = (2 * values.log_sigma[i] - values.log_tau[i]) / std::numbers::ln10;
    if (has_to_convert) log_d += std::log10(1 + out.z[i]);
    const bool is_at_bound = fit.is_at_bound(values.log_sigma[i], values.log_tau[i]);
    (is_at_bound ? out.log_d_at_bound : out.log_d)[i] = log_d;
    if (std::isfinite(log_d)) ++(is_at_bound ? out.at_bound : out.fitted);
  }
  return out;
}

// The values of a quantity in the largest catalogue that has it; NaN where not valid.
class CatalogueValues {
 public:
  CatalogueValues(const Product& catalogue, const std::string& column, const Quantity& quantity)
      : index_(catalogue), values_(read_numbers(catalogue, std::span(&column, 1))[0]) {
    const auto is_invalid = [&](double v) { return !(v > quantity.least && v < quantity.most); };
    std::ranges::replace_if(values_, is_invalid, kNan);
  }
  // Of every row of a fit.
  std::vector<double> of(const Product& fit) const { return pick(values_, index_.rows_of(fit)); }

 private:
  ObjectIndex index_;
  std::vector<double> values_;
};

std::optional<CatalogueValues> find_values(const RunProducts& run, const Quantity& quantity) {
  auto catalogues = run.of_kind(ProductKind::Catalogue);
  std::ranges::stable_sort(catalogues, std::ranges::greater(),
                           [](const Product* p) { return p->rows; });
  for (const Product* catalogue : catalogues) {
    if (const auto column = number_column(*catalogue, quantity.names)) {
      return CatalogueValues(*catalogue, *column, quantity);
    }
  }
  return std::nullopt;
}

std::string label_of_d(const FitD& fit) {
  return fmt::format("log10 D (mag^2/d), {} frame", fit.in_rest_frame ? "rest" : "observed");
}

std::string counts_of(const FitD& fit, std::size_t drawn) {
  std::string text = fmt::format("{}: {}", fit.fit->name(), of_objects(drawn, fit.log_d.size()));
  const std::size_t without = fit.fitted - drawn;
  if (without > 0) text += fmt::format(", {} fits without a value on the x axis", without);
  if (fit.at_bound > 0) text += fmt::format(", {} fits at a bound besides", fit.at_bound);
  return text;
}

// A robust line over the range of x, and what it says.
void add_line(const Pairs& pairs, plot::Figure& figure) {
  static constexpr std::size_t kLeast = 10;  // objects
  const auto [low, high] = std::ranges::minmax(pairs.x);
  if (pairs.size() < kLeast || !(high > low)) return;
  const RobustFit line = robust_line({pairs.x}, pairs.y);
  figure.layers.emplace_back(plot::Line{"robust line",
                                        {low, high},
                                        {line.at(std::span(&low, 1)), line.at(std::span(&high, 1))},
                                        {.colour = -1, .dash = 1}});
  figure.caption += fmt::format(
      " Robust line (Huber, c = 1.345) of {} objects: slope {:.3g} +- {:.2g}, scatter {:.3g} dex.",
      line.n, line.slope[0], line.slope_err[0], line.scatter);
}

// One fit: all objects, medians, and the line.
void add_figure(const FitD& fit, const std::vector<double>& x, const Quantity& quantity,
                Section& section) {
  const Pairs pairs = finite_pairs(x, fit.log_d);
  if (pairs.size() == 0) return;
  plot::Figure figure{.id = fmt::format("d-{}-{}", quantity.id, fit.fit->id()),
                      .title = fit.fit->name(),
                      .alt = fmt::format("D of {} against {}.", fit.fit->name(), quantity.label),
                      .x = {.label = quantity.label, .is_reversed = quantity.is_reversed},
                      .y = {.label = label_of_d(fit)},
                      .layers = {}};
  Cloud all = cloud(pairs, "objects", plot::style_of_band(fit.fit->group));
  figure.layers.push_back(std::move(all.layer));
  if (Pairs bound = finite_pairs(x, fit.log_d_at_bound); bound.size() > 0) {
    figure.layers.push_back(marked(bound, "at a bound", {.colour = -1, .marker = 2}));
  }
  figure.layers.emplace_back(binned_medians(pairs, "medians, 16-84 %", {.colour = -1}));
  figure.caption = counts_of(fit, pairs.size());
  if (all.outside > 0) figure.caption += fmt::format(", {} outside the grid", all.outside);
  figure.caption += ".";
  add_line(pairs, figure);
  section.figures.push_back(std::move(figure));
}

// Medians of fits of different bands in one figure against each quantity. A band has one style, so
// a further fit of the same band goes to further figures.
struct MedianFigures {
  std::vector<std::string> groups;
  std::vector<std::string> stages;
  plot::Figure mass, z, wavelength;
};

plot::Figure medians_against(const std::string& id, const std::string& label) {
  return {.id = "d-" + id,
          .title = "",
          .alt = fmt::format("Medians of D against {}.", label),
          .x = {.label = label},
          .y = {.label = ""},
          .layers = {}};
}

MedianFigures& figures_for(const FitColumns& fit, std::vector<MedianFigures>& all) {
  auto at = std::ranges::find_if(all, [&](const MedianFigures& figures) {
    return std::ranges::find(figures.groups, fit.group) == figures.groups.end();
  });
  if (at == all.end()) {
    const std::string end = all.empty() ? "" : fmt::format("-{}", all.size() + 1);
    all.push_back({{},
                   {},
                   medians_against(kMass.id + end, kMass.label),
                   medians_against("z" + end, "z"),
                   medians_against("lambda" + end, "log10 rest wavelength (Angstrom)")});
    at = all.end() - 1;
  }
  at->groups.push_back(fit.group);
  const std::string& stage = fit.product->stage;
  if (std::ranges::find(at->stages, stage) == at->stages.end()) at->stages.push_back(stage);
  return *at;
}

void add_medians(const FitD& fit, const std::vector<double>& x, plot::Figure& figure) {
  const Pairs pairs = finite_pairs(x, fit.log_d);
  plot::Points medians =
      binned_medians(pairs, fit.fit->name(), plot::style_of_band(fit.fit->group));
  if (medians.x.empty()) return;
  if (figure.layers.empty()) figure.y.label = label_of_d(fit);
  figure.layers.emplace_back(std::move(medians));
  figure.caption += counts_of(fit, pairs.size()) + ". ";
}

std::vector<double> log_rest_wavelengths(const FitD& fit) {
  const double observed = known_wavelength(fit.fit->group).value_or(kNan);
  std::vector<double> out;
  for (const double z : fit.z) out.push_back(std::log10(observed / (1 + z)));
  return out;
}

// One fit at a time, so that memory holds the values of one.
void add_figures(const std::vector<FitColumns>& fits, const RunProducts& run, Section& section) {
  auto values = find_values(run, kLuminosity);
  const Quantity& brightness = values ? kLuminosity : kMagnitude;
  if (!values) values = find_values(run, kMagnitude);
  const auto masses = find_values(run, kMass);
  std::vector<MedianFigures> medians;
  for (const FitColumns& columns : fits) {
    const FitD fit = read_d(columns, run);
    if (values) add_figure(fit, values->of(*columns.product), brightness, section);
    MedianFigures& figures = figures_for(columns, medians);
    if (masses) add_medians(fit, masses->of(*columns.product), figures.mass);
    add_medians(fit, fit.z, figures.z);
    add_medians(fit, log_rest_wavelengths(fit), figures.wavelength);
  }
  for (MedianFigures& figures : medians) {
    for (plot::Figure* figure : {&figures.mass, &figures.z, &figures.wavelength}) {
      if (figure->layers.empty()) continue;
      figure->title = fmt::format("Medians of {}", fmt::join(figures.stages, ", "));
      section.figures.push_back(std::move(*figure));
    }
  }
}

bool has_posterior(const FitColumns& fit) {
  return first_column(*fit.product, {"posterior_log_weight"}).has_value();
}

}  // namespace

Section luminosity_section(const RunProducts& run) {
  Section section{.id = "luminosity", .title = "D against luminosity, mass, redshift, wavelength"};
  const std::vector<FitColumns> fits = fits_of(run);
  if (fits.empty()) return section;
  add_figures(fits, run, section);
  if (section.figures.empty()) return section;
  section.paragraphs.emplace_back(
      "D = sigma^2/tau, from the best fit of each object. Medians in bins, with the 16th to 84th "
      "percentiles; these and the lines are without the fits that a bound of the fitter stopped, "
      "of objects that hardly vary for the most part. L_bol, M_i, z and D share the redshift, and "
      "a selection by variability changes the slope: a line describes the objects that it was "
      "fitted to, no more.");
  if (std::ranges::any_of(fits, has_posterior)) {
    section.paragraphs.emplace_back(
        "These fits have posteriors: qsohost relate uses them to fit the relation with the errors "
        "of each object and its intrinsic scatter.");
  }
  return section;
}

}  // namespace qsohost::cli
