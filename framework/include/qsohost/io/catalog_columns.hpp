// Which columns of a table become those of objects, by the same rules wherever objects come from a
// table: the identifier as "source_id", the position as "ra" and "dec" in degrees, and others under
// their own names.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/api.hpp"
#include "qsohost/io/input_table.hpp"
#include "qsohost/option.hpp"
#include "qsohost/port.hpp"

namespace qsohost::inline io_v1 {

// As the user names them in the options of the same names.
struct CatalogNames {
  std::string id;
  std::string ra;
  std::string dec;
  std::vector<std::string> columns;  // further ones; "all"

  bool wants_all() const { return columns.size() == 1 && columns.front() == "all"; }
};

// Those options, to be a member of the source.
class QSOHOST_API CatalogOptions {
 public:
  // `ids` and `columns`: help that the source's kind of table adds.
  CatalogOptions(OptionOwner* owner, const std::string& ids, const std::string& columns);

  CatalogNames names() const { return {*id, *ra, *dec, *columns}; }

  Option<std::string> id;
  Option<std::string> ra;
  Option<std::string> dec;
  Option<std::vector<std::string>> columns;
};

// The ports of a source whose table is not open yet.
QSOHOST_API void declare_unopened(const CatalogNames& names, Ports& ports);

// "" or why this is no point on the sky (degrees).
QSOHOST_API std::string position_problem(double ra, double dec);

class QSOHOST_API CatalogColumns {
 public:
  // Throws RunError where a column is missing or cannot be what it is named for; a column that
  // "all" leaves out goes to `warn`.
  CatalogColumns(const InputTable& table, const CatalogNames& names,
                 const std::function<void(const std::string&)>& warn);

  void declare(Ports& ports) const;
  // In the table: identifier, ra, dec, others.
  const std::vector<std::size_t>& positions() const { return positions_; }
  // The columns of objects, from what was read at positions().
  std::vector<Column> of_objects(std::vector<Cells> read) const;

 private:
  std::vector<std::size_t> positions_;
  std::vector<ColumnInfo> infos_;  // of the objects' columns
};

// The column of ra or dec (f64, deg), converted from the unit that was read.
QSOHOST_API Column position_column(const Column& read, const std::string& name);

}  // namespace qsohost::inline io_v1
