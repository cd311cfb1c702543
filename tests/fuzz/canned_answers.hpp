// An archive whose answers are the fuzzer's input: parts that begin with a line
//
//   @@@ STATUS[?] WORD Name: value
//
// STATUS with "?": its end is not announced; WORD: sent to requests that have it in their URL or
// body
// ("*": to all). Each part is sent once, in order; the last that fits is sent again.
#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/error.hpp"
#include "qsohost/http.hpp"

namespace qsohost::fuzz {

class CannedAnswers {
 public:
  explicit CannedAnswers(std::string_view input) {
    constexpr std::string_view mark = "@@@ ";
    while (input.starts_with(mark)) {
      const std::size_t end = std::min(input.find("\n@@@ "), input.size());
      parts_.push_back(part(input.substr(mark.size(), end - mark.size())));
      input.remove_prefix(std::min(end + 1, input.size()));
    }
  }

  // No conversation needs as many for these inputs as are allowed here.
  Response operator()(const Request& request) {
    constexpr int most = 300;
    if (++requests_ > most) throw RunError("too many requests");
    Part* last = nullptr;
    for (Part& part : parts_) {
      if (!fits(part, request)) continue;
      last = &part;
      if (!part.is_sent) break;
    }
    Response response;
    response.url = request.url;
    response.status = 404;
    if (last == nullptr) return response;
    last->is_sent = true;
    response = last->response;
    response.url = request.url;
    return response;
  }

 private:
  struct Part {
    std::string_view word;
    Response response;
    bool is_sent = false;
  };

  static std::string_view next_word(std::string_view& line) {
    const std::string_view word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(word.size() + 1, line.size()));
    return word;
  }

  static Part part(std::string_view text) {
    Part part;
    std::string_view line = text.substr(0, text.find('\n'));
    part.response.body = text.substr(std::min(line.size() + 1, text.size()));
    const std::string_view status = next_word(line);
    std::from_chars(status.data(), status.data() + status.size(), part.response.status);
    part.response.is_end_known = !status.ends_with('?');
    part.word = next_word(line);
    if (const std::size_t colon = line.find(": "); colon != line.npos) {
      part.response.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    return part;
  }

  static bool fits(const Part& part, const Request& request) {
    return part.word == "*" || request.url.find(part.word) != request.url.npos ||
           request.body.find(part.word) != request.body.npos;
  }

  std::vector<Part> parts_;
  int requests_ = 0;
};

}  // namespace qsohost::fuzz
