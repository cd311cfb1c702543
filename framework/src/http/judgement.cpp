#include "http/judgement.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <ctime>

namespace qsohost::inline v1 {

namespace {

// Text without tags, on one line. Of a long one the beginning and the end: archives repeat the
// request before they say what is wrong with it.
std::string words_of(std::string_view body) {
  std::string out;
  bool in_tag = false;
  for (const char c : body.substr(0, 4000)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '<') in_tag = true;
    const bool is_gap = in_tag || std::isspace(byte) != 0;
    if (c == '>') in_tag = false;
    if (is_gap) {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else if (byte >= 32 && byte < 127) {
      out += c;
    }
  }
  while (out.ends_with(' ')) out.pop_back();
  constexpr std::size_t begin = 120;
  constexpr std::size_t end = 180;
  if (out.size() <= begin + end) return out;
  return out.substr(0, begin) + " ... " + out.substr(out.size() - end);
}

Judgement judge_status(const Response& response, const std::vector<int>& accepted) {
  const int status = response.status;
  if (status >= 200 && status < 300) return {};
  if (std::ranges::find(accepted, status) != accepted.end()) return {};
  Judgement verdict;
  verdict.reason = describe(response);
  if (means_later(status) || status >= 500) {
    verdict.meaning = Severity::Problem;
    verdict.retry_after = retry_after(response);
  } else if (status == 401) {
    verdict.meaning = Severity::Forbidden;
  } else {
    verdict.meaning = status >= 400 ? Severity::Refusal : Severity::Final;
    verdict.is_denied = status == 403;
  }
  return verdict;
}

}  // namespace

std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, std::int64_t now) {
  constexpr std::int64_t longest = 366 * 86400;
  constexpr std::int64_t surely_a_moment = 1'000'000'000;  // a wait of 31 years, or the year 2001
  if (text.empty()) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (end == text.data() + text.size()) {
    if (error == std::errc::result_out_of_range) seconds = text.starts_with('-') ? 0 : longest;
    if (seconds >= surely_a_moment) seconds -= now;
  } else {
    const std::time_t date = curl_getdate(std::string(text).c_str(), nullptr);
    if (date < 0) return std::nullopt;
    seconds = date - now;
  }
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, longest));
}

std::optional<std::chrono::seconds> retry_after(const Response& response) {
  const std::string date(response.header("Date"));
  const std::time_t there = date.empty() ? -1 : curl_getdate(date.c_str(), nullptr);
  return parse_retry_after(response.header("Retry-After"), there < 0 ? std::time(nullptr) : there);
}

std::string describe(const Response& response) {
  const std::string words = words_of(response.body);
  return fmt::format("HTTP {}{}{}", response.status, words.empty() ? "" : ": ", words);
}

bool means_later(int status) {
  return status == 408 || status == 425 || status == 429 || status == 503;
}

Judgement judge_transfer(const TransferEnd& end, const std::vector<int>& accepted) {
  using Kind = TransferEnd::Kind;
  switch (end.kind) {
    case Kind::Response:
      return judge_status(end.response, accepted);
    case Kind::Unreachable:
      return {Severity::Problem, end.detail, true, std::nullopt};
    case Kind::TimedOut:
    case Kind::Broken:
      return {Severity::Problem, end.detail, false, std::nullopt};
    case Kind::TooBig:
    case Kind::Redirected:
    case Kind::Unusable:
      return {Severity::Final, end.detail, false, std::nullopt};
    case Kind::BadCertificate:
      return {Severity::HostFinal, end.detail, false, std::nullopt};
  }
  return {};
}

}  // namespace qsohost::inline v1
