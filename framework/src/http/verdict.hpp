// What an answer, or the lack of one, means for a question.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "http/transfers.hpp"

namespace qsohost::inline v1 {

enum class Meaning : std::uint8_t {
  Answer,     // for the plugin to look at
  Trouble,    // the archive has enough, or is broken: again, later
  Refusal,    // "you asked something wrong", which archives say wrongly at times: again, not often
  Final,      // asking again would give the same
  HostFinal,  // whatever one asks there
};

struct Verdict {
  Meaning meaning = Meaning::Answer;
  std::string reason;  // of all but Answer
  bool is_unreachable = false;
  std::optional<std::chrono::seconds> retry_after;
};

Verdict judge_transfer(const TransferEnd& end);

// How often a Refusal is asked, at most.
constexpr int kMostRefusals = 3;

// "1800" or an HTTP date (RFC 9110, 10.2.3), from now on; none if it is neither.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, std::int64_t now);

// "HTTP 400: the query was not understood": status and the first words of the body.
std::string describe(const Response& response);

}  // namespace qsohost::inline v1
