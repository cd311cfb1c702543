// Single values, appended to columns.
#pragma once

#include <limits>
#include <string_view>
#include <type_traits>

#include "qsohost/column.hpp"
#include "qsohost/names.hpp"
#include "votable/votable_field.hpp"

namespace qsohost::inline io_v1 {

// One missing value of a cell.
template <class T>
void append_missing(Column& to) {
  if constexpr (std::is_floating_point_v<T>) {
    to.append<T>(std::numeric_limits<T>::quiet_NaN());
  } else {
    to.append<T>(T{});
    to.set_null(to.values<T>().size() - 1);
  }
}

// A number, unless it is the declared null.
template <class T>
void append_number(T value, const VoField& field, Column& to) {
  bool is_missing = false;
  if constexpr (std::is_floating_point_v<T>) {
    is_missing = field.null_number && value == static_cast<T>(*field.null_number);
  } else {
    is_missing = field.null_integer && value == *field.null_integer;
  }
  is_missing ? append_missing<T>(to) : to.append<T>(value);
}

// Blanks at its ends do not count; a text of blanks is missing.
inline void append_text(std::string_view text, const VoField& field, Column& to) {
  text = trimmed(text);
  to.append_string(text);
  if (text.empty() || text == field.null) to.set_null(to.strings().size() - 1);
}

}  // namespace qsohost::inline io_v1
