// What an answer, or the lack of one, means for a question.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "http/transfers.hpp"

namespace qsohost::inline v1 {

enum class Severity : std::uint8_t {
  Answer,     // for the plugin to look at
  Trouble,    // the archive has enough, or is broken: again, later
  Refusal,    // "you asked something wrong", which archives say wrongly at times: again, not often
  Final,      // asking again would give the same
  HostFinal,  // whatever one asks there
  Forbidden,  // nobody is let in with this token, or without one: the same for all objects
};

struct Judgement {
  Severity meaning = Severity::Answer;
  std::string reason;  // of all but Answer
  bool is_unreachable = false;
  std::optional<std::chrono::seconds> retry_after;
};

// `accepted`: see Request::accept.
Judgement judge_transfer(const TransferEnd& end, const std::vector<int>& accepted = {});

// "Later", which no plugin can take for an answer.
bool means_later(int status);

// How often a Refusal is asked, at most.
constexpr int kMostRefusals = 3;

// "1800" or an HTTP date (RFC 9110, 10.2.3), from `now` on, seconds since 1970; none if it is
// neither. Some servers write the moment as such a number too. Never more than a year.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, std::int64_t now);

// The same of an answer, by the clock of whoever wrote it (its Date), if it says.
std::optional<std::chrono::seconds> retry_after(const Response& response);

// "HTTP 400: the query was not understood": status and the first words of the body.
std::string describe(const Response& response);

}  // namespace qsohost::inline v1
