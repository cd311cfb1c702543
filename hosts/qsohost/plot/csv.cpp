// The values of a figure as one table.
#include <algorithm>
#include <array>
#include <cmath>

#include "plot/escape.hpp"
#include "plot/figure.hpp"
#include "plot/frame.hpp"
#include "plot/sky_map.hpp"
#include "plot/text.hpp"

namespace qsohost::plot {
namespace {

enum Column { X, XLow, XHigh, Y, YLow, YHigh, Value, Name, Columns };
constexpr std::array<const char*, Columns> kNames{"x",     "x_low",  "x_high", "y",
                                                  "y_low", "y_high", "value",  "name"};

struct Row {
  std::string series{};
  std::array<std::string, Columns> cells{};
};

// Missing in "x_low" of some points means that they have no error bars.
std::string cell(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return number(value, 9);
}

std::string quoted(const std::string& text) {
  std::string clean;
  for (const std::string& character : characters(text)) {
    clean += character;
    if (character == "\"") clean += '"';
  }
  const bool is_plain = clean.find_first_of(",\"\r\n") == std::string::npos;
  return is_plain ? clean : '"' + clean + '"';
}

class CsvCollector {
 public:
  std::vector<Row> rows{};

  void operator()(const Points& p) {
    for (std::size_t i = 0; i < std::max(p.x.size(), p.y.size()); ++i) {
      Row& row = next(p.label);
      put(row, X, p.x, i);
      put(row, XLow, p.x_low, i);
      put(row, XHigh, p.x_high, i);
      put(row, Y, p.y, i);
      put(row, YLow, p.y_low, i);
      put(row, YHigh, p.y_high, i);
    }
  }
  void operator()(const Line& l) { curve(l.label, l.x, l.y); }
  void operator()(const Region& r) { curve(r.label, r.x, r.y); }
  void operator()(const Steps& s) {
    for (std::size_t i = 0; i < s.counts.size(); ++i) {
      Row& row = next(s.label);
      put(row, XLow, s.edges, i);
      put(row, XHigh, s.edges, i + 1);
      put(row, Y, s.counts, i);
    }
  }
  void operator()(const Bars& b) {
    for (std::size_t i = 0; i < b.values.size(); ++i) {
      Row& row = next(b.label);
      put(row, Value, b.values, i);
      if (i < b.names.size()) row.cells[Name] = quoted(b.names[i]);
    }
  }
  void operator()(const Band& b) {
    for (std::size_t i = 0; i < b.x.size(); ++i) {
      Row& row = next(b.label);
      put(row, X, b.x, i);
      put(row, YLow, b.lower, i);
      put(row, YHigh, b.upper, i);
    }
  }
  void operator()(const Density& d) {
    const std::size_t columns = d.x_edges.empty() ? 0 : d.x_edges.size() - 1;
    for (std::size_t i = 0; i < d.counts.size() && columns > 0; ++i) {
      if (d.counts[i] == 0) continue;
      Row& row = next(d.label);
      put(row, XLow, d.x_edges, i % columns);
      put(row, XHigh, d.x_edges, i % columns + 1);
      put(row, YLow, d.y_edges, i / columns);
      put(row, YHigh, d.y_edges, i / columns + 1);
      put(row, Value, d.counts, i);
    }
  }
  void operator()(const ColouredPoints& p) {
    for (std::size_t i = 0; i < std::max(p.x.size(), p.y.size()); ++i) {
      Row& row = next(p.label);
      put(row, X, p.x, i);
      put(row, Y, p.y, i);
      put(row, Value, p.value, i);
    }
  }
  void operator()(const Text& t) {
    Row& row = next("");
    row.cells[X] = cell(t.x);
    row.cells[Y] = cell(t.y);
    row.cells[Name] = quoted(t.text);
  }
  void operator()(const SkyCells& sky) {  // x is RA and y is Dec, degrees
    const std::vector<SkyCell> cells = sky_cells(sky.rows);
    for (std::size_t i = 0; i < std::min(cells.size(), sky.counts.size()); ++i) {
      if (sky.counts[i] == 0) continue;
      Row& row = next(sky.label);
      row.cells[XLow] = cell(cells[i].ra_low);
      row.cells[XHigh] = cell(cells[i].ra_high);
      row.cells[YLow] = cell(cells[i].dec_low);
      row.cells[YHigh] = cell(cells[i].dec_high);
      put(row, Value, sky.counts, i);
    }
  }

 private:
  Row& next(const std::string& label) {
    rows.push_back({.series = quoted(label)});
    return rows.back();
  }
  static void put(Row& row, Column column, const std::vector<double>& values, std::size_t i) {
    if (i < values.size()) row.cells[column] = cell(values[i]);
  }
  void curve(const std::string& label, const std::vector<double>& x, const std::vector<double>& y) {
    for (std::size_t i = 0; i < std::max(x.size(), y.size()); ++i) {
      Row& row = next(label);
      put(row, X, x, i);
      put(row, Y, y, i);
    }
  }
};

}  // namespace

std::string csv(const Figure& figure) {
  CsvCollector collect;
  for (const Layer& layer : figure.layers) std::visit(collect, layer);
  std::vector<std::size_t> used;
  for (std::size_t c = 0; c < Columns; ++c) {
    const bool is_used = std::any_of(collect.rows.begin(), collect.rows.end(),
                                     [c](const Row& row) { return !row.cells[c].empty(); });
    if (is_used) used.push_back(c);
  }
  std::string out = "series";
  for (const std::size_t c : used) out += std::string(",") + kNames[c];
  out += "\r\n";
  for (const Row& row : collect.rows) {
    out += row.series;
    for (const std::size_t c : used) out += ',' + row.cells[c];
    out += "\r\n";
  }
  return out;
}

}  // namespace qsohost::plot
