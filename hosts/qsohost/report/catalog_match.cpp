#include "report/catalog_match.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "qsohost/io/identifiers.hpp"
#include "qsohost/sphere.hpp"

namespace qsohost::cli {
namespace {

constexpr std::size_t kNone = CatalogMatch::kNone;

bool are_equal(const Column& a, std::size_t i, const Column& b, std::size_t k) {
  if (a.dtype() == DType::String) return a.strings()[i] == b.strings()[k];
  return a.values<std::int64_t>()[i] == b.values<std::int64_t>()[k];
}

IdIndex index_of(const Column& ids) {
  IdIndex index;
  index.reserve(ids.size());
  index.add(ids);
  index.sort();
  return index;
}

// The first row with the identifier; none for a missing one. Texts are found by their hash.
std::size_t find(const IdIndex& index, const Column& indexed, const Column& ids, std::size_t i) {
  if (id_is_missing(ids, i)) return kNone;
  const std::uint64_t row = index.row_of(ids, i);
  return row != IdIndex::kNone && are_equal(indexed, row, ids, i) ? row : kNone;
}

void mark_repeats(const IdIndex& index, const Column& ids, std::vector<std::size_t>& match) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::size_t first = find(index, ids, ids, i);
    if (first != kNone && first != i) match[i] = CatalogMatch::kRepeated;
  }
}

// Rows with a position, from south to north.
std::vector<std::size_t> by_declination(const ComparedCatalog& catalog) {
  std::vector<std::size_t> rows(catalog.rows);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  std::erase_if(rows, [&](std::size_t i) { return std::isnan(catalog.dec[i]); });
  std::ranges::stable_sort(rows, {}, [&](std::size_t i) { return catalog.dec[i]; });
  return rows;
}

struct Nearest {
  double separation = std::numeric_limits<double>::infinity();
  std::size_t row = kNone;
  void see(double other_separation, std::size_t other) {
    if (std::pair(other_separation, other) < std::pair(separation, row)) {
      separation = other_separation;
      row = other;
    }
  }
};

}  // namespace

CatalogMatch match_by_id(const ComparedCatalog& left, const ComparedCatalog& right) {
  CatalogMatch out{std::vector(left.rows, kNone), std::vector(right.rows, kNone)};
  if (left.rows == 0 || right.rows == 0) return out;
  const IdIndex left_index = index_of(*left.ids);
  const IdIndex right_index = index_of(*right.ids);
  mark_repeats(left_index, *left.ids, out.of_left);
  mark_repeats(right_index, *right.ids, out.of_right);
  for (std::size_t i = 0; i < left.rows; ++i) {
    if (out.of_left[i] != kNone) continue;
    const std::size_t row = find(right_index, *right.ids, *left.ids, i);
    if (row == kNone) continue;
    out.of_left[i] = row;
    out.of_right[row] = i;
    ++out.pairs;
  }
  return out;
}

CatalogMatch match_by_position(const ComparedCatalog& left, const ComparedCatalog& right,
                               double radius_arcsec) {
  constexpr double kSlack = 1e-9;  // deg, for rounding
  const double reach = radius_arcsec / 3600 + kSlack;
  const std::vector<std::size_t> left_rows = by_declination(left);
  const std::vector<std::size_t> right_rows = by_declination(right);
  std::vector<Nearest> of_left(left.rows);
  std::vector<Nearest> of_right(right.rows);
  auto begin = right_rows.begin();  // of those that are near enough in declination
  for (const std::size_t i : left_rows) {
    const double window = ra_reach(left.dec[i], reach);
    while (begin != right_rows.end() && right.dec[*begin] < left.dec[i] - reach) ++begin;
    for (auto it = begin; it != right_rows.end() && right.dec[*it] <= left.dec[i] + reach; ++it) {
      if (std::abs(std::remainder(right.ra[*it] - left.ra[i], 360.0)) > window) continue;
      const double separation =
          separation_arcsec(left.ra[i], left.dec[i], right.ra[*it], right.dec[*it]);
      if (separation > radius_arcsec) continue;
      of_left[i].see(separation, *it);
      of_right[*it].see(separation, i);
    }
  }
  CatalogMatch out{std::vector(left.rows, kNone), std::vector(right.rows, kNone)};
  for (std::size_t i = 0; i < left.rows; ++i) {
    const std::size_t row = of_left[i].row;
    if (row == kNone || of_right[row].row != i) continue;
    out.of_left[i] = row;
    out.of_right[row] = i;
    ++out.pairs;
  }
  return out;
}

}  // namespace qsohost::cli
