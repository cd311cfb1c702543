#include "text/ecsv_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "text/text_layout.hpp"
#include "text/unicode.hpp"
#include "text/yaml.hpp"

namespace qsohost::inline io_v1 {

namespace {

// Unsigned 64-bit integers beyond those with a sign make a column of texts.
constexpr std::array<std::pair<std::string_view, DType>, 14> kTypes{{{"bool", DType::Bool},
                                                                     {"int8", DType::I16},
                                                                     {"uint8", DType::I16},
                                                                     {"int16", DType::I16},
                                                                     {"uint16", DType::I32},
                                                                     {"int32", DType::I32},
                                                                     {"uint32", DType::I64},
                                                                     {"int64", DType::I64},
                                                                     {"uint64", DType::I64},
                                                                     {"float16", DType::F32},
                                                                     {"float32", DType::F32},
                                                                     {"float64", DType::F64},
                                                                     {"float128", DType::F64},
                                                                     {"string", DType::String}}};

std::optional<DType> dtype_called(std::string_view name) {
  const auto* found = std::ranges::find(kTypes, name, &std::pair<std::string_view, DType>::first);
  return found == kTypes.end() ? std::nullopt : std::optional(found->second);
}

// The shape of arrays: "3", "2,3" (of which 3 is the faster), or "null" for any length.
void read_shape(std::string_view shape, CellType& out) {
  constexpr std::size_t kMost = 10'000;  // an empty cell takes as much memory as a full one
  if (trimmed(shape) == "null") {
    out.is_array = true;
    return;
  }
  std::size_t width = 1;
  std::vector<std::size_t> axes;
  for (const std::string_view length : cells_of(shape, ',')) {
    std::size_t& n = axes.emplace_back();
    const auto [stop, error] = std::from_chars(length.data(), length.data() + length.size(), n);
    const bool is_number = error == std::errc{} && stop == length.data() + length.size();
    if (!is_number || n == 0 || n > kMost / width) {
      out.problem = fmt::format("it has arrays of shape [{}], which are not read", shape);
      return;
    }
    width *= n;
  }
  out.width = width;
  if (axes.size() > 1) out.shape.assign(axes.rbegin(), axes.rend());
}

// Type of the elements, with their number in brackets: float64[3]. JSON of another shape is a text.
void read_subtype(std::string_view subtype, CellType& out) {
  const std::size_t bracket = subtype.find('[');
  const auto element = dtype_called(subtype.substr(0, bracket));
  if (!element || bracket == std::string_view::npos || subtype.back() != ']') return;
  out.name = subtype;
  out.dtype = element;
  out.is_list = true;
  read_shape(subtype.substr(bracket + 1, subtype.size() - bracket - 2), out);
  if (out.is_array && element == DType::String) {
    out.problem = "it has arrays of texts of any length, which are not read";
  }
}

struct Declared {
  std::vector<TableField> fields;
  std::vector<CellType> types;
};

void add_column(const YamlLines& item, Declared& out) {
  auto entries = yaml_scalars(item);
  CellType type{.name = entries["datatype"]};
  const std::size_t line = item.empty() ? 0 : item.front().number;
  if (entries["name"].empty() || type.name.empty()) {
    throw BadObject(
        fmt::format("line {}: a column of an ECSV header must have a name and a datatype", line));
  }
  type.dtype = dtype_called(type.name);
  if (!type.dtype) type.problem = fmt::format("its datatype {} is not read", shown(type.name));
  if (type.dtype == DType::String) read_subtype(entries["subtype"], type);
  out.fields.push_back({.name = std::string(trimmed(entries["name"])),
                        .unit = entries["unit"],
                        .description = one_line(entries["description"]),
                        .is_text = type.dtype == DType::String && !type.is_list});
  out.types.push_back(std::move(type));
}

// The YAML, without the line that says %ECSV.
YamlLines header_lines(std::string_view text, char line_end) {
  YamlLines out;
  Lines lines(text, line_end);
  for (std::string_view line; lines.next(line) && line.starts_with('#');) {
    line.remove_prefix(1);
    if (line.starts_with(' ')) line.remove_prefix(1);
    if (lines.number() > 1 && trimmed(line) != "---") {
      out.push_back(yaml_line(line, lines.number()));
    }
  }
  return out;
}

char separator_called(const std::string& delimiter, std::size_t line) {
  if (delimiter.size() == 1 && std::ranges::find(kSeparators, delimiter[0]) != kSeparators.end()) {
    return delimiter[0];
  }
  throw BadObject(
      fmt::format("line {}: the delimiter '{}' of the ECSV header must be a blank or "
                  "a comma",
                  line, shown(delimiter)));
}

}  // namespace

void LineReader::declare(std::vector<TableField> fields, std::vector<CellType> types) {
  if (fields.size() != columns_.size()) {
    throw BadObject(fmt::format(
        "line {}: {} columns, where the header above declares {}; there must be as many", line_,
        columns_.size(), fields.size()));
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == columns_[i]) continue;
    throw BadObject(fmt::format(
        "line {}: column {} is '{}', where the header above declares '{}'; they must be the same",
        line_, i + 1, shown(columns_[i]), shown(fields[i].name)));
  }
  fields_ = std::move(fields);
  types_ = std::move(types);
}

std::unique_ptr<LineReader> read_ecsv(std::string_view text, char line_end) {
  const auto header = yaml_mapping(header_lines(text, line_end));
  Declared columns;
  if (const auto datatype = header.find("datatype"); datatype != header.end()) {
    for (const YamlLines& item : yaml_items(datatype->second)) add_column(item, columns);
  }
  if (columns.fields.empty()) {
    throw BadObject("line 1: the ECSV header declares no columns; it must have a datatype");
  }
  SeparatedLayout layout{.separator = ' ', .line_end = line_end};
  if (const auto delimiter = header.find("delimiter"); delimiter != header.end()) {
    layout.separator =
        separator_called(yaml_scalar(delimiter->second), delimiter->second.front().number);
  }
  auto rows = read_separated(text, layout, TableOrigin::User);
  rows->declare(std::move(columns.fields), std::move(columns.types));
  return rows;
}

}  // namespace qsohost::inline io_v1
