// Columns of the objects of one product, and of others joined to it by identifier.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/run_products.hpp"

namespace qsohost::cli {

// A table with objects, and its column of identifiers.
struct ObjectTable {
  Product product;
  std::string id = "source_id";
};

// Any table file, with identifiers in the column `id`; names that differ in case alone are found,
// too. Throws RunError.
ObjectTable open_table(const std::filesystem::path& file, std::string_view id);

struct FoundColumn {
  std::size_t table = 0;  // position among the tables
  std::string column;
};

// The column that `name` means: in the first of the tables where there is one of this name, else
// one that differs in case alone, else one that ends in it after a prefix: wushen_loglbol for
// loglbol. Throws UsageError, which begins with `option`, if there is none (with the nearest names)
// or if several prefixes fit.
FoundColumn find_object_column(std::string_view name, std::span<const ObjectTable> tables,
                               std::string_view option);

// Columns brought to the rows of tables[0].
class ObjectColumns {
 public:
  explicit ObjectColumns(std::vector<ObjectTable> tables);

  const std::vector<ObjectTable>& tables() const { return tables_; }
  std::size_t rows() const { return ids_.size(); }
  const std::vector<std::string>& ids() const { return ids_; }  // of the rows

  // A value for each row, NaN where it is missing. Each table is read once. Throws RunError if a
  // table that a column is taken from shares no identifier with tables[0].
  std::vector<std::vector<double>> read(std::span<const FoundColumn> columns);

  // What the user should know: identifiers in several rows, objects without a row.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void read_own(std::span<const FoundColumn> columns, std::vector<std::vector<double>>& out) const;
  void join(std::size_t table, std::span<const FoundColumn> columns,
            std::vector<std::vector<double>>& out);

  std::vector<ObjectTable> tables_;
  std::vector<std::string> ids_;
  std::vector<std::string> notes_;
};

}  // namespace qsohost::cli
