#include "fits/fits_decode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "fits/fits_bytes.hpp"
#include "fits/fits_form.hpp"
#include "fits/fits_swap.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline io_v1 {

std::string_view cell_text(const FieldPlace& place, const std::byte* from) {
  std::string_view text(reinterpret_cast<const char*>(from), place.element_bytes);
  text = text.substr(0, text.find('\0'));
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

namespace {

std::uint64_t without_sign(std::int64_t raw) {
  return static_cast<std::uint64_t>(raw) ^ (std::uint64_t{1} << 63);
}

template <class Raw, class T>
T converted(Raw raw, const FieldPlace& place) {
  if constexpr (std::is_integral_v<T> && std::is_integral_v<Raw>) {
    if (place.zero == kUnsigned64) {  // values beyond become negative
      return static_cast<T>(without_sign(static_cast<std::int64_t>(raw)));
    }
    return static_cast<T>(static_cast<std::int64_t>(raw) + static_cast<std::int64_t>(place.zero));
  } else if constexpr (std::is_same_v<T, double>) {
    return place.zero + place.scale * static_cast<double>(raw);
  } else {
    return static_cast<T>(raw);
  }
}

template <class Raw>
void mark_nulls(std::int64_t null, const StoredCells& cells, Column& out, std::size_t at) {
  for (std::size_t row = 0; row < cells.rows; ++row) {
    const std::byte* from = cells.from + row * cells.stride;
    for (std::size_t i = 0; i < cells.width; ++i, ++at) {
      if (load_be<Raw>(from + i * sizeof(Raw)) == null) out.set_null(at);
    }
  }
}

template <class Raw, class T>
void decode_as(const FieldPlace& place, const StoredCells& cells, Column& out, std::size_t at) {
  const std::size_t width = cells.width;
  T* to = out.values<T>().subspan(at, cells.rows * width).data();
  const bool is_plain = std::is_same_v<Raw, T> && place.scale == 1 && place.zero == 0;
  for (std::size_t row = 0; row < cells.rows; ++row, to += width) {
    const std::byte* from = cells.from + row * cells.stride;
    if (is_plain && width == 1) {
      *to = load_be<T>(from);
    } else if (is_plain) {
      copy_swapped(reinterpret_cast<std::byte*>(to), from, width, sizeof(T));
    } else {
      for (std::size_t i = 0; i < width; ++i) {
        to[i] = converted<Raw, T>(load_be<Raw>(from + i * sizeof(Raw)), place);
      }
    }
  }
  if constexpr (std::is_integral_v<Raw>) {
    if (place.null) mark_nulls<Raw>(*place.null, cells, out, at);
  }
}

template <class Raw>
void decode_number(const FieldPlace& place, const StoredCells& cells, Column& out, std::size_t at) {
  switch (out.dtype()) {
    case DType::I16:
      return decode_as<Raw, std::int16_t>(place, cells, out, at);
    case DType::I32:
      return decode_as<Raw, std::int32_t>(place, cells, out, at);
    case DType::I64:
      return decode_as<Raw, std::int64_t>(place, cells, out, at);
    case DType::F32:
      return decode_as<Raw, float>(place, cells, out, at);
    default:
      return decode_as<Raw, double>(place, cells, out, at);
  }
}

// In arrays astropy writes the numbers 0 and 1 instead of the letters F and T. Unless the header
// declares letters, only an array with letters can have nulls.
void decode_bools(const StoredCells& cells, Column& out, std::size_t at, bool may_be_numbers) {
  const std::size_t width = cells.width;
  const auto to = out.values<bool>().subspan(at, cells.rows * width);
  const auto is_letter = [](std::byte b) { return b == std::byte{'T'} || b == std::byte{'F'}; };
  for (std::size_t row = 0; row < cells.rows; ++row) {
    const std::byte* from = cells.from + row * cells.stride;
    const bool has_nulls = !may_be_numbers || std::any_of(from, from + width, is_letter);
    for (std::size_t i = 0; i < width; ++i) {
      const std::size_t k = row * width + i;
      to[k] = from[i] == std::byte{'T'} || from[i] == std::byte{1} ? 1 : 0;
      if (has_nulls && from[i] == std::byte{0}) out.set_null(at + k);
    }
  }
}

std::string_view without_plus(std::string_view text) {
  return text.starts_with('+') ? text.substr(1) : text;
}

// The number that the whole text is, or none.
template <class T>
std::optional<T> parsed(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The text as from_chars() takes it: an exponent with E, and the point that the form puts into
// digits without one.
std::string plain_number(std::string_view text, std::size_t decimals) {
  std::string out(without_plus(text));
  std::ranges::replace_if(
      out, [](char c) { return c == 'D' || c == 'd' || c == 'e'; }, 'E');
  const std::size_t end = std::min(out.find('E'), out.size());
  const std::string_view digits = std::string_view(out).substr(0, end);
  if (decimals == 0 || digits.find_first_not_of("+-0123456789") != std::string_view::npos) {
    return out;
  }
  const auto exponent =
      end == out.size() ? std::int64_t{0}
                        : parsed<std::int64_t>(without_plus(std::string_view(out).substr(end + 1)));
  if (!exponent) return out;
  return fmt::format("{}E{}", digits, *exponent - static_cast<std::int64_t>(decimals));
}

template <class T>
bool store_integer(std::string_view text, bool is_null, Column& out, std::size_t at) {
  const auto number = is_null ? T{0} : parsed<T>(without_plus(text));
  if (!number) return false;
  out.values<T>()[at] = *number;
  if (is_null) out.set_null(at);
  return true;
}

// One value: digits, or a text that a null may be declared for.
void append_text_or_null(const FieldPlace& place, const std::byte* from, Column& out) {
  bool is_null = false;
  if (place.code == 'K') {
    const auto raw = load_be<std::int64_t>(from);
    is_null = place.null == raw;
    out.append_string(is_null ? "" : std::to_string(without_sign(raw)));
  } else {
    const std::string_view text = cell_text(place, from);
    const std::string_view inner = trimmed(text);
    is_null = place.null_text == inner || (inner.empty() && place.code != 'A');
    out.append_string(is_null ? "" : place.code == 'A' ? text : without_plus(inner));
  }
  if (is_null) out.set_null(out.strings().size() - 1);
}

}  // namespace

void decode(const FieldPlace& place, const StoredCells& cells, Column& out, std::size_t at,
            bool is_array) {
  switch (place.code) {
    case 'L':
      return decode_bools(cells, out, at, is_array && !place.letters);
    case 'B':
      return decode_number<std::uint8_t>(place, cells, out, at);
    case 'I':
      return decode_number<std::int16_t>(place, cells, out, at);
    case 'J':
      return decode_number<std::int32_t>(place, cells, out, at);
    case 'K':
      return decode_number<std::int64_t>(place, cells, out, at);
    case 'E':
      return decode_number<float>(place, cells, out, at);
    default:
      return decode_number<double>(place, cells, out, at);
  }
}

void append_texts(const FieldPlace& place, const StoredCells& cells, Column& out) {
  for (std::size_t row = 0; row < cells.rows; ++row) {
    const std::byte* from = cells.from + row * cells.stride;
    for (std::size_t i = 0; i < cells.width; ++i, from += place.element_bytes) {
      if (place.code == 'A' && !place.null_text) {
        out.append_string(cell_text(place, from));
      } else {
        append_text_or_null(place, from, out);
      }
    }
  }
}

bool decode_text_number(const FieldPlace& place, const std::byte* from, Column& out,
                        std::size_t at) {
  const std::string_view text = trimmed(cell_text(place, from));
  const bool is_null = text.empty() || place.null_text == text;
  if (out.dtype() == DType::I32) return store_integer<std::int32_t>(text, is_null, out, at);
  if (out.dtype() == DType::I64) return store_integer<std::int64_t>(text, is_null, out, at);
  const auto number = is_null ? std::numeric_limits<double>::quiet_NaN()
                              : parsed<double>(plain_number(text, place.decimals));
  if (!number) return false;
  out.values<double>()[at] = place.zero + place.scale * *number;
  return true;
}

bool is_beyond_i64(const FieldPlace& place, const std::byte* from) {
  const std::string_view text = without_plus(trimmed(cell_text(place, from)));
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc::result_out_of_range;
}

}  // namespace qsohost::inline io_v1
