// What a response, or the lack of one, means for a request.
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
  Problem,    // the archive is overloaded or broken: retry later
  Refusal,    // "bad request", which archives send wrongly at times: few retries
  Final,      // a retry would give the same
  HostFinal,  // for every request to this archive
  Forbidden,  // this token is wrong, or one is missing: the same for all objects
};

struct Judgement {
  Severity meaning = Severity::Answer;
  std::string reason;  // empty for Answer
  bool is_unreachable = false;
  std::optional<std::chrono::seconds> retry_after;
  bool is_denied = false;  // a Refusal that may hold for all objects: see Archive::denies_all()
};

// `accepted`: see Request::accept.
Judgement judge_transfer(const TransferEnd& end, const std::vector<int>& accepted = {});

// "Later", which no plugin can accept as an answer.
bool means_later(int status);

// Attempts for a Refusal, at most.
constexpr int kMostRefusals = 3;

// "1800" or an HTTP date (RFC 9110, 10.2.3), relative to `now`, seconds since 1970; none if it is
// neither. Some servers send the timestamp as such a number too. Never more than a year.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, std::int64_t now);

// The same for a response, by the server's clock (its Date) if it is given.
std::optional<std::chrono::seconds> retry_after(const Response& response);

// "HTTP 400: the query was not understood": status and the first words of the body.
std::string describe(const Response& response);

}  // namespace qsohost::inline v1
