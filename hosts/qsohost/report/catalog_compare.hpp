// Two catalogues side by side: what is in both or in one, by magnitude, redshift and on the sky;
// how their redshifts differ; and what of the left one was fitted.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>

#include "report/compared_catalog.hpp"
#include "report/section.hpp"

namespace qsohost::cli {

struct CatalogCompareOptions {
  // Used if the identifiers of both catalogues are not known or are of two types.
  double radius_arcsec = 1.0;
  bool by_position = false;  // whatever the identifiers
  CatalogColumns left{}, right{};
  // A folder with products of fits, whose source_id are the identifiers of the left catalogue.
  std::optional<std::filesystem::path> fitted{};
};

// Of (z_right - z_left) / (1 + z_left), of pairs that have both.
struct RedshiftDifference {
  std::size_t pairs = 0;
  double median = 0;
  double nmad = 0;               // 1.4826 x median of |x - median|
  double beyond_tenth = 0;       // fraction with |x| > 0.1
  double beyond_two_tenths = 0;  // and with |x| > 0.2
};
// NaN but for `pairs` if there are none. Reorders `differences`.
RedshiftDifference redshift_difference(std::span<double> differences);

// Files as read_compared_catalog() takes them, which says what it throws. Some 150 bytes of memory
// a row.
Section catalog_compare(const std::filesystem::path& left, const std::filesystem::path& right,
                        const CatalogCompareOptions& options = {});

}  // namespace qsohost::cli
