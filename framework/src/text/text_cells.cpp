#include "text/text_cells.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>

#include "qsohost/io/text.hpp"
#include "qsohost/names.hpp"
#include "text/json_list.hpp"
#include "text/unicode.hpp"

namespace qsohost::inline io_v1 {

namespace {

std::optional<bool> truth_of(std::string_view cell) {
  const std::string word = lower_case(cell);
  if (word == "true" || word == "t" || word == "1") return true;
  if (word == "false" || word == "f" || word == "0") return false;
  return std::nullopt;
}

template <class T>
std::optional<T> integer_of(std::string_view cell) {
  const auto value = parse_int(cell);
  if (!value || *value < std::numeric_limits<T>::min() || *value > std::numeric_limits<T>::max()) {
    return std::nullopt;
  }
  return static_cast<T>(*value);
}

template <class T>
std::optional<T> value_of(std::string_view cell) {
  if constexpr (std::is_same_v<T, bool>)
    return truth_of(cell);
  else if constexpr (std::is_same_v<T, float>)
    return parse_float(cell);
  else if constexpr (std::is_same_v<T, double>)
    return parse_double(cell);
  else
    return integer_of<T>(cell);
}

// A missing float is NaN, of a type that has nulls it is one. Among floats there may be hexadecimal
// integers.
template <class T>
bool append_number(std::string_view cell, Column& to) {
  if (const auto value = value_of<T>(cell)) {
    to.append<T>(*value);
    return true;
  }
  const bool missing = is_missing(cell);
  if constexpr (std::is_floating_point_v<T>) {
    const auto integer = parse_int(cell);
    to.append<T>(integer ? static_cast<T>(*integer) : std::numeric_limits<T>::quiet_NaN());
    return missing || integer;
  } else {
    to.append<T>(T{});
    to.set_null(to.values<T>().size() - 1);
    return missing;
  }
}

void append_text(std::string_view cell, bool is_null, Column& to) {
  if (is_null) {
    to.append_string("");
    to.set_null(to.strings().size() - 1);
  } else if (is_utf8(cell)) {
    to.append_string(cell);
  } else {
    to.append_string(utf8_of(cell));
  }
}

// A value that is not a text.
bool append_value(std::string_view cell, Column& to) {
  switch (to.dtype()) {
    case DType::F64:
      return append_number<double>(cell, to);
    case DType::I64:
      return append_number<std::int64_t>(cell, to);
    case DType::F32:
      return append_number<float>(cell, to);
    case DType::I32:
      return append_number<std::int32_t>(cell, to);
    case DType::I16:
      return append_number<std::int16_t>(cell, to);
    case DType::Bool:
      return append_number<bool>(cell, to);
    case DType::String:
      break;
  }
  return false;
}

bool append_list(const CellType& declared, std::string_view cell, Cells& to) {
  std::uint64_t count = 0;
  const auto append = [&](std::string_view element, bool is_text) {
    ++count;
    // Gaia's archive quotes flags: ["True","False"].
    if (to.values.dtype() != DType::String) return append_value(element, to.values);
    append_text(element, !is_text, to.values);
    return is_text || element == "null";
  };
  if (!cell.empty() && !for_each_element(cell, append)) return false;
  if (declared.is_array) {
    to.lengths.push_back(count);
    return true;
  }
  if (cell.empty()) to.values.append_null();
  return cell.empty() || count == declared.width;
}

}  // namespace

bool append_cell(const CellType& declared, std::string_view cell, Cells& to) {
  cell = trimmed(cell);
  if (declared.is_list) return append_list(declared, cell, to);
  if (to.values.dtype() != DType::String) return append_value(cell, to.values);
  // In a column that is declared a text "None" is a word.
  append_text(cell, declared.dtype == DType::String ? cell.empty() : is_missing(cell), to.values);
  return true;
}

}  // namespace qsohost::inline io_v1
