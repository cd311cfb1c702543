#include "text/xml_markup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "qsohost/error.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr int kDeepest = 100;
constexpr std::size_t kLongestName = 64;  // of an entity, in messages

// What is skipped as a whole.
struct Span {
  std::string_view begin, end;
};
constexpr std::array<Span, 3> kSpans{{{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}}};

// `before`: what stands before the place.
[[noreturn]] void refuse(std::string_view before, std::string_view what) {
  const auto lines = std::ranges::count(before, '\n');
  const std::size_t column = before.size() - (before.rfind('\n') + 1);  // npos + 1 is 0
  throw BadObject(fmt::format("line {}, column {}: {}", lines + 1, column + 1, what));
}

// Of a reference that begins with '&'; empty if that '&' is none, as in an address.
std::string_view entity_name(std::string_view text) {
  const auto is_in_name = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("_-.:").find(c) != std::string_view::npos;
  };
  text = text.substr(1, kLongestName);
  const auto end = std::ranges::find_if_not(text, is_in_name);
  if (end == text.end() || *end != ';') return {};
  return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

[[noreturn]] void refuse_entity(std::string_view before, std::string_view name) {
  refuse(before,
         fmt::format("the entity '&{};' is none of XML's own; write what it stands for", name));
}

bool is_known(std::string_view entity) {
  constexpr std::array<std::string_view, 5> kKnown{"amp", "lt", "gt", "quot", "apos"};
  return std::ranges::find(kKnown, entity) != kKnown.end();
}

}  // namespace

void check_markup(std::string_view markup) {
  int depth = 0;
  for (std::size_t at = 0; (at = markup.find_first_of("<&", at)) != std::string_view::npos; ++at) {
    const std::string_view rest = markup.substr(at);
    if (rest.front() == '&') {
      const std::string_view name = entity_name(rest);
      if (name.empty() || is_known(name)) continue;
      refuse_entity(markup.substr(0, at), name);
    }
    if (rest.starts_with("<!ENTITY")) {
      refuse(markup.substr(0, at), "the declaration of an entity; a table must have none");
    }
    const auto span =
        std::ranges::find_if(kSpans, [&](const Span& s) { return rest.starts_with(s.begin); });
    if (span != kSpans.end()) {
      at = std::min(markup.find(span->end, at + span->begin.size()), markup.size() - 1);
      continue;
    }
    if (rest.starts_with("<!")) continue;
    if (rest.starts_with("</")) {
      --depth;
      continue;
    }
    const std::size_t end = markup.find('>', at);
    const bool is_empty = end != std::string_view::npos && markup[end - 1] == '/';
    if (!is_empty && ++depth > kDeepest) {
      refuse(markup.substr(0, at),
             fmt::format("too many elements inside each other; there can be at most {}", kDeepest));
    }
  }
}

}  // namespace qsohost::inline io_v1
