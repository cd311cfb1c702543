#include "columns.hpp"

#include <fmt/format.h>

#include <charconv>
#include <map>

#include "qsohost/error.hpp"

namespace qsohost::skysim {

namespace {

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(at, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

DType type_of(std::string_view name) {
  static const std::map<std::string_view, DType> types{
      {"bool", DType::Bool},   {"int16", DType::I16},    {"int32", DType::I32},
      {"int64", DType::I64},   {"float32", DType::F32},  {"float64", DType::F64},
      {"char", DType::String}, {"string", DType::String}};
  const auto it = types.find(name);
  if (it == types.end()) throw RunError(fmt::format("no column type '{}'", name));
  return it->second;
}

ColumnSpec spec_of(std::string_view line) {
  const auto cells = split(line, '\t');
  if (cells.size() != 5) throw RunError(fmt::format("not five fields: '{}'", line));
  ColumnSpec spec;
  spec.info.name = cells[0];
  spec.info.unit = cells[2];
  spec.info.description = cells[3];
  const std::string_view type = cells[1].substr(0, cells[1].find('['));
  spec.info.dtype = type_of(type);
  std::string_view count = cells[1].substr(type.size());
  if (count == "[]") {
    spec.axis = cells[4];
  } else {
    spec.fill = cells[4];
    // char[n] is one text; otherwise there are n numbers.
    if (!count.empty() && type != "char") {
      count.remove_prefix(1);
      std::from_chars(count.data(), count.data() + count.size(), spec.info.width);
    }
  }
  return spec;
}

std::map<std::string_view, std::vector<ColumnSpec>> read_lists() {
  std::map<std::string_view, std::vector<ColumnSpec>> tables;
  for (const ColumnList& list : column_lists()) {
    auto lines = split(list.text, '\n');
    for (std::size_t i = 1; i < lines.size(); ++i) {  // the first one is a header
      if (!lines[i].empty()) tables[list.name].push_back(spec_of(lines[i]));
    }
  }
  return tables;
}

}  // namespace

const std::vector<ColumnSpec>& columns_of(std::string_view table) {
  static const auto tables = read_lists();
  const auto it = tables.find(table);
  if (it == tables.end()) throw RunError(fmt::format("there is no table '{}'", table));
  return it->second;
}

}  // namespace qsohost::skysim
