#include "http/tap_answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "http/judgement.hpp"
#include "qsohost/error.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

// One line of 300 characters at most.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : trimmed(text).substr(0, 300)) {
    const bool is_blank = kBlanks.find(c) != kBlanks.npos;
    if (!is_blank) {
      out += c;
    } else if (out.back() != ' ') {
      out += ' ';
    }
  }
  return out;
}

// The text up to the next tag; the content of a <![CDATA[...]]>.
std::string_view content_of(std::string_view text) {
  constexpr std::string_view cdata = "<![CDATA[";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  if (!text.starts_with(cdata)) return text.substr(0, text.find('<'));
  text.remove_prefix(cdata.size());
  return text.substr(0, text.find("]]>"));
}

struct QueryStatus {
  std::string_view value;
  std::string_view words;
};

// The INFO element with QUERY_STATUS (DALI 1.1, 4.4), from `at` on. Not parsed as XML, since a
// table may be hundreds of MB. Moves `at` behind it. A limit of the tag's length keeps this linear
// in the length of the body, whatever it holds.
std::optional<QueryStatus> next_status(std::string_view body, std::size_t& at) {
  constexpr std::size_t longest = 1000;  // before the word, and after
  while ((at = body.find("QUERY_STATUS", at)) != body.npos) {
    const std::size_t first = at - std::min(at, longest);
    const std::size_t begin = body.substr(first, at - first).rfind('<');
    const std::size_t length = body.substr(at, longest).find('>');
    const std::size_t end = at + length;
    at += 1;
    if (begin == body.npos || length == body.npos) continue;
    const std::string_view tag = body.substr(first + begin, end - first - begin);
    if (!tag.substr(0, tag.find_first_of(kBlanks)).ends_with("INFO")) continue;
    const std::size_t value = tag.find("value=");
    if (value == tag.npos || value + 7 > tag.size()) continue;
    const std::string_view rest = tag.substr(value + 7);
    const bool has_words = !tag.ends_with('/');
    return QueryStatus{rest.substr(0, rest.find(tag[value + 6])),
                       has_words ? content_of(body.substr(end + 1)) : std::string_view{}};
  }
  return std::nullopt;
}

std::optional<QueryStatus> find_status(std::string_view body, std::string_view value) {
  if (!trimmed(body.substr(0, 1000)).starts_with('<')) return std::nullopt;
  std::size_t at = 0;
  while (const auto status = next_status(body, at)) {
    if (status->value == value) return status;
  }
  return std::nullopt;
}

bool is_html(std::string_view body) {
  const std::string begin = lower_case(trimmed(body.substr(0, 1000)).substr(0, 14));
  return begin.starts_with("<!doctype html") || begin.starts_with("<html");
}

// Rows of separated values after the header line; a quoted line end belongs to its cell.
std::int64_t rows_in(std::string_view body) {
  std::int64_t lines = 0;
  bool is_quoted = false;
  bool is_empty = true;
  for (const char c : body) {
    if (c == '"') is_quoted = !is_quoted;
    if (c == '\n' && !is_quoted) {
      if (!is_empty) ++lines;
      is_empty = true;
    } else if (kBlanks.find(c) == kBlanks.npos) {
      is_empty = false;
    }
  }
  return lines - (is_empty ? 1 : 0);
}

// Some services' pages have it as <li><b>Message: </b>the text</li>; default: the page's first
// words.
std::string html_words(const Response& response) {
  constexpr std::string_view mark = "<b>Message: </b>";
  const std::string_view body = response.body;
  const std::size_t at = body.find(mark);
  if (at == body.npos) return describe(response);
  return one_line(content_of(body.substr(at + mark.size())));
}

}  // namespace

void check_tap_answer(const Response& response) {
  const std::string_view body = response.body;
  const std::string_view text = trimmed(body.substr(0, 100));
  if (text.empty()) throw TryAgain("the archive sent an empty answer");
  if (text == "null") throw TryAgain("the archive answered null");
  if (is_html(body)) {
    throw TryAgain(fmt::format("a page instead of a table: {}", html_words(response)));
  }
  if (const auto error = find_status(body, "ERROR")) {
    const std::string words = one_line(error->words);
    throw TryAgain(fmt::format("the archive answered QUERY_STATUS ERROR: {}",
                               words.empty() ? "(no reason given)" : words));
  }
}

bool may_be_cut(const Response& response) {
  if (response.is_end_known) return false;
  const std::string_view body = response.body;
  return !body.substr(0, body.find_last_not_of(kBlanks) + 1).ends_with("VOTABLE>");
}

bool has_overflow(const std::string& body, const TapQuery& query) {
  if (find_status(body, "OVERFLOW")) return true;
  const std::string format = lower_case(query.format);
  const bool is_lines = format.find("csv") != format.npos || format.find("tsv") != format.npos;
  if (query.max_rows <= 0 || !is_lines || body.starts_with('<')) return false;
  return rows_in(body) >= query.max_rows;
}

std::string tap_error_words(const Response& response) {
  if (is_html(response.body)) return html_words(response);
  if (const auto error = find_status(response.body, "ERROR")) return one_line(error->words);
  return one_line(response.body);
}

std::string tap_phase(std::string_view body) {
  std::string phase(trimmed(body).substr(0, 40));
  std::ranges::transform(phase, phase.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return phase;
}

}  // namespace qsohost::inline v1
