// Which rows of two catalogues are the same object.
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

#include "report/compared_catalog.hpp"

namespace qsohost::cli {

struct CatalogMatch {
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t kRepeated = kNone - 1;  // by id: a row before has the identifier
  std::vector<std::size_t> of_left;   // row of the right catalogue, kNone or kRepeated
  std::vector<std::size_t> of_right;  // the same of the left one
  std::size_t pairs = 0;
};

// Of rows with one identifier the first one counts. A row without an identifier matches nothing.
// Both must have identifiers, of one type.
CatalogMatch match_by_id(const ComparedCatalog& left, const ComparedCatalog& right);

// Pairs of rows within the radius (inclusive), each of which is the nearest of the other; of
// equally near ones the first. A row without a position matches nothing.
CatalogMatch match_by_position(const ComparedCatalog& left, const ComparedCatalog& right,
                               double radius_arcsec);

}  // namespace qsohost::cli
