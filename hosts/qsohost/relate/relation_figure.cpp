#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "relate/relation_files.hpp"

namespace qsohost::cli {
namespace {

constexpr std::size_t kMostPoints = 3000;  // beyond, their density is drawn
constexpr std::size_t kMedianBins = 12;    // of medians, with equal numbers of objects

struct Values {
  std::vector<double> x, y;
};

// y less the robust line's parts of all regressors but the first.
Values adjusted(const Relation& r) {
  Values out;
  for (const std::size_t i : r.sample.used()) {
    double y = r.sample.y[i];
    for (std::size_t k = 1; k < r.sample.x.size(); ++k) {
      y -= r.robust.slope[k] * (r.sample.x[k][i] - r.robust.centre[k]);
    }
    out.x.push_back(r.sample.x[0][i]);
    out.y.push_back(y);
  }
  return out;
}

std::vector<double> edges_of(std::vector<double> values, std::size_t cells) {
  std::ranges::sort(values);
  // Few far values shall not make the cells too large: to the 0.1st and 99.9th percentiles.
  const std::size_t out = values.size() / 1000;
  const double low = values[out], high = values[values.size() - 1 - out];
  std::vector<double> edges;
  for (std::size_t k = 0; k <= cells; ++k) {
    edges.push_back(low + (high - low) * static_cast<double>(k) / static_cast<double>(cells));
  }
  return edges;
}

std::ptrdiff_t cell_of(const std::vector<double>& edges, double value) {
  const double step = (edges.back() - edges.front()) / static_cast<double>(edges.size() - 1);
  const double at = std::floor((value - edges.front()) / step);
  const bool is_inside = at >= 0 && at < static_cast<double>(edges.size() - 1);
  return is_inside ? static_cast<std::ptrdiff_t>(at) : -1;
}

plot::Density density_of(const Values& v) {
  plot::Density out{"objects", edges_of(v.x, 80), edges_of(v.y, 60), {}};
  out.counts.assign(80 * 60, 0);
  for (std::size_t i = 0; i < v.x.size(); ++i) {
    const auto ix = cell_of(out.x_edges, v.x[i]), iy = cell_of(out.y_edges, v.y[i]);
    if (ix >= 0 && iy >= 0) out.counts[static_cast<std::size_t>(iy * 80 + ix)] += 1;
  }
  return out;
}

double quantile(const std::vector<double>& sorted, double fraction) {
  return sorted[static_cast<std::size_t>(
      std::lround(fraction * static_cast<double>(sorted.size() - 1)))];
}

plot::Points medians_of(const Values& v) {
  plot::Points out{
      .label = "medians, 16 to 84 %", .x = {}, .y = {}, .style = {-1, 1, 0}, .size = 4};
  std::vector<std::pair<double, double>> points;
  for (std::size_t i = 0; i < v.x.size(); ++i) points.emplace_back(v.x[i], v.y[i]);
  std::ranges::sort(points);
  const std::size_t bins = std::clamp<std::size_t>(points.size() / 10, 1, kMedianBins);
  for (std::size_t b = 0; b < bins; ++b) {
    std::vector<double> x, y;
    for (std::size_t i = b * points.size() / bins; i < (b + 1) * points.size() / bins; ++i) {
      x.push_back(points[i].first);
      y.push_back(points[i].second);
    }
    std::ranges::sort(y);
    out.x.push_back(median_of(std::move(x)));
    out.y.push_back(quantile(y, 0.5));
    out.y_low.push_back(quantile(y, 0.16));
    out.y_high.push_back(quantile(y, 0.84));
  }
  return out;
}

// `intercept` is at `centre`, the medians of the line's own objects; the figure's other regressors
// are at `at`, the medians of all.
plot::Line line_of(std::string label, double intercept, const std::vector<double>& slope,
                   const std::vector<double>& centre, const std::vector<double>& at,
                   const Values& v, int style) {
  plot::Line out{std::move(label), {}, {}, {style, 0, style - 1}};
  for (std::size_t k = 1; k < slope.size(); ++k) intercept += slope[k] * (at[k] - centre[k]);
  const std::vector<double> ends = edges_of(v.x, 1);
  for (const double x : ends) {
    out.x.push_back(x);
    out.y.push_back(intercept + slope[0] * (x - centre[0]));
  }
  return out;
}

std::string caption_of(const Relation& r) {
  std::string out;
  if (r.sample.y_quantity.name == kLogD.name) out = "D = sigma^2/tau. ";
  out += fmt::format("{} of {} rows of {}. Robust slope {:.3f} +- {:.3f}", r.robust.n,
                     r.sample.y.size(), fmt::join(r.sample.fits, ", "), r.robust.slope[0],
                     r.robust.slope_err[0]);
  if (r.hierarchical) {
    out += fmt::format("; hierarchical slope {:.3f} +- {:.3f}, intrinsic scatter {:.3f} +- {:.3f}",
                       r.hierarchical->y.slope[0], r.hierarchical->y.slope_err[0],
                       r.hierarchical->y.scatter, r.hierarchical->y.scatter_err);
  }
  if (r.sample.x.size() > 1) {
    out += fmt::format(". Of {}, what the robust line says is subtracted",
                       fmt::join(r.sample.x_name.begin() + 1, r.sample.x_name.end(), ", "));
  }
  return out + ".";
}

}  // namespace

std::string y_label(const Sample& sample) {
  const std::string frame = sample.frame.empty() ? "" : ", " + sample.frame;
  if (sample.y_quantity.name == kLogD.name) {
    return fmt::format("log10 D (mag^2/d{})", frame);
  }
  if (sample.y_quantity.name == kLogTau.name) return fmt::format("log10 tau (d{})", frame);
  return "log10 sigma (mag)";
}

std::vector<std::size_t> counts_by_reason(const Sample& sample) {
  std::vector<std::size_t> counts(sample.reasons.size());
  for (const std::uint8_t why : sample.why) {
    if (why > 0) ++counts[why - 1U];
  }
  return counts;
}

plot::Figure relation_figure(const Relation& r) {
  const Values v = adjusted(r);
  plot::Figure figure;
  figure.id = "relation";
  figure.title = fmt::format("{} against {}", r.sample.y_quantity.name, r.sample.x_name[0]);
  figure.alt = fmt::format("{} against {} of {} objects with medians in bins and fitted lines",
                           r.sample.y_quantity.name, r.sample.x_name[0], v.x.size());
  figure.caption = caption_of(r);
  figure.x.label = r.sample.x_name[0];
  figure.y.label = y_label(r.sample);
  if (v.x.size() > kMostPoints) {
    figure.layers.emplace_back(density_of(v));
  } else {
    figure.layers.emplace_back(
        plot::Points{.label = "objects", .x = v.x, .y = v.y, .style = {-2, 0, 0}, .size = 1.5});
  }
  figure.layers.emplace_back(medians_of(v));
  figure.layers.emplace_back(line_of("robust", r.robust.intercept, r.robust.slope, r.robust.centre,
                                     r.robust.centre, v, 1));
  if (r.selected) {
    figure.layers.emplace_back(line_of(fmt::format("robust, S/N > {:g}", r.selected->threshold),
                                       r.selected->line.intercept, r.selected->line.slope,
                                       r.selected->line.centre, r.robust.centre, v, 3));
  }
  if (r.hierarchical) {
    figure.layers.emplace_back(line_of("hierarchical", r.hierarchical->y.intercept,
                                       r.hierarchical->y.slope, r.hierarchical->centre,
                                       r.robust.centre, v, 2));
  }
  return figure;
}

}  // namespace qsohost::cli
