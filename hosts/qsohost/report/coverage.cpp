// Which objects have what: redshift and magnitude of all, those with light curves and those fitted;
// epochs and baselines by band; redshift against absolute magnitude.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "nan.hpp"
#include "qsohost/light_curve_fitter.hpp"
#include "report/fit_columns.hpp"
#include "report/object_columns.hpp"
#include "report/plot_parts.hpp"
#include "report/sections.hpp"

namespace qsohost::cli {
namespace {

constexpr std::size_t kCoverageBins = 30;

// The largest catalogue, and which of its rows went how far.
struct Census {
  const Product* catalogue = nullptr;
  std::vector<std::uint8_t> has_curve{}, is_fitted{};
};

void mark(const ObjectIndex& index, const Product& product, const std::vector<double>* only_finite,
          std::vector<std::uint8_t>& to) {
  const std::vector<std::uint64_t> rows = index.rows_of(product);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] == IdIndex::kNone) continue;
    if (only_finite == nullptr || std::isfinite((*only_finite)[i])) to[rows[i]] = 1;
  }
}

Census take_census(const RunProducts& run, const std::vector<FitColumns>& fits) {
  Census census{.catalogue = largest_catalogue(run)};
  if (census.catalogue == nullptr) return census;
  census.has_curve.resize(census.catalogue->rows);
  census.is_fitted.resize(census.catalogue->rows);
  const ObjectIndex index(*census.catalogue);
  for (const Product* product : run.of_kind(ProductKind::LightCurves)) {
    mark(index, *product, nullptr, census.has_curve);
  }
  for (const FitColumns& fit : fits) {
    const std::vector<double> tau = read_fit(fit, {&FitValues::log_tau}).log_tau;
    mark(index, *fit.product, &tau, census.is_fitted);
  }
  return census;
}

std::vector<double> where(const std::vector<double>& values,
                          const std::vector<std::uint8_t>& mask) {
  std::vector<double> out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (mask[i] != 0) out.push_back(values[i]);
  }
  return out;
}

std::size_t finite_in(const std::vector<double>& values) {
  return static_cast<std::size_t>(
      std::ranges::count_if(values, [](double v) { return std::isfinite(v); }));
}

// Steps of all, with light curves, fitted, on common edges.
void add_census_figure(const Census& census, const std::vector<double>& values, std::string id,
                       std::string title, const std::string& axis, Section& section) {
  const double low = quantile(values, 0), high = quantile(values, 1);
  if (!(high > low)) return;
  const std::vector<double> edges = equal_bins(low, high, kCoverageBins);
  plot::Figure figure{.id = std::move(id),
                      .title = std::move(title),
                      .alt = fmt::format("Histograms of {} of the objects.", axis),
                      .x = {.label = axis},
                      .y = {.label = "objects", .min = 0},
                      .layers = {}};
  const auto add = [&](std::string label, const std::vector<double>& some, int colour) {
    label += fmt::format(" ({})", finite_in(some));
    figure.layers.emplace_back(plot::Steps{.label = std::move(label),
                                           .edges = edges,
                                           .counts = histogram(some, edges),
                                           .style = {.colour = colour, .dash = colour % 3}});
  };
  add("all", values, 0);
  add("with light curves", where(values, census.has_curve), 1);
  add("fitted", where(values, census.is_fitted), 2);
  figure.caption =
      fmt::format("Rows of {}; without a value: {}.", census.catalogue->file.filename().string(),
                  of_objects(values.size() - finite_in(values), values.size()));
  section.figures.push_back(std::move(figure));
}

std::optional<std::vector<double>> column_between(const Product& catalogue,
                                                  std::initializer_list<std::string_view> names,
                                                  double least, double most,
                                                  std::string* name = nullptr) {
  const auto column = number_column(catalogue, names);
  if (!column) return std::nullopt;
  if (name != nullptr) *name = *column;
  std::vector<double> values = read_numbers(catalogue, std::span(&*column, 1))[0];
  std::ranges::replace_if(
      values, [&](double v) { return !(v > least && v < most); }, kNan);
  return values;
}

