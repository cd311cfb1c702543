#include "plot/contours.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

namespace qsohost::plot {
namespace {

// The smoothed counts within a border of two cells, of which the outer one stays 0: every contour
// is closed.
struct Field {
  std::size_t columns = 0, rows = 0;
  std::vector<double> values{};
  double& at(std::size_t column, std::size_t row) { return values[row * columns + column]; }
  double at(std::size_t column, std::size_t row) const { return values[row * columns + column]; }
};
constexpr std::size_t kBorder = 2;

Field smoothed(std::span<const double> counts, std::size_t columns, std::size_t rows) {
  constexpr std::array<double, 3> kWeights{0.25, 0.5, 0.25};
  Field field{columns + 2 * kBorder, rows + 2 * kBorder};
  field.values.assign(field.columns * field.rows, 0);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const double count = counts[row * columns + column];
      if (!(count > 0) || !std::isfinite(count)) continue;
      for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t k = 0; k < 3; ++k) {
          field.at(column + kBorder - 1 + i, row + kBorder - 1 + k) +=
              count * kWeights[i] * kWeights[k];
        }
      }
    }
  }
  return field;
}

// The level above which the fraction of the sum lies; 0 if there is none.
double level_of(const Field& field, double fraction) {
  std::vector<double> sorted = field.values;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  const double wanted = fraction * std::accumulate(sorted.begin(), sorted.end(), 0.0);
  double sum = 0;
  for (std::size_t i = 0; i + 1 < sorted.size(); ++i) {
    sum += sorted[i];
    const bool is_last_of_equals = sorted[i + 1] < sorted[i] * (1 - 1e-9);
    if (sum >= wanted && is_last_of_equals) return 0.5 * (sorted[i] + sorted[i + 1]);
  }
  return 0;
}

// An edge between two neighbours: the number of its first cell, doubled, and 1 more if it goes up.
using Edge = std::size_t;

class Marcher {
 public:
  Marcher(const Field& field, double level) : field_(field), level_(level) {}

  ContourLines lines() {
    for (std::size_t row = 0; row + 1 < field_.rows; ++row) {
      for (std::size_t column = 0; column + 1 < field_.columns; ++column) march(column, row);
    }
    ContourLines all;
    while (!links_.empty()) all.push_back(follow(links_.begin()->first));
    return all;
  }

 private:
  // One square of four cells, numbered around from the lower left.
  void march(std::size_t column, std::size_t row) {
    const std::array<bool, 4> in{
        field_.at(column, row) > level_, field_.at(column + 1, row) > level_,
        field_.at(column + 1, row + 1) > level_, field_.at(column, row + 1) > level_};
    const Edge cell = row * field_.columns + column;
    const std::array<Edge, 4> edges{2 * cell, 2 * (cell + 1) + 1, 2 * (cell + field_.columns),
                                    2 * cell + 1};
    std::vector<Edge> crossed;
    for (std::size_t i = 0; i < 4; ++i) {
      if (in[i] != in[(i + 1) % 4]) crossed.push_back(edges[i]);
    }
    if (crossed.size() == 2) link(crossed[0], crossed[1]);
    if (crossed.size() != 4) return;
    // A saddle: the middle says whether the high corners are joined.
    const double middle = (field_.at(column, row) + field_.at(column + 1, row) +
                           field_.at(column + 1, row + 1) + field_.at(column, row + 1)) /
                          4;
    const bool cuts_first = in[0] != (middle > level_);  // the corner at the lower left is alone
    link(edges[0], cuts_first ? edges[3] : edges[1]);
    link(edges[2], cuts_first ? edges[1] : edges[3]);
  }

  void link(Edge a, Edge b) {
    links_[a].push_back(b);
    links_[b].push_back(a);
  }

  // Every crossed edge has two neighbours: walks around and takes them off.
  ContourLine follow(Edge edge) {
    ContourLine line;
    for (;;) {
      const auto here = links_.find(edge);
      if (here == links_.end()) return line;
      line.push_back(crossing(edge));
      const std::vector<Edge> next = std::move(here->second);
      links_.erase(here);
      const bool is_first_open = links_.contains(next.front());
      edge = is_first_open ? next.front() : next.back();
    }
  }

  GridPoint crossing(Edge edge) const {
    const std::size_t cell = edge / 2, column = cell % field_.columns, row = cell / field_.columns;
    const bool is_up = edge % 2 == 1;
    const double from = field_.values[cell];
    const double to = field_.values[is_up ? cell + field_.columns : cell + 1];
    const double part = (level_ - from) / (to - from);
    const double x = static_cast<double>(column) + 0.5 - kBorder;
    const double y = static_cast<double>(row) + 0.5 - kBorder;
    return {is_up ? x : x + part, is_up ? y + part : y};
  }

  const Field& field_;
  double level_;
  std::map<Edge, std::vector<Edge>> links_;
};

}  // namespace

ContourLines contours(std::span<const double> counts, std::size_t columns, std::size_t rows,
                      double fraction) {
  if (!(fraction > 0 && fraction < 1) || counts.size() < columns * rows) return {};
  const Field field = smoothed(counts, columns, rows);
  const double level = level_of(field, fraction);
  if (!(level > 0)) return {};
  return Marcher(field, level).lines();
}

}  // namespace qsohost::plot
