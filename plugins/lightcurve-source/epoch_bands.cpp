#include "epoch_bands.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include <qsohost/names.hpp>

namespace curves {

namespace {

constexpr std::uint64_t kBlock = 4096;
constexpr std::size_t kMostValues = 1000;  // remembered; a column of bands has some ten
constexpr std::size_t kShown = 10;

// By the text in the column.
struct BandCounts {
  std::map<std::string, std::uint64_t> rows;
  std::uint64_t beyond = 0;  // rows of values that are not remembered
};

void count_rows(InputFile& file, std::size_t field, qsohost::Context& context, BandCounts& out) {
  for (std::uint64_t first = 0; first < file.table.rows(); first += kBlock) {
    if (context.stop_requested()) throw qsohost::TryAgain("stopped while rows were counted");
    const std::uint64_t count = std::min(kBlock, file.table.rows() - first);
    const auto cells = file.table.read(first, count, std::span(&field, 1));
    for (std::size_t i = 0; i < count; ++i) {
      const std::string text = band_text(cells[0].values, i);
      const auto it = out.rows.find(text);
      if (it != out.rows.end()) {
        ++it->second;
      } else if (out.rows.size() < kMostValues) {
        out.rows.emplace(text, 1);
      } else {
        ++out.beyond;
      }
    }
  }
}

// "'g' (12 rows), no value (3 rows)"
std::string listed(const std::map<std::string, std::uint64_t>& rows) {
  std::vector<std::string> out;
  for (const auto& [value, count] : rows) {
    if (out.size() == kShown) {
      out.emplace_back("...");
      break;
    }
    out.push_back(fmt::format("{} ({} rows)",
                              value.empty() ? "no value" : fmt::format("'{}'", value), count));
  }
  return fmt::format("{}", fmt::join(out, ", "));
}

}  // namespace

std::string band_text(const qsohost::Column& bands, std::size_t row) {
  if (bands.is_null(row)) return "";
  if (bands.dtype() == qsohost::DType::String) {
    return std::string(qsohost::trimmed(bands.strings()[row]));
  }
  if (bands.dtype() == qsohost::DType::I64) {
    return std::to_string(bands.values<std::int64_t>()[row]);
  }
  return std::to_string(static_cast<std::int64_t>(bands.number(row)));
}

void check_row_bands(InputFile& file, const Layout& layout, qsohost::Context& context) {
  if (!layout.band_field || file.table.rows() == 0) return;
  const std::string& column = file.table.columns()[*layout.band_field].info.name;
  const bool takes_all =
      std::ranges::any_of(layout.curves, [](const Curve& c) { return !c.band_value; });
  BandCounts counts;
  for (const Curve& curve : layout.curves) {
    if (curve.band_value) counts.rows[*curve.band_value] = 0;
  }
  count_rows(file, *layout.band_field, context, counts);
  bool takes_some = takes_all;
  std::map<std::string, std::uint64_t> others = counts.rows;
  for (const Curve& curve : layout.curves) {
    if (!curve.band_value) continue;
    others.erase(*curve.band_value);
    if (counts.rows[*curve.band_value] > 0) {
      takes_some = true;
    } else {
      context.warn(fmt::format("{}: light curve '{}' is empty: no row has '{}' in column '{}'",
                               file.name, curve.info.name, *curve.band_value, column));
    }
  }
  std::uint64_t left = counts.beyond;
  for (const auto& [value, rows] : others) left += rows;
  if (takes_all || left == 0) return;
  if (!takes_some) {
    throw qsohost::RunError(
        fmt::format("{}: no row is of a [[stage.band]]: column '{}' has {}; correct band_value",
                    file.name, column, listed(others)));
  }
  context.warn(fmt::format(
      "{}: {} of {} rows are left out, because no [[stage.band]] has what their column '{}' holds: "
      "{}",
      file.name, left, file.table.rows(), column, listed(others)));
}

}  // namespace curves
