// D of the fits against luminosity, black-hole mass, redshift and rest wavelength.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <utility>

#include "relate/robust.hpp"
#include "report/fit_columns.hpp"
#include "report/object_columns.hpp"
#include "report/plot_parts.hpp"
#include "report/sections.hpp"
#include "report/wavelengths.hpp"

namespace qsohost::cli {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

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

// A column of a catalogue, found by its name.
struct Found {
  const Product* catalogue;
  std::string column;
};

std::optional<Found> find_quantity(const RunProducts& run, const Quantity& quantity) {
  auto catalogues = run.of_kind(ProductKind::Catalogue);
  std::ranges::stable_sort(catalogues, std::ranges::greater(),
                           [](const Product* p) { return p->rows; });
  for (const Product* catalogue : catalogues) {
    if (const auto column = number_column(*catalogue, quantity.names)) {
      return Found{catalogue, *column};
    }
  }
  return std::nullopt;
}

// For each fit the values of its rows; NaN where not valid.
std::vector<std::vector<double>> values_of(const Quantity& quantity, const Found& found,
                                           const std::vector<FitD>& fits) {
  std::vector<double> all = read_numbers(*found.catalogue, std::span(&found.column, 1))[0];
  std::ranges::replace_if(
      all, [&](double v) { return !(v > quantity.least && v < quantity.most); }, kNan);
  const ObjectIndex index(*found.catalogue);
  std::vector<std::vector<double>> out;
  for (const FitD& fit : fits) out.push_back(pick(all, index.rows_of(*fit.fit->product)));
  return out;
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
std::optional<plot::Figure> figure_of_fit(const FitD& fit, const std::vector<double>& x,
                                          const Quantity& quantity) {
  const Pairs pairs = finite_pairs(x, fit.log_d);
  if (pairs.size() == 0) return std::nullopt;
  plot::Figure figure{.id = fmt::format("d-{}-{}", quantity.id, fit.fit->id()),
                      .title = fit.fit->name(),
                      .alt = fmt::format("D of {} against {}.", fit.fit->name(), quantity.label),
                      .x = {.label = quantity.label, .is_reversed = quantity.is_reversed},
                      .y = {.label = label_of_d(fit)},
                      .layers = {}};
  const plot::Style style = plot::style_of_band(fit.fit->group);
  Cloud all = cloud(pairs, "objects", style);
  figure.layers.push_back(std::move(all.layer));
  if (Pairs bound = finite_pairs(x, fit.log_d_at_bound); bound.size() > 0) {
    figure.layers.push_back(marked(bound, "at a bound", {.colour = -1, .marker = 2}));
  }
  figure.layers.emplace_back(binned_medians(pairs, "medians, 16-84 %", {.colour = -1}));
  figure.caption = counts_of(fit, pairs.size());
  if (all.outside > 0) figure.caption += fmt::format(", {} outside the grid", all.outside);
  figure.caption += ".";
  add_line(pairs, figure);
  return figure;
}

// Medians of all fits in one figure.
std::optional<plot::Figure> figure_of_medians(const std::vector<FitD>& fits,
                                              const std::vector<std::vector<double>>& x,
                                              const std::string& id, const std::string& label) {
  plot::Figure figure{.id = "d-" + id,
                      .title = "All bands",
                      .alt = fmt::format("Medians of D of all fits against {}.", label),
                      .x = {.label = label},
                      .y = {.label = label_of_d(fits[0])},
                      .layers = {}};
  for (std::size_t i = 0; i < fits.size(); ++i) {
    const Pairs pairs = finite_pairs(x[i], fits[i].log_d);
    plot::Points medians =
        binned_medians(pairs, fits[i].fit->name(), plot::style_of_band(fits[i].fit->group));
    if (medians.x.empty()) continue;
    figure.layers.emplace_back(std::move(medians));
    figure.caption += counts_of(fits[i], pairs.size()) + ". ";
  }
  if (figure.layers.empty()) return std::nullopt;
  return figure;
}

void add(std::optional<plot::Figure> figure, Section& section) {
  if (figure) section.figures.push_back(std::move(*figure));
}

// D against L_bol, or M_i where no catalogue has L_bol: a figure a fit.
void add_luminosity(const std::vector<FitD>& fits, const RunProducts& run, Section& section) {
  const auto lbol = find_quantity(run, kLuminosity);
  const Quantity& quantity = lbol ? kLuminosity : kMagnitude;
  const auto found = lbol ? lbol : find_quantity(run, kMagnitude);
  if (!found) return;
  const auto x = values_of(quantity, *found, fits);
  for (std::size_t i = 0; i < fits.size(); ++i) {
    add(figure_of_fit(fits[i], x[i], quantity), section);
  }
}

void add_mass(const std::vector<FitD>& fits, const RunProducts& run, Section& section) {
  if (const auto found = find_quantity(run, kMass)) {
    add(figure_of_medians(fits, values_of(kMass, *found, fits), kMass.id, kMass.label), section);
  }
}

void add_redshift_and_wavelength(const std::vector<FitD>& fits, Section& section) {
  std::vector<std::vector<double>> z, log_lambda;
  for (const FitD& fit : fits) {
    const double observed = effective_wavelength(fit.fit->group).value_or(kNan);
    z.push_back(fit.z);
    log_lambda.emplace_back();
    for (const double v : fit.z) log_lambda.back().push_back(std::log10(observed / (1 + v)));
  }
  add(figure_of_medians(fits, z, "z", "z"), section);
  add(figure_of_medians(fits, log_lambda, "lambda", "log10 rest wavelength (Angstrom)"), section);
}

bool has_posterior(const FitD& fit) {
  return first_column(*fit.fit->product, {"posterior_log_weight"}).has_value();
}

}  // namespace

Section luminosity_section(const RunProducts& run) {
  Section section{.id = "luminosity", .title = "D against luminosity, mass, redshift, wavelength"};
  const std::vector<FitColumns> columns = fits_of(run);
  std::vector<FitD> fits;
  for (const FitColumns& fit : columns) {
    fits.push_back(read_d(fit, run));
    if (fits.back().fitted == 0) fits.pop_back();
  }
  if (fits.empty()) return section;
  add_luminosity(fits, run, section);
  add_mass(fits, run, section);
  add_redshift_and_wavelength(fits, section);
  if (section.figures.empty()) return section;
  section.paragraphs.emplace_back(
      "D = sigma^2/tau, from the best fit of each object. Medians in bins, with the 16th to 84th "
      "percentiles; these and the lines are without the fits that a bound of the fitter stopped, "
      "of objects that hardly vary for the most part. L_bol, M_i, z and D share the redshift, and "
      "a selection by variability changes "
      "the slope: a line describes the objects that it was fitted to, no more.");
  if (std::ranges::any_of(fits, has_posterior)) {
    section.paragraphs.emplace_back(
        "These fits have posteriors: qsohost relate uses them to fit the relation with the errors "
        "of each object and its intrinsic scatter.");
  }
  return section;
}

}  // namespace qsohost::cli
