// The part of YAML in which headers of ECSV are written: mappings and lists of mappings, in block
// and flow style, with plain, quoted and folded scalars. Whatever else there is (metadata of any
// depth) is passed over.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace qsohost::inline io_v1 {

struct YamlLine {
  std::size_t number = 0;  // in the file, for messages
  std::size_t indent = 0;
  std::string_view text;  // without the indent
};
using YamlLines = std::vector<YamlLine>;

YamlLine yaml_line(std::string_view line, std::size_t number);

// What follows each key of a block mapping. Throws BadObject where there is no key.
std::map<std::string, YamlLines> yaml_mapping(const YamlLines& lines);
// The items of a block list.
std::vector<YamlLines> yaml_items(const YamlLines& lines);
// A scalar on one line; "" for null. What a nested value becomes is of no use.
std::string yaml_scalar(const YamlLines& lines);
// The scalars of a mapping in either style, by their keys.
std::map<std::string, std::string> yaml_scalars(const YamlLines& lines);

}  // namespace qsohost::inline io_v1
