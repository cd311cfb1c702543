#include "report/object_columns.hpp"

#include <algorithm>
#include <cctype>
#include <limits>
#include <utility>

namespace qsohost::cli {
namespace {

const std::vector<std::string> kId{"source_id"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

bool is_number(const InputColumn& column) {
  return !column.is_array && column.info.width == 1 && column.info.dtype != DType::String &&
         column.problem.empty();
}

void each_id_block(const Product& product,
                   const std::function<void(const Column&, std::uint64_t)>& see) {
  const auto id =
      std::ranges::find(product.columns, kId[0], [](const InputColumn& c) { return c.info.name; });
  if (id != product.columns.end()) check_id_type(*id, product.file.string(), "source_id");
  each_block(product, kId,
             [&](const Rows& rows) { see(id_column(rows.columns[0].values), rows.first); });
}

// SplitMix64 (Steele, Lea and Flood 2014): all bits of the result depend on all bits of `x`.
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

std::uint64_t number_of(const Column& ids, std::size_t i) {
  if (ids.dtype() == DType::I64) return static_cast<std::uint64_t>(ids.values<std::int64_t>()[i]);
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, the same on every machine
  for (const unsigned char c : ids.strings()[i]) hash = (hash ^ c) * 0x100000001b3;
  return hash;
}

}  // namespace

std::optional<std::string> number_column(const Product& product,
                                         std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    std::optional<std::string> prefixed;
    for (const InputColumn& column : product.columns) {
      if (!is_number(column)) continue;
      const std::string have = lower(column.info.name);
      if (have == name) return column.info.name;
      if (!prefixed && have.ends_with("_" + std::string(name))) prefixed = column.info.name;
    }
    if (prefixed) return prefixed;
  }
  return std::nullopt;
}

std::vector<std::vector<double>> read_numbers(const Product& product,
                                              std::span<const std::string> columns) {
  std::vector<std::vector<double>> out(columns.size());
  for (auto& values : out) values.reserve(product.rows);
  each_block(product, columns, [&](const Rows& rows) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::vector<double> block = rows.numbers(c);
      out[c].insert(out[c].end(), block.begin(), block.end());
    }
  });
  return out;
}

ObjectIndex::ObjectIndex(const Product& product) {
  index_.reserve(product.rows);
  each_id_block(product, [&](const Column& ids, std::uint64_t /*first*/) { index_.add(ids); });
  // An object that is there several times, as pairs of a cross-match: any of its rows.
  (void)index_.sort();
}

std::vector<std::uint64_t> ObjectIndex::rows_of(const Product& other) const {
  std::vector<std::uint64_t> rows;
  rows.reserve(other.rows);
  each_id_block(other, [&](const Column& ids, std::uint64_t /*first*/) {
    for (std::size_t i = 0; i < ids.size(); ++i) rows.push_back(index_.row_of(ids, i));
  });
  return rows;
}

std::vector<double> pick(std::span<const double> values, std::span<const std::uint64_t> rows) {
  std::vector<double> out(rows.size(), std::numeric_limits<double>::quiet_NaN());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] != IdIndex::kNone) out[i] = values[rows[i]];
  }
  return out;
}

std::vector<std::uint64_t> sample_rows(const Product& product, std::size_t most,
                                       std::uint64_t seed) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> drawn;  // random number, row
  drawn.reserve(product.rows);
  each_id_block(product, [&](const Column& ids, std::uint64_t first) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      drawn.emplace_back(mixed(number_of(ids, i) ^ mixed(seed)), first + i);
    }
  });
  most = std::min(most, drawn.size());
  std::ranges::nth_element(drawn, drawn.begin() + static_cast<std::ptrdiff_t>(most));
  std::vector<std::uint64_t> rows;
  for (std::size_t i = 0; i < most; ++i) rows.push_back(drawn[i].second);
  std::ranges::sort(rows);
  return rows;
}

const Product* largest_catalogue(const RunProducts& run) {
  const auto catalogues = run.of_kind(ProductKind::Catalogue);
  const auto largest = std::ranges::max_element(
      catalogues, {}, [](const Product* product) { return product->rows; });
  return largest == catalogues.end() ? nullptr : *largest;
}

}  // namespace qsohost::cli