void add_catalogue_figures(const Census& census, Section& section) {
  if (census.catalogue == nullptr) return;
  const Product& catalogue = *census.catalogue;
  const auto z = column_between(catalogue, {"z"}, 0, 20);
  if (z) add_census_figure(census, *z, "coverage-z", "Redshift", "z", section);
  std::string name;
  const auto mag = column_between(
      catalogue, {"phot_g_mean_mag", "gaia_g_mag", "psfmag_i", "g_mag", "r_mag", "i_mag"}, 5, 30,
      &name);
  if (mag) add_census_figure(census, *mag, "coverage-mag", "Magnitude", name + " (mag)", section);
  const auto m_i = column_between(catalogue, {"m_i"}, -40, -10);
  if (!z || !m_i) return;
  const Pairs pairs = finite_pairs(*z, *m_i);
  if (pairs.size() == 0) return;
  Cloud all = cloud(pairs, "objects", {});
  plot::Figure figure{.id = "coverage-z-mi",
                      .title = "Redshift and absolute magnitude",
                      .alt = "Absolute magnitude M_i against redshift of all objects.",
                      .x = {.label = "z"},
                      .y = {.label = "M_i (mag)", .is_reversed = true},
                      .layers = {}};
  figure.layers.push_back(std::move(all.layer));
  figure.caption = fmt::format("{} with both values", of_objects(pairs.size(), z->size()));
  if (all.outside > 0) figure.caption += fmt::format("; {} outside the grid", all.outside);
  figure.caption += ".";
  section.figures.push_back(std::move(figure));
}

// Values of one quantity by band.
using Bands = std::vector<std::pair<std::string, std::vector<double>>>;

// Histograms on common edges, equidistant in the logarithm.
void add_band_figure(const Bands& bands, std::string id, std::string title, std::string label,
                     Section& section) {
  double low = 1e300, high = 0;
  for (const auto& [group, values] : bands) {
    if (const double v = quantile(values, 0.001); v < low) low = v;
    if (const double v = quantile(values, 0.999); v > high) high = v;
  }
  if (!(high > 0)) return;
  const std::vector<double> log_edges =
      equal_bins(std::log10(low / 1.05), std::log10(high * 1.05), kCoverageBins);
  std::vector<double> edges;
  for (const double lg : log_edges) edges.push_back(std::pow(10, lg));
  plot::Figure figure{.id = std::move(id),
                      .title = std::move(title),
                      .alt = "Histogram for each band.",
                      .x = {.label = std::move(label), .scale = plot::Scale::Log},
                      .y = {.label = "objects", .min = 0},
                      .layers = {}};
  for (const auto& [group, values] : bands) {
    std::vector<double> logs;
    for (const double v : values) logs.push_back(std::log10(v));
    const std::vector<double> counts = histogram(logs, log_edges);
    figure.layers.emplace_back(plot::Steps{
        .label = group, .edges = edges, .counts = counts, .style = plot::style_of_band(group)});
    double drawn = 0;
    for (const double n : counts) drawn += n;
    figure.caption += fmt::format("{}: ", group);
    if (drawn > 0) figure.caption += fmt::format("median {:.4g}, ", median(values));
    figure.caption += fmt::format("{:.0f} of {} drawn. ", drawn, values.size());
  }
  section.figures.push_back(std::move(figure));
}

// Of the epochs that were fitted; baselines as observed.
void add_curve_figures(const std::vector<FitColumns>& fits, const RunProducts& run,
                       Section& section) {
  Bands epochs, baselines;
  for (const FitColumns& fit : fits) {
    const auto is_same = [&](const auto& band) { return band.first == fit.group; };
    if (!fit.n_epochs || std::ranges::any_of(epochs, is_same)) continue;
    FitValues values = read_fit(fit, {&FitValues::n_epochs, &FitValues::baseline});
    for (auto* of_band : {&values.n_epochs, &values.baseline}) {
      std::ranges::replace_if(
          *of_band, [](double v) { return !(v > 0); }, kNan);
    }
    epochs.emplace_back(fit.group, std::move(values.n_epochs));
    if (fit.is_joint) continue;  // one baseline of all bands
    if (fit.in_rest_frame) {
      const std::vector<double> z = redshifts(*fit.product, run);
      for (std::size_t i = 0; i < z.size(); ++i) values.baseline[i] *= 1 + z[i];
    }
    baselines.emplace_back(fit.group, std::move(values.baseline));
  }
  add_band_figure(epochs, "coverage-epochs", "Epochs that took part in fits", "epochs", section);
  add_band_figure(baselines, "coverage-baseline", "Baselines, observed frame",
                  "first to last epoch (d)", section);
}

}  // namespace

Section coverage_section(const RunProducts& run) {
  Section section{.id = "coverage", .title = "Coverage"};
  const std::vector<FitColumns> fits = fits_of(run);
  add_catalogue_figures(take_census(run, fits), section);
  add_curve_figures(fits, run, section);
  return section;
}

}  // namespace qsohost::cli
