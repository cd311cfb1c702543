#include "qsohost/object_path.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "qsohost/error.hpp"
#include "qsohost/host/printable.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr std::size_t kLongestName = 255;  // NAME_MAX of Linux

bool is_control(char c) {
  return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
}

[[noreturn]] void refuse(std::string_view source_id, std::string_view why) {
  throw BadObject(fmt::format("source_id '{}' cannot be part of a file name: {}",
                              printable(source_id.substr(0, kLongestName)), why));
}

std::string filled(std::string_view part, std::string_view source_id) {
  std::string out(part);
  for (auto at = out.find(kSourceIdPlaceholder); at != std::string::npos;
       at = out.find(kSourceIdPlaceholder, at + source_id.size())) {
    out.replace(at, kSourceIdPlaceholder.size(), source_id);
  }
  return out;
}

}  // namespace

std::string object_path(std::string_view pattern, std::string_view source_id) {
  if (source_id.empty()) refuse(source_id, "it must not be empty");
  if (source_id.find('/') != std::string_view::npos) refuse(source_id, "it must have no '/'");
  if (std::ranges::any_of(source_id, is_control)) {
    refuse(source_id, "it must have no control character");
  }
  std::string out;
  while (true) {
    const std::size_t end = std::min(pattern.find('/'), pattern.size());
    const std::string_view part = pattern.substr(0, end);
    const std::string name = filled(part, source_id);
    if (name != part && (name == "." || name == "..")) {
      refuse(source_id, fmt::format("'{}' is another folder; it must be the name of a file", name));
    }
    if (name.size() > kLongestName) {
      refuse(source_id, fmt::format("'{}...' has {} bytes; a name has at most {}",
                                    name.substr(0, 20), name.size(), kLongestName));
    }
    out += name;
    if (end == pattern.size()) return out;
    out += '/';
    pattern.remove_prefix(end + 1);
  }
}

}  // namespace qsohost::inline v1
