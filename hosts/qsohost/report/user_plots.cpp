#include "report/user_plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <string>

#include "qsohost/error.hpp"
#include "qsohost/names.hpp"
#include "relate/robust.hpp"
#include "report/object_columns.hpp"
#include "table.hpp"

namespace qsohost::cli {
namespace {

constexpr std::size_t kMostPoints = 5000;  // more are drawn as a density
constexpr std::size_t kCells = 70;         // of a density, along each axis
constexpr double kOutside = 0.001;         // part of the objects outside of its axes, at each end

struct FoundColumn {
  const Product* product = nullptr;
  std::string name;
};

// By exact name, then without regard to case.
std::optional<std::string> column_called(const Product& product, const std::string& name) {
  std::optional<std::string> other_case;
  for (const InputColumn& column : product.columns) {
    if (column.is_array || column.info.width != 1 || column.info.dtype == DType::String) continue;
    if (column.info.name == name) return name;
    if (lower_case(column.info.name) == lower_case(name)) other_case = column.info.name;
  }
  return other_case;
}

std::vector<std::string> all_columns(const RunProducts& run) {
  std::vector<std::string> out;
  for (const Product& product : run.products()) {
    for (const InputColumn& column : product.columns) {
      if (!column.is_array && std::ranges::find(out, column.info.name) == out.end()) {
        out.push_back(column.info.name);
      }
    }
  }
  return out;
}

bool is_called(const Product& product, const std::string& name) {
  return product.extension == name || product.file.filename() == name;
}

// The product whose rows are the points.
const Product& main_product(const RunProducts& run, const UserPlot& plot) {
  if (!plot.product.text.empty()) {
    std::vector<std::string> names;
    for (const Product& product : run.products()) {
      if (is_called(product, plot.product.text)) return product;
      names.push_back(product.extension);
    }
    throw UsageError(fmt::format("{}: the run has no product '{}'{}", plot.product.where,
                                 plot.product.text, did_you_mean(plot.product.text, names)));
  }
  const Product* with_x = nullptr;
  for (const Product& product : run.products()) {
    if (!column_called(product, plot.x.text)) continue;
    if (column_called(product, plot.y.text)) return product;
    if (with_x == nullptr) with_x = &product;
  }
  if (with_x != nullptr) return *with_x;
  throw UsageError(fmt::format("{}: no product has a column of single numbers '{}'{}", plot.x.where,
                               plot.x.text, did_you_mean(plot.x.text, all_columns(run))));
}

FoundColumn find(const RunProducts& run, const Product& main, const PlacedText& column) {
  if (const auto name = column_called(main, column.text)) return {&main, *name};
  for (const Product& product : run.products()) {
    if (const auto name = column_called(product, column.text)) return {&product, *name};
  }
  throw UsageError(fmt::format("{}: no product has a column of single numbers '{}'{}", column.where,
                               column.text, did_you_mean(column.text, all_columns(run))));
}

// Values of a column for the rows of the main product.
std::vector<double> values_of(const FoundColumn& column, const Product& main) {
  std::vector<double> values =
      std::move(read_numbers(*column.product, std::span(&column.name, 1)).front());
  if (column.product == &main) return values;
  return pick(values, ObjectIndex(*column.product).rows_of(main));
}

// What is drawn, and what is not.
struct Data {
  std::vector<double> x, y, colour;
  std::uint64_t cut = 0;      // rows that the cut excludes
  std::uint64_t missing = 0;  // without x or y, or not above 0 on a logarithmic axis
};

Data data_of(const RunProducts& run, const Product& main, const UserPlot& plot) {
  const std::vector<double> x = values_of(find(run, main, plot.x), main);
  const std::vector<double> y = values_of(find(run, main, plot.y), main);
  std::vector<double> colour;
  if (!plot.colour.text.empty()) colour = values_of(find(run, main, plot.colour), main);
  std::vector<std::uint8_t> is_kept(x.size(), 1);
  for (const CutCondition& condition : plot.cut) {
    const std::vector<double> values = values_of(find(run, main, condition.column), main);
    for (std::size_t i = 0; i < x.size(); ++i) is_kept[i] &= condition.holds(values[i]) ? 1 : 0;
  }
  const auto can_be_drawn = [](double v, bool is_log) {
    return std::isfinite(v) && (!is_log || v > 0);
  };
  Data out;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (is_kept[i] == 0) {
      ++out.cut;
    } else if (!can_be_drawn(x[i], plot.is_log_x) || !can_be_drawn(y[i], plot.is_log_y)) {
      ++out.missing;
    } else {
      out.x.push_back(x[i]);
      out.y.push_back(y[i]);
      if (!colour.empty()) out.colour.push_back(colour[i]);
    }
  }
  return out;
}

double scaled(double value, bool is_log) {
  return is_log ? std::log10(value) : value;
}

double unscaled(double value, bool is_log) {
  return is_log ? std::pow(10, value) : value;
}

std::vector<double> all_scaled(const std::vector<double>& values, bool is_log) {
  std::vector<double> out;
  for (const double value : values) out.push_back(scaled(value, is_log));
  return out;
}

// Edges of cells between the quantiles.
std::vector<double> edges(std::vector<double> values) {
  const auto quantile = [&](double q) {
    const auto at = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
    std::ranges::nth_element(values, values.begin() + at);
    return values[static_cast<std::size_t>(at)];
  };
  double low = quantile(kOutside);
  double high = quantile(1 - kOutside);
  if (low == high) {
    low -= 0.5;
    high += 0.5;
  }
  std::vector<double> out;
  for (std::size_t i = 0; i <= kCells; ++i) {
    out.push_back(low + (high - low) * static_cast<double>(i) / kCells);
  }
  return out;
}

std::optional<std::size_t> cell(double value, const std::vector<double>& edges) {
  const double at = (value - edges.front()) / (edges.back() - edges.front()) * kCells;
  if (!(at >= 0 && at <= kCells)) return std::nullopt;
  return std::min(static_cast<std::size_t>(at), kCells - 1);
}

void add_density(const Data& data, const UserPlot& plot, plot::Figure& figure) {
  const std::vector<double> x = all_scaled(data.x, plot.is_log_x);
  const std::vector<double> y = all_scaled(data.y, plot.is_log_y);
  plot::Density density{.label = "objects",
                        .x_edges = edges(x),
                        .y_edges = edges(y),
                        .counts = std::vector<double>(kCells * kCells),
                        .contours = {0.39, 0.86}};
  std::uint64_t outside = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto ix = cell(x[i], density.x_edges);
    const auto iy = cell(y[i], density.y_edges);
    if (ix && iy) {
      ++density.counts[*iy * kCells + *ix];
    } else {
      ++outside;
    }
  }
  for (double& edge : density.x_edges) edge = unscaled(edge, plot.is_log_x);
  for (double& edge : density.y_edges) edge = unscaled(edge, plot.is_log_y);
  figure.caption += fmt::format(" As a density, {} outside of it; contours hold 39 % and 86 %.",
                                count_text(outside));
  if (!data.colour.empty()) figure.caption += " Colours are not shown for so many.";
  figure.layers.emplace_back(std::move(density));
}

