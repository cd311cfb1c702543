// Whether fits describe their light curves: leave-one-out residuals, chi2, and the error that is
// missing.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

#include "report/fit_columns.hpp"
#include "report/plot_parts.hpp"
#include "report/residuals.hpp"
#include "report/sections.hpp"

namespace qsohost::cli {
namespace {

struct FitResiduals {
  FitColumns fit;
  LooResiduals loo;
};

double normal_cdf(double x) {
  return std::erfc(-x / std::numbers::sqrt2) / 2;
}

// Counts over their number and the width of a bin.
std::vector<double> density_of(const std::vector<double>& values,
                               const std::vector<double>& edges) {
  std::vector<double> counts = histogram(values, edges);
  const double scale = static_cast<double>(values.size()) * (edges[1] - edges[0]);
  for (double& n : counts) n /= scale;
  return counts;
}

plot::Figure residual_figure(const std::vector<FitResiduals>& fits) {
  plot::Figure figure{
      .id = "residuals",
      .title = "Leave-one-out residuals",
      .alt = "Distribution of standardised leave-one-out residuals beside a normal distribution.",
      .x = {.label = "(mag - prediction) / standard deviation", .min = -6, .max = 6},
      .y = {.label = "density", .scale = plot::Scale::Log, .min = 1e-5, .max = 1},
      .layers = {}};
  const std::vector<double> edges = equal_bins(-6, 6, 48);
  for (const auto& [fit, loo] : fits) {
    figure.layers.emplace_back(plot::Steps{.label = fit.name(),
                                           .edges = edges,
                                           .counts = density_of(loo.standardised, edges),
                                           .style = plot::style_of_band(fit.group)});
  }
  plot::Line normal{"N(0, 1)", {}, {}, {.colour = -1, .dash = 1}};
  for (const double x : equal_bins(-4.7, 4.7, 94)) {
    normal.x.push_back(x);
    normal.y.push_back(std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi));
  }
  figure.layers.emplace_back(std::move(normal));
  figure.caption = "Fractions beyond 3 and 5 standard deviations: see the table.";
  return figure;
}

plot::Figure pit_figure(const std::vector<FitResiduals>& fits) {
  plot::Figure figure{.id = "pit",
                      .title = "Probability integral transform",
                      .alt = "Distribution of the probability integral transform of the residuals.",
                      .x = {.label = "predicted probability of a brighter magnitude"},
                      .y = {.label = "density", .min = 0},
                      .layers = {}};
  const std::vector<double> edges = equal_bins(0, 1, 20);
  for (const auto& [fit, loo] : fits) {
    std::vector<double> pit;
    for (const double r : loo.standardised) pit.push_back(normal_cdf(r));
    figure.layers.emplace_back(plot::Steps{.label = fit.name(),
                                           .edges = edges,
                                           .counts = density_of(pit, edges),
                                           .style = plot::style_of_band(fit.group)});
  }
  figure.layers.emplace_back(plot::Line{"uniform", {0, 1}, {1, 1}, {.colour = -1, .dash = 1}});
  figure.caption =
      "Flat: model and errors are right. High at both ends: errors too small, or outliers; high in "
      "the middle: errors too large.";
  return figure;
}

// Of all objects with a fit.
std::optional<plot::Figure> chi2_figure(const std::vector<FitColumns>& fits) {
  std::vector<plot::Layer> layers;
  std::string caption;
  for (const FitColumns& fit : fits) {
    if (!fit.chi2_red || !fit.mean) continue;
    const FitValues values = read_fit(fit, {&FitValues::mean, &FitValues::chi2_red});
    const Pairs pairs = finite_pairs(values.mean, values.chi2_red);
    plot::Points medians = binned_medians(pairs, fit.name(), plot::style_of_band(fit.group));
    if (medians.x.empty()) continue;
    layers.emplace_back(std::move(medians));
    caption += fmt::format("{}: {}, median {:.3g}. ", fit.name(),
                           of_objects(pairs.size(), values.mean.size()), median(pairs.y));
  }
  if (layers.empty()) return std::nullopt;
  return plot::Figure{.id = "chi2-mag",
                      .title = "Reduced chi2 of the fits",
                      .alt = "Medians of the reduced chi2 in bins of magnitude.",
                      .caption = std::move(caption),
                      .x = {.label = "mean magnitude (mag)"},
                      .y = {.label = "chi2 / degrees of freedom", .scale = plot::Scale::Log},
                      .layers = std::move(layers)};
}

std::optional<plot::Figure> excess_figure(const std::vector<FitResiduals>& fits) {
  std::vector<plot::Layer> layers;
  for (const auto& [fit, loo] : fits) {
    plot::Points medians = binned_medians(finite_pairs(loo.mag, loo.excess), fit.name(),
                                          plot::style_of_band(fit.group));
    if (!medians.x.empty()) layers.emplace_back(std::move(medians));
  }
  if (layers.empty()) return std::nullopt;
  return plot::Figure{
      .id = "excess-mag",
      .title = "Error that is missing",
      .alt = "Medians of the excess error in bins of magnitude.",
      .caption =
          "What, added in squares to mag_err, would explain the scatter of an object's "
          "residuals (1.4826 MAD); negative: they scatter less than they should.",
      .x = {.label = "mean magnitude (mag)"},
      .y = {.label = "excess error (mag)"},
      .layers = std::move(layers)};
}

ReportTable table_of(const std::vector<FitResiduals>& fits) {
  ReportTable table{.title = "Standardised leave-one-out residuals",
                    .names = {"fit", "light curves", "objects", "other epochs", "residuals",
                              "1.4826 MAD", "beyond 3", "beyond 5"},
                    .rows = {}};
  for (const auto& [fit, loo] : fits) {
    const auto beyond = [&r = loo.standardised](double limit) {
      const auto n = std::ranges::count_if(r, [=](double v) { return std::abs(v) > limit; });
      return fmt::format("{:.3g} %",
                         100.0 * static_cast<double>(n) / static_cast<double>(r.size()));
    };
    std::vector<double> sizes;
    for (const double r : loo.standardised) sizes.push_back(std::abs(r));
    table.rows.push_back(
        {fit.name(), loo.curves->file.filename().string(), std::to_string(loo.objects),
         std::to_string(loo.other_epochs), std::to_string(loo.standardised.size()),
         fmt::format("{:.3f}", 1.4826 * median(std::move(sizes))), beyond(3), beyond(5)});
  }
  table.rows.push_back({"N(0, 1)", "", "", "", "", "1.000", "0.27 %", "5.7e-05 %"});
  return table;
}

}  // namespace

Section fit_quality_section(const RunProducts& run) {
  Section section{.id = "fit-quality", .title = "Quality of the fits"};
  const std::vector<FitColumns> columns = fits_of(run);
  std::vector<FitResiduals> fits;
  for (const FitColumns& fit : columns) {
    auto loo = loo_residuals(fit, run);
    if (loo && !loo->standardised.empty()) fits.push_back({fit, std::move(*loo)});
  }
  if (!fits.empty()) {
    section.paragraphs.push_back(fmt::format(
        "Each epoch against what the fit predicts for it from all other epochs of the light curve, "
        "for at most {} objects a fit, drawn at random. Other epochs: objects left out, as their "
        "light curve has another number of epochs than the fit had.",
        kResidualObjects));
    section.tables.push_back(table_of(fits));
    section.figures.push_back(residual_figure(fits));
    section.figures.push_back(pit_figure(fits));
  }
  if (auto figure = chi2_figure(columns)) section.figures.push_back(std::move(*figure));
  if (auto figure = excess_figure(fits)) section.figures.push_back(std::move(*figure));
  return section;
}

}  // namespace qsohost::cli
