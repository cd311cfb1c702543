#include "report/plot_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "nan.hpp"

namespace qsohost::cli {
namespace {

constexpr std::size_t kGridX = 48, kGridY = 36;

// Bin of a value between equidistant edges, or `bins` if it is outside.
std::size_t bin_of(double value, double low, double high, std::size_t bins) {
  if (!(value >= low && value <= high)) return bins;
  const double position = (value - low) / (high - low) * static_cast<double>(bins);
  return std::min(static_cast<std::size_t>(position), bins - 1);
}

// The range of all values but those far off: a quarter of the range of the inner 99.8 % is added on
// each side. Never of width 0.
std::pair<double, double> usual_range(const std::vector<double>& values) {
  const double low = quantile(values, 0.001), high = quantile(values, 0.999);
  const auto [least, most] = std::ranges::minmax(values);
  const double room = 0.25 * (high - low);
  const double from = std::max(least, low - room), to = std::min(most, high + room);
  return to > from ? std::pair(from, to) : std::pair(from - 0.5, from + 0.5);
}

}  // namespace

double quantile(std::vector<double> values, double probability) {
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  if (values.empty()) return kNan;
  const double position = probability * static_cast<double>(values.size() - 1);
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(position);
  std::nth_element(values.begin(), at, values.end());
  const double fraction = position - std::floor(position);
  if (fraction == 0) return *at;
  return *at + fraction * (*std::min_element(at + 1, values.end()) - *at);
}

double median(std::vector<double> values) {
  return quantile(std::move(values), 0.5);
}

std::vector<double> equal_bins(double low, double high, std::size_t bins) {
  std::vector<double> edges;
  for (std::size_t i = 0; i <= bins; ++i) {
    edges.push_back(low + (high - low) * static_cast<double>(i) / static_cast<double>(bins));
  }
  return edges;
}

std::vector<double> histogram(std::span<const double> values, std::span<const double> edges) {
  std::vector<double> counts(edges.size() - 1);
  for (const double value : values) {
    const std::size_t bin = bin_of(value, edges.front(), edges.back(), counts.size());
    if (bin < counts.size()) ++counts[bin];
  }
  return counts;
}

Pairs finite_pairs(std::span<const double> x, std::span<const double> y) {
  Pairs pairs;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i]) || !std::isfinite(y[i])) continue;
    pairs.x.push_back(x[i]);
    pairs.y.push_back(y[i]);
  }
  return pairs;
}

Cloud cloud(const Pairs& pairs, std::string_view label, plot::Style style) {
  if (pairs.size() <= kMostPoints) {
    return {plot::Points{
        .label = std::string(label), .x = pairs.x, .y = pairs.y, .style = style, .size = 2}};
  }
  const auto [x_low, x_high] = usual_range(pairs.x);
  const auto [y_low, y_high] = usual_range(pairs.y);
  plot::Density density{.label = "objects",
                        .x_edges = equal_bins(x_low, x_high, kGridX),
                        .y_edges = equal_bins(y_low, y_high, kGridY),
                        .counts = std::vector<double>(kGridX * kGridY),
                        .contours = {0.39, 0.86}};
  std::size_t outside = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const std::size_t ix = bin_of(pairs.x[i], x_low, x_high, kGridX);
    const std::size_t iy = bin_of(pairs.y[i], y_low, y_high, kGridY);
    if (ix == kGridX || iy == kGridY) {
      ++outside;
    } else {
      ++density.counts[iy * kGridX + ix];
    }
  }
  return {std::move(density), outside};
}

plot::Points marked(const Pairs& pairs, std::string label, plot::Style style) {
  static constexpr std::size_t kMost = 100;
  const std::size_t step = (pairs.size() + kMost - 1) / kMost;
  if (step > 1) label += fmt::format(" (1 of {} shown)", step);
  plot::Points points{.label = std::move(label), .x = {}, .y = {}, .style = style};
  for (std::size_t i = 0; i < pairs.size(); i += step) {
    points.x.push_back(pairs.x[i]);
    points.y.push_back(pairs.y[i]);
  }
  return points;
}

plot::Points binned_medians(const Pairs& pairs, std::string_view label, plot::Style style) {
  static constexpr std::size_t kLeast = 10;
  plot::Points out{.label = std::string(label), .x = {}, .y = {}, .style = style, .size = 4};
  const double low = quantile(pairs.x, 0.01), high = quantile(pairs.x, 0.99);
  if (!(high > low)) return out;
  std::vector<Pairs> bins(std::clamp<std::size_t>(pairs.size() / 15, 1, 8));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const std::size_t bin = bin_of(pairs.x[i], low, high, bins.size());
    if (bin == bins.size()) continue;
    bins[bin].x.push_back(pairs.x[i]);
    bins[bin].y.push_back(pairs.y[i]);
  }
  for (const Pairs& bin : bins) {
    if (bin.size() < kLeast) continue;
    out.x.push_back(median(bin.x));
    out.y.push_back(median(bin.y));
    out.y_low.push_back(quantile(bin.y, 0.16));
    out.y_high.push_back(quantile(bin.y, 0.84));
  }
  return out;
}

std::string of_objects(std::size_t count, std::size_t all) {
  return fmt::format("{} of {} objects", count, all);
}

std::string id_of(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(
      out,
      [](char c) {
        return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'));
      },
      '-');
  return out;
}

}  // namespace qsohost::cli