void add_line(const Data& data, const UserPlot& plot, plot::Figure& figure) {
  const std::vector<std::vector<double>> x{all_scaled(data.x, plot.is_log_x)};
  RobustFit fit;
  try {
    fit = robust_line(x, all_scaled(data.y, plot.is_log_y));
  } catch (const RunError& error) {
    figure.caption += fmt::format(" No line: {}.", error.what());
    return;
  }
  const auto [low, high] = std::ranges::minmax(x.front());
  plot::Line line{.label = "robust line", .x = {}, .y = {}, .style = {.colour = -1}};
  for (const double at : {low, high}) {
    line.x.push_back(unscaled(at, plot.is_log_x));
    line.y.push_back(unscaled(fit.at(std::span(&at, 1)), plot.is_log_y));
  }
  figure.layers.emplace_back(std::move(line));
  figure.caption += fmt::format(
      " Robust line (Huber){}: slope {:.4g} ± {:.2g}, {:.4g} ± {:.2g} at the median {:.4g}, "
      "scatter "
      "{:.3g}.",
      plot.is_log_x || plot.is_log_y ? ", in log10 on logarithmic axes" : "", fit.slope[0],
      fit.slope_err[0], fit.intercept, fit.intercept_err, fit.centre[0], fit.scatter);
}

std::string axis_label(const RunProducts& run, const Product& main, const PlacedText& column) {
  const FoundColumn found = find(run, main, column);
  const auto at = std::ranges::find(found.product->columns, found.name,
                                    [](const InputColumn& c) { return c.info.name; });
  const std::string& unit = at->info.unit;
  return unit.empty() ? found.name : fmt::format("{} ({})", found.name, unit);
}

plot::Figure figure_of(const RunProducts& run, const UserPlot& plot, std::size_t position) {
  const Product& main = main_product(run, plot);
  const Data data = data_of(run, main, plot);
  plot::Figure figure{.id = std::to_string(position), .title = plot.title};
  const auto scale = [](bool is_log) { return is_log ? plot::Scale::Log : plot::Scale::Linear; };
  figure.x = {.label = axis_label(run, main, plot.x), .scale = scale(plot.is_log_x)};
  figure.y = {.label = axis_label(run, main, plot.y), .scale = scale(plot.is_log_y)};
  if (figure.title.empty()) figure.title = fmt::format("{} against {}", plot.y.text, plot.x.text);
  figure.alt = fmt::format("{} objects: {} against {}.", count_text(data.x.size()), plot.y.text,
                           plot.x.text);
  figure.caption = fmt::format("{} objects of {}", count_text(data.x.size()), main.extension);
  if (data.cut > 0) {
    figure.caption +=
        fmt::format(", {} are excluded by {}", count_text(data.cut), plot.cut_text.text);
  }
  if (data.missing > 0) {
    figure.caption += fmt::format(", {} have no value that can be drawn", count_text(data.missing));
  }
  figure.caption += ".";
  if (data.x.size() > kMostPoints) {
    add_density(data, plot, figure);
  } else if (!data.colour.empty()) {
    figure.layers.emplace_back(
        plot::ColouredPoints{axis_label(run, main, plot.colour), data.x, data.y, data.colour});
  } else {
    figure.layers.emplace_back(plot::Points{.label = "", .x = data.x, .y = data.y});
  }
  if (plot.has_line) add_line(data, plot, figure);
  return figure;
}

}  // namespace

Section user_plots_section(const RunProducts& run, const std::vector<UserPlot>& plots) {
  Section out{.id = "plots", .title = "Further plots"};
  for (std::size_t i = 0; i < plots.size(); ++i) {
    out.figures.push_back(figure_of(run, plots[i], i + 1));
  }
  return out;
}

}  // namespace qsohost::cli
