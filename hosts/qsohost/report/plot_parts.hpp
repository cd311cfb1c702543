// What several figures of the report are made of.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plot/figure.hpp"

namespace qsohost::cli {

// NaN where `values` has no finite one. Linear interpolation between order statistics.
double quantile(std::vector<double> values, double probability);
double median(std::vector<double> values);

std::vector<double> equal_bins(double low, double high, std::size_t bins);  // bins + 1 edges
// Between equidistant edges; the last bin holds its upper edge. Other values are left out.
std::vector<double> histogram(std::span<const double> values, std::span<const double> edges);

// Pairs of which both numbers are finite.
struct Pairs {
  std::vector<double> x, y;
  std::size_t size() const { return x.size(); }
};
Pairs finite_pairs(std::span<const double> x, std::span<const double> y);

// Points, or for more of them than a page should hold (kMostPoints) counts in a grid with contours
// around 39 % and 86 % of all, as 1 and 2 sigma of a normal distribution in two dimensions. Few
// values that are far off do not stretch the grid: `outside` says how many pairs it leaves out.
inline constexpr std::size_t kMostPoints = 600;
struct Cloud {
  plot::Layer layer;
  std::size_t outside = 0;
};
Cloud cloud(const Pairs& pairs, std::string_view label, plot::Style style);

// Points that are to be seen beside a cloud: at most 100 of them, every k-th, and the label says
// so.
plot::Points marked(const Pairs& pairs, std::string label, plot::Style style);

// Medians of y in bins of x with 16th to 84th percentiles: up to 8 bins (one for 15 pairs) of equal
// width between the 1st and 99th percentile of x, those with 10 pairs or more.
plot::Points binned_medians(const Pairs& pairs, std::string_view label, plot::Style style);

// "12 of 345 objects"
std::string of_objects(std::size_t count, std::size_t all);

// Letters and digits as they are, all else '-': for ids of figures.
std::string id_of(std::string_view text);

}  // namespace qsohost::cli
