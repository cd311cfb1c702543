// The columns of the catalogue that objects get: their names, and which of their values are
// missing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <qsohost/io/input_table.hpp>
#include <qsohost/option.hpp>
#include <qsohost/stage.hpp>

namespace catalog_join {

// Which values of some columns are values at all.
struct Valid : qsohost::OptionOwner {
  qsohost::Option<std::vector<std::string>> columns{this, "columns", qsohost::required,
                                                    "joined columns, as the catalogue calls them"};
  qsohost::Option<double> min{this, "min", -std::numeric_limits<double>::infinity(),
                              "a value less than this is missing"};
  qsohost::Option<double> max{this, "max", std::numeric_limits<double>::infinity(),
                              "a value greater than this is missing"};
  qsohost::Option<std::vector<double>> null_values{
      this, "null_values", std::vector<double>{},
      "numbers that stand for a missing value, besides those of the stage"};
};

class JoinedColumns {
 public:
  struct Choice {
    std::vector<std::string> names;  // as in the batch; {"all"}: all that can be read
    std::vector<std::size_t> keys;   // positions that "all" leaves out
    std::string prefix;
    std::vector<double> null_values;
  };
  // Throws RunError: a column that is not there or cannot be taken; two that would have one name.
  JoinedColumns(const qsohost::InputTable& table, const Choice& choice,
                const qsohost::OptionTables<Valid>& valid);

  std::vector<qsohost::ColumnInfo> infos() const;                         // as objects get them
  const std::vector<std::string>& left_out() const { return left_out_; }  // and why

  // Sets the columns of the objects: from the row of each, or null. Counts values that are missing
  // in the catalogue, and those that the options call so.
  void put(qsohost::InputTable& table, std::span<const std::optional<std::uint64_t>> rows,
           qsohost::ColumnSet& objects, qsohost::Counts& counts) const;

 private:
  struct Range {
    double min;
    double max;
  };
  struct Joined {
    std::size_t position;
    qsohost::ColumnInfo info;  // with its name in the batch
    std::vector<double> nulls{};
    std::vector<Range> ranges{};
    bool is_value(double number) const;
  };
  void add_valid(const qsohost::InputTable& table, const Valid& valid);
  static void clean(const Joined& joined, qsohost::Column& values, qsohost::Counts& counts);

  std::vector<Joined> columns_;
  std::vector<std::size_t> positions_;  // of these
  std::vector<std::string> left_out_;
};

}  // namespace catalog_join
