#include "votable/votable_field.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "qsohost/io/text.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline io_v1 {

namespace {

// The bytes of as many arrays of so many elements as a length can say fit into 64 bits.
constexpr std::uint64_t kMostElements = std::uint64_t{1} << 28;

struct TypeFacts {
  std::string_view name;
  VoType type;
  std::uint64_t bytes;  // of an element in BINARY
  DType dtype;
  std::string_view problem;
};

// VOTable 1.4, table 1. Indexed by VoType.
constexpr std::array<TypeFacts, 13> kTypes{{
    {"", VoType::Unknown, 0, DType::String, ""},
    {"boolean", VoType::Boolean, 1, DType::Bool, ""},
    {"bit", VoType::Bit, 0, DType::Bool, "it holds arrays of bits"},
    {"unsignedByte", VoType::UnsignedByte, 1, DType::I16, ""},
    {"short", VoType::Short, 2, DType::I16, ""},
    {"int", VoType::Int, 4, DType::I32, ""},
    {"long", VoType::Long, 8, DType::I64, ""},
    {"char", VoType::Char, 1, DType::String, ""},
    {"unicodeChar", VoType::UnicodeChar, 2, DType::String, ""},
    {"float", VoType::Float, 4, DType::F32, ""},
    {"double", VoType::Double, 8, DType::F64, ""},
    {"floatComplex", VoType::FloatComplex, 8, DType::F32, "it holds complex numbers"},
    {"doubleComplex", VoType::DoubleComplex, 16, DType::F64, "it holds complex numbers"},
}};

const TypeFacts& facts_of(VoType type) {
  return kTypes[static_cast<std::size_t>(type)];
}

std::optional<std::uint64_t> parse_dimension(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), value);
  if (error != std::errc{} || end != text.end() || value > kMostElements) return std::nullopt;
  return value;
}

struct Dimensions {
  std::vector<std::uint64_t> sizes;  // without the last one if that is of any size
  bool is_variable = false;
};

// "8x3x*" has the sizes 8 and 3 and is variable; none if it is no arraysize.
std::optional<Dimensions> parse_dimensions(std::string_view text) {
  Dimensions out;
  while (true) {
    const std::size_t x = std::min(text.find('x'), text.size());
    const std::string_view one = trimmed(text.substr(0, x));
    const bool is_last = x == text.size();
    if (is_last && one.ends_with('*')) {
      const std::string_view most = one.substr(0, one.size() - 1);
      if (!most.empty() && !parse_dimension(most)) return std::nullopt;
      out.is_variable = true;
      return out;
    }
    const auto size = parse_dimension(one);
    if (!size) return std::nullopt;
    out.sizes.push_back(*size);
    if (is_last) return out;
    text.remove_prefix(x + 1);
  }
}

}  // namespace

VoField::VoField(const XmlAttributes& attributes, std::size_t position) : ref(attributes["ref"]) {
  for (const std::string_view name : {attributes["name"], attributes["ID"]}) {
    if (column.info.name.empty()) column.info.name = name;
  }
  if (column.info.name.empty()) column.info.name = fmt::format("col{}", position);
  column.info.unit = attributes["unit"];
  const std::string_view datatype = attributes["datatype"];
  const auto it = std::ranges::find(kTypes, datatype, &TypeFacts::name);
  if (datatype.empty() || it == kTypes.end()) {
    column.problem = fmt::format("its datatype '{}' is none that VOTables have", datatype);
    return;
  }
  type = it->type;
  set_arraysize(attributes["arraysize"]);
}

void VoField::set_arraysize(std::string_view text) {
  if (text.empty()) return set_column();
  const auto dimensions = parse_dimensions(text);
  for (const std::uint64_t size : dimensions.value_or(Dimensions()).sizes) {
    if (elements <= kMostElements) elements *= size;
  }
  if (!dimensions || elements > kMostElements) {
    type = VoType::Unknown;
    column.problem = fmt::format("its arraysize '{}' is none", text);
    return;
  }
  is_variable = dimensions->is_variable;
  std::vector<std::uint64_t> shape = dimensions->sizes;
  if (is_text() && shape.size() + (is_variable ? 1 : 0) > 1) {
    text_length = shape.front();
    shape.erase(shape.begin());
  }
  if (shape.size() > 1 && !is_variable && elements > 0) {
    column.info.shape.assign(shape.begin(), shape.end());
  }
  set_column();
}

void VoField::set_column() {
  const TypeFacts& facts = facts_of(type);
  column.info.dtype = facts.dtype;
  const bool is_one_bit = type == VoType::Bit && elements == 1 && !is_variable;
  if (!is_one_bit) column.problem = facts.problem;
  if (is_text()) {
    column.not_integer = fmt::format("its header declares it a text ({})", facts.name);
    column.not_number = column.not_integer;
    if (text_length == 0) return;
    if (is_variable) column.problem = "it holds arrays of texts of varying length";
    column.info.width = std::max<std::size_t>(1, elements / text_length);
  } else if (is_variable) {
    column.is_array = true;
  } else {
    column.info.width = std::max<std::size_t>(1, elements);
  }
  if (elements == 0 && !is_variable) column.problem = "it has no values";
}

void VoField::set_null(std::string_view text) {
  if (text.empty()) return;
  null = text;
  null_integer = parse_int(text);
  null_number = parse_double(text);
}

std::uint64_t VoField::bytes_of(std::uint64_t count) const {
  return type == VoType::Bit ? (count + 7) / 8 : count * facts_of(type).bytes;
}

void bad_cell(const VoField& field, std::string_view what) {
  throw BadData(fmt::format("column '{}': {}", field.column.info.name, what));
}

}  // namespace qsohost::inline io_v1
