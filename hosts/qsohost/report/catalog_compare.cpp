#include "report/catalog_compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "nan.hpp"
#include "plot/sky_map.hpp"
#include "qsohost/io/identifiers.hpp"
#include "report/catalog_match.hpp"
#include "report/run_products.hpp"

namespace qsohost::cli {
namespace {

// Both catalogues and what is in which.
struct Comparison {
  ComparedCatalog left, right;
  CatalogMatch match;
  bool is_by_id = false;
};

struct Set {
  std::string label;
  std::vector<double> values;  // NaN where they are missing
};

std::vector<double> edges_of(double low, double high, double width) {
  std::vector<double> edges;
  const auto count = static_cast<std::size_t>(std::max(1.0, std::ceil((high - low) / width)));
  for (std::size_t i = 0; i <= count; ++i) edges.push_back(low + width * static_cast<double>(i));
  return edges;
}

// The last edge belongs to the last bin.
std::vector<double> histogram(std::span<const double> values, std::span<const double> edges) {
  std::vector<double> counts(edges.size() - 1, 0);
  for (const double value : values) {
    if (!(value >= edges.front() && value <= edges.back())) continue;
    const auto above = std::ranges::upper_bound(edges, value) - edges.begin();
    ++counts[std::min(static_cast<std::size_t>(above) - 1, counts.size() - 1)];
  }
  return counts;
}

// A figure of several histograms with common bins; none if there are no values.
void add_histograms(std::string id, std::string title, std::string axis, double width,
                    const std::vector<Set>& sets, Section& to) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  std::size_t missing = 0;
  for (const Set& set : sets) {
    for (const double value : set.values) {
      if (std::isnan(value)) {
        ++missing;
        continue;
      }
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  if (low > high) return;
  const std::vector<double> edges = edges_of(std::floor(low / width) * width, high, width);
  plot::Figure figure{
      .id = std::move(id), .title = std::move(title), .x = {}, .y = {}, .layers = {}};
  figure.alt = fmt::format("Histograms of {} from {:.4g} to {:.4g}.", axis, low, high);
  figure.x.label = std::move(axis);
  figure.y.label = "objects";
  if (missing > 0)
    figure.caption = fmt::format("{} objects without a value are left out.", missing);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    figure.layers.emplace_back(plot::Steps{.label = sets[i].label,
                                           .edges = edges,
                                           .counts = histogram(sets[i].values, edges),
                                           .style = plot::style_of_series(i)});
  }
  to.figures.push_back(std::move(figure));
}

std::vector<double> chosen(std::span<const double> values,
                           const std::function<bool(std::size_t)>& takes) {
  std::vector<double> out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (takes(i)) out.push_back(values[i]);
  }
  return out;
}

bool is_pair(std::size_t match) {
  return match < CatalogMatch::kRepeated;
}

// Objects in both (with the values of the left catalogue), only left, only right.
std::vector<Set> three_sets(const Comparison& c, std::span<const double> left,
                            std::span<const double> right) {
  return {{"in both", chosen(left, [&](std::size_t i) { return is_pair(c.match.of_left[i]); })},
          {"only in " + c.left.name,
           chosen(left, [&](std::size_t i) { return c.match.of_left[i] == CatalogMatch::kNone; })},
          {"only in " + c.right.name, chosen(right, [&](std::size_t i) {
             return c.match.of_right[i] == CatalogMatch::kNone;
           })}};
}

std::string both_names(const std::string& left, const std::string& right) {
  if (left.empty() || right.empty() || left == right) return left.empty() ? right : left;
  return fmt::format("{} (left), {} (right)", left, right);
}

void add_sky(const Comparison& c, Section& to) {
  const std::vector<Set> ra = three_sets(c, c.left.ra, c.right.ra);
  const std::vector<Set> dec = three_sets(c, c.left.dec, c.right.dec);
  const std::array<const char*, 3> ids{"compare-sky-both", "compare-sky-left", "compare-sky-right"};
  for (std::size_t s = 0; s < ra.size(); ++s) {
    plot::SkyCounts counts(45);
    for (std::size_t i = 0; i < ra[s].values.size(); ++i) {
      counts.add(ra[s].values[i], dec[s].values[i]);
    }
    if (counts.counted() == 0) continue;
    to.figures.push_back(plot::sky_map(ids[s], ra[s].label, counts));
  }
}

// Of each pair (z_right - z_left) / (1 + z_left), and its magnitude.
struct Differences {
  std::vector<double> values;
  std::vector<double> mags;  // NaN where it is missing
};

Differences differences_of(const Comparison& c) {
  Differences out;
  if (c.left.z.empty() || c.right.z.empty()) return out;
  for (std::size_t i = 0; i < c.left.rows; ++i) {
    if (!is_pair(c.match.of_left[i])) continue;
    const double value = (c.right.z[c.match.of_left[i]] - c.left.z[i]) / (1 + c.left.z[i]);
    if (!std::isfinite(value)) continue;
    out.values.push_back(value);
    out.mags.push_back(c.left.mag.empty() ? kNan : c.left.mag[i]);
  }
  return out;
}

std::vector<std::string> difference_row(std::string name, std::vector<double> values) {
  const RedshiftDifference d = redshift_difference(values);
  return {std::move(name),
          std::to_string(d.pairs),
          fmt::format("{:.5f}", d.median),
          fmt::format("{:.5f}", d.nmad),
          fmt::format("{:.2f} %", 100 * d.beyond_tenth),
          fmt::format("{:.2f} %", 100 * d.beyond_two_tenths)};
}

void add_redshift_differences(const Comparison& c, Section& to) {
  const Differences all = differences_of(c);
  if (all.values.empty()) return;
  ReportTable table{"Differences of redshifts, (right - left) / (1 + left)",
                    {"objects", "pairs", "median", "NMAD", "beyond 0.1", "beyond 0.2"},
                    {difference_row("all", all.values)}};
  for (int mag = 0; mag < 50; ++mag) {
    std::vector<double> values;
    for (std::size_t i = 0; i < all.values.size(); ++i) {
      if (std::floor(all.mags[i]) == mag) values.push_back(all.values[i]);
    }
    if (values.empty()) continue;
    table.rows.push_back(difference_row(fmt::format("{} {} to {}", c.left.mag_name, mag, mag + 1),
                                        std::move(values)));
  }
  to.tables.push_back(std::move(table));

  constexpr double kEnd = 0.3;
  plot::Figure figure{
      .id = "compare-redshifts",
      .title = "Differences of redshifts",
      .alt = fmt::format("Histogram of the differences of {} redshifts.", all.values.size()),
      .x = {.label = "(z right - z left) / (1 + z left)"},
      .y = {.label = "pairs", .scale = plot::Scale::Log},
      .layers = {}};
  const std::vector<double> edges = edges_of(-kEnd, kEnd, 0.01);
  const auto beyond =
      std::ranges::count_if(all.values, [](double v) { return std::abs(v) > kEnd; });
  figure.caption =
      fmt::format("Left: {} of {}, right: {} of {}; {} pairs are beyond {}.", c.left.z_name,
                  c.left.name, c.right.z_name, c.right.name, beyond, kEnd);
  figure.layers.emplace_back(plot::Steps{.label = "pairs",
                                         .edges = edges,
                                         .counts = histogram(all.values, edges),
                                         .style = plot::style_of_series(0),
                                         .is_filled = true});
  to.figures.push_back(std::move(figure));
}

// Identifiers of the objects with a fit in any product of a folder; none if it has no such
// products.
std::optional<std::unordered_set<std::string>> fitted_ids(const std::filesystem::path& folder) {
  std::unordered_set<std::string> out;
  const RunProducts run(folder);
  bool has_fits = false;
  for (const Product& product : run.products()) {
    if (product.kind != ProductKind::Fit && product.kind != ProductKind::JointFit) continue;
    const auto tau = first_column(product, {"log_tau_post", "log_tau", "log_tau_full"});
    if (!tau) continue;
    has_fits = true;
    each_block(product, std::array<std::string, 2>{"source_id", *tau}, [&](const Rows& rows) {
      const std::vector<std::string> ids = rows.texts(0);
      const std::vector<double> values = rows.numbers(1);
      for (std::size_t i = 0; i < ids.size(); ++i) {
        if (std::isfinite(values[i])) out.insert(ids[i]);
      }
    });
  }
  if (!has_fits) return std::nullopt;
  return out;
}

// What of the left catalogue was not fitted.
void add_lost(const Comparison& c, const std::filesystem::path& folder, Section& to) {
  if (!c.left.ids) {
    to.paragraphs.push_back(
        fmt::format("What of it was fitted is not known: {} has no column 'source_id', by which "
                    "fits are found.",
                    c.left.name));
    return;
  }
  const auto fitted = fitted_ids(folder);
  if (!fitted) {
    to.paragraphs.emplace_back(
        "What of it was fitted is not known: the run has no products of fits.");
    return;
  }
  std::vector<bool> is_fitted(c.left.rows);
  for (std::size_t i = 0; i < c.left.rows; ++i) {
    is_fitted[i] = !id_is_missing(*c.left.ids, i) && fitted->contains(id_text(*c.left.ids, i));
  }
  const auto count = static_cast<std::size_t>(std::ranges::count(is_fitted, true));
  to.paragraphs.push_back(fmt::format("Of {} objects of {}, {} were fitted and {} were not.",
                                      c.left.rows, c.left.name, count, c.left.rows - count));
  const auto sets = [&](std::span<const double> values) {
    return std::vector<Set>{
        {"fitted", chosen(values, [&](std::size_t i) { return is_fitted[i]; })},
        {"not fitted", chosen(values, [&](std::size_t i) { return !is_fitted[i]; })}};
  };
  add_histograms("compare-lost-mag", "What was fitted, by magnitude", c.left.mag_name, 0.25,
                 sets(c.left.mag), to);
  add_histograms("compare-lost-z", "What was fitted, by redshift", c.left.z_name, 0.1,
                 sets(c.left.z), to);
}

void add_numbers(const Comparison& c, const CatalogCompareOptions& options, Section& to) {
  const auto count = [](const std::vector<std::size_t>& match, std::size_t what) {
    return static_cast<std::size_t>(std::ranges::count(match, what));
  };
  const auto row = [&](const ComparedCatalog& catalog, const std::vector<std::size_t>& match) {
    return std::vector<std::string>{
        catalog.name,
        std::to_string(catalog.rows),
        std::to_string(c.match.pairs),
        std::to_string(count(match, CatalogMatch::kNone)),
        std::to_string(count(match, CatalogMatch::kRepeated)),
        std::to_string(std::ranges::count_if(catalog.ra, [](double x) { return std::isnan(x); }))};
  };
  to.tables.push_back({"Objects in both catalogues and in one",
                       {"catalogue", "rows", "in both", "only here", "repeated", "no position"},
                       {row(c.left, c.match.of_left), row(c.right, c.match.of_right)}});
  to.paragraphs.push_back(
      c.is_by_id ? fmt::format("Matched by {}; rows that repeat an identifier are left out.",
                               both_names(c.left.id_name, c.right.id_name))
                 : fmt::format("Matched by position: pairs within {} arcsec, each of which is the "
                               "nearest of the other.",
                               options.radius_arcsec));
}

Comparison compared(const std::filesystem::path& left, const std::filesystem::path& right,
                    const CatalogCompareOptions& options) {
  Comparison c{
      read_compared_catalog(left, options.left), read_compared_catalog(right, options.right), {}};
  if (c.left.name == c.right.name) {  // of two runs
    c.left.name = "left " + c.left.name;
    c.right.name = "right " + c.right.name;
  }
  c.is_by_id = !options.by_position && c.left.ids && c.right.ids &&
               c.left.ids->dtype() == c.right.ids->dtype();
  c.match = c.is_by_id ? match_by_id(c.left, c.right)
                       : match_by_position(c.left, c.right, options.radius_arcsec);
  return c;
}

double median_of(std::span<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

}  // namespace

RedshiftDifference redshift_difference(std::span<double> differences) {
  RedshiftDifference out{differences.size(), kNan, kNan, kNan, kNan};
  if (differences.empty()) return out;
  const auto beyond = [&](double limit) {
    const auto n =
        std::ranges::count_if(differences, [&](double x) { return std::abs(x) > limit; });
    return static_cast<double>(n) / static_cast<double>(differences.size());
  };
  out.beyond_tenth = beyond(0.1);
  out.beyond_two_tenths = beyond(0.2);
  out.median = median_of(differences);
  std::vector<double> deviations(differences.begin(), differences.end());
  for (double& x : deviations) x = std::abs(x - out.median);
  out.nmad = 1.4826 * median_of(deviations);
  return out;
}

Section catalog_compare(const std::filesystem::path& left, const std::filesystem::path& right,
                        const CatalogCompareOptions& options) {
  const Comparison c = compared(left, right, options);
  Section section{.id = "catalog-compare",
                  .title = fmt::format("{} and {}", c.left.name, c.right.name)};
  add_numbers(c, options, section);
  add_histograms("compare-mag", "By magnitude", both_names(c.left.mag_name, c.right.mag_name), 0.25,
                 three_sets(c, c.left.mag, c.right.mag), section);
  add_histograms("compare-z", "By redshift", both_names(c.left.z_name, c.right.z_name), 0.1,
                 three_sets(c, c.left.z, c.right.z), section);
  add_sky(c, section);
  add_redshift_differences(c, section);
  if (options.fitted) add_lost(c, *options.fitted, section);
  return section;
}

}  // namespace qsohost::cli
