// What the cells of a column are, found out in a first pass.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "qsohost/io/cells.hpp"
#include "text/cell_kind.hpp"
#include "text/cell_type.hpp"

namespace qsohost::inline io_v1 {

class TypeSurvey {
 public:
  explicit TypeSurvey(const CellType& declared);

  void see(std::string_view cell, std::size_t line);

  // Of a column whose header declares no type: integers, floats if there is one, texts if there is
  // one or an integer beyond 64 bits. Sets type, problem, not_integer and not_number.
  void conclude(InputColumn& column) const;
  // If the column is one of texts and looks as if that was not meant.
  std::optional<std::string> warning(std::string_view name) const;
  // Of the first cell that is not UTF-8; 0 if all are.
  std::size_t line_not_utf8() const { return line_not_utf8_; }

 private:
  bool is_declared_text() const { return declared_->dtype == DType::String && !declared_->is_list; }
  bool is_text() const { return texts_ > 0 || (long_integers_ > 0 && floats_ == 0); }
  void see_declared(std::string_view cell, std::size_t line);
  void see_text(std::string_view cell, std::size_t line);

  const CellType* declared_;
  Cells scratch_;
  std::uint64_t integers_ = 0;
  std::uint64_t long_integers_ = 0;
  std::uint64_t floats_ = 0;
  std::uint64_t texts_ = 0;
  std::uint64_t decimal_commas_ = 0;  // of the texts
  std::string not_integer_;           // the first, as "line 2 has '1.5'"
  std::string not_number_;            // the first
  std::string long_integer_;          // the first
  std::string not_declared_;          // the first that is not of the declared type
  std::size_t line_not_utf8_ = 0;
};

}  // namespace qsohost::inline io_v1
