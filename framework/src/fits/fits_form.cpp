#include "fits/fits_form.hpp"

#include <charconv>

#include "qsohost/names.hpp"

namespace qsohost::inline io_v1 {

namespace {

// Takes a number off the front of the text; `value` stays if there is none.
template <class T>
void take_number(std::string_view& text, T& value) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  text.remove_prefix(static_cast<std::size_t>(result.ptr - text.data()));
}

// Takes the next letter of the text, which is not empty.
char take_letter(std::string_view& text) {
  const char letter = text[0];
  text.remove_prefix(1);
  return letter;
}

}  // namespace

std::optional<FitsForm> parse_form(std::string_view text) {
  FitsForm form;
  take_number(text, form.repeat);
  if (text.empty()) return std::nullopt;
  form.code = take_letter(text);
  if (form.code == 'P' || form.code == 'Q') {
    form.is_array = true;
    form.wide = form.code == 'Q';
    if (text.empty() || form.repeat > 1) return std::nullopt;
    form.code = take_letter(text);
  }
  if (text.starts_with('(')) text.remove_prefix(1);
  take_number(text, form.argument);
  return form;
}

std::optional<FitsTextForm> parse_text_form(std::string_view text) {
  FitsTextForm form;
  text = trimmed(text);
  constexpr std::string_view kCodes = "AIFED";
  if (text.empty() || kCodes.find(text[0]) == std::string_view::npos) return std::nullopt;
  form.code = take_letter(text);
  take_number(text, form.width);
  if (form.code != 'A' && form.code != 'I' && text.starts_with('.')) {
    text.remove_prefix(1);
    take_number(text, form.decimals);
  }
  if (!text.empty()) return std::nullopt;
  return form;
}

std::vector<std::size_t> parse_axes(std::string_view text, std::uint64_t elements) {
  text = trimmed(text);
  if (!text.starts_with('(') || !text.ends_with(')')) return {};
  text = text.substr(1, text.size() - 2);
  std::vector<std::size_t> axes;
  std::uint64_t product = 1;
  while (true) {
    const std::string_view axis = trimmed(text.substr(0, text.find(',')));
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(axis.data(), axis.data() + axis.size(), length);
    const bool is_number = error == std::errc{} && end == axis.data() + axis.size();
    if (!is_number || __builtin_mul_overflow(product, length, &product)) return {};
    axes.push_back(length);
    if (text.find(',') == std::string_view::npos) break;
    text.remove_prefix(text.find(',') + 1);
  }
  return product == elements ? axes : std::vector<std::size_t>();
}

std::size_t element_size(char code) {
  switch (code) {
    case 'L':
    case 'B':
    case 'A':
      return 1;
    case 'I':
      return 2;
    case 'J':
    case 'E':
      return 4;
    case 'K':
    case 'D':
    case 'C':
      return 8;
    case 'M':
      return 16;
    default:
      return 0;
  }
}

char code_of(DType dtype) {
  constexpr std::string_view codes = "LIJKEDA";  // in the order of DType
  return codes[static_cast<std::size_t>(dtype)];
}

DType number_type(char code, double scale, double zero) {
  const bool plain = scale == 1 && zero == 0;
  if (code == 'E') return plain ? DType::F32 : DType::F64;
  if (code == 'D' || scale != 1) return DType::F64;
  if (code == 'B' && (plain || zero == -128)) return DType::I16;
  if (code == 'I') return plain ? DType::I16 : zero == 0x1p15 ? DType::I32 : DType::F64;
  if (code == 'J') return plain ? DType::I32 : zero == 0x1p31 ? DType::I64 : DType::F64;
  if (code == 'K' && (plain || zero == kUnsigned64)) return DType::I64;
  return DType::F64;
}

DType text_number_type(const FitsTextForm& form, double scale, double zero) {
  constexpr std::size_t kFitsI32 = 9;
  if (form.code != 'I' || scale != 1 || zero != 0) return DType::F64;
  return form.width <= kFitsI32 ? DType::I32 : DType::I64;
}

}  // namespace qsohost::inline io_v1
