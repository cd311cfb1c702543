// Tables of a TAP service, and rows that a query selects from them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace qsohost::skysim {

struct TapColumn {
  std::string name;
  std::string datatype;  // of VOTable: boolean, short, int, long, float, double, char (a text)
  std::string unit{};
  std::string description{};
  bool is_array = false;   // of any length; its values are kept as one text, separated by blanks
  std::string shown_as{};  // its name in answers, if it is another one
};

// Null, an integer or boolean (0, 1), a number, a text or array.
using TapCell = std::variant<std::monostate, std::int64_t, double, std::string>;
using TapInsert = std::function<void(std::span<const TapCell>)>;

struct TapTable {
  std::string schema;  // "": names without a schema
  std::string name;
  std::string description;
  std::vector<TapColumn> columns;
  std::vector<std::string> indexed;  // columns that make queries fast
  // Inserts the rows. Called when a query names the table for the first time.
  std::function<void(const TapInsert&)> fill;

  std::string full_name() const;  // as ADQL spells it: schema.name, or quoted
};

struct TapRows {
  std::vector<TapColumn> columns;
  std::vector<std::vector<TapCell>> rows;
  bool is_overflow = false;  // there are more
};

}  // namespace qsohost::skysim
