// Columns of products as numbers, one an object, and rows of other products with the same object.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/io/identifiers.hpp"
#include "report/run_products.hpp"

namespace qsohost::cli {

// The first of these names that a column of single numbers has. Case does not count, and a prefix
// that ends with '_' may stand before the name, as columns of a joined catalogue have it; a column
// without a prefix is preferred.
std::optional<std::string> number_column(const Product& product,
                                         std::initializer_list<std::string_view> names);

// One vector a column, one value a row; NaN where missing.
std::vector<std::vector<double>> read_numbers(const Product& product,
                                              std::span<const std::string> columns);

// Finds the rows of a product by source_id. Texts are told apart by 64-bit hashes: two in 10^6
// objects are taken for one with a probability of 3e-8, which a plot can bear.
class ObjectIndex {
 public:
  explicit ObjectIndex(const Product& product);
  // For every row of `other` the row here; none: IdIndex::kNone.
  std::vector<std::uint64_t> rows_of(const Product& other) const;

 private:
  IdIndex index_;
};

// The values at these rows, NaN for IdIndex::kNone.
std::vector<double> pick(std::span<const double> values, std::span<const std::uint64_t> rows);

// At most `most` rows of a product, ascending. Which ones depends on the identifiers and the seed
// alone, not on their order.
std::vector<std::uint64_t> sample_rows(const Product& product, std::size_t most,
                                       std::uint64_t seed);

// The catalogue with most rows; null if there is none.
const Product* largest_catalogue(const RunProducts& run);

}  // namespace qsohost::cli
