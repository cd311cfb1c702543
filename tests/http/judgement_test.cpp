#include "http/judgement.hpp"

#include <catch2/catch.hpp>

#include "http/url.hpp"

using namespace qsohost;
using std::chrono::seconds;

namespace {

Judgement of_status(int status, const std::string& retry_after = "") {
  TransferEnd end;
  end.response.status = status;
  end.response.body = "<html><h1>so \n so</h1>";
  if (!retry_after.empty()) end.response.headers.emplace_back("retry-after", retry_after);
  return judge_transfer(end);
}

}  // namespace

TEST_CASE("statuses are answers, problems, refusals, or final") {
  CHECK(of_status(200).meaning == Severity::Answer);
  CHECK(of_status(204).meaning == Severity::Answer);
  for (const int status : {408, 425, 429, 500, 502, 503, 504}) {
    CHECK(of_status(status).meaning == Severity::Problem);
  }
  CHECK(of_status(401).meaning == Severity::Forbidden);
  for (const int status : {400, 403, 404, 410}) {
    CHECK(of_status(status).meaning == Severity::Refusal);
    CHECK(of_status(status).is_denied == (status == 403));
  }
  CHECK(of_status(304).meaning == Severity::Final);
  CHECK(of_status(400).reason == "HTTP 400: so so");
}

TEST_CASE("Retry-After is seconds or a date") {
  CHECK(of_status(503, "17").retry_after == seconds(17));
  CHECK_FALSE(of_status(503).retry_after);
  const std::int64_t now = 784111700;  // 06 Nov 1994 08:48:20 GMT
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now) == seconds(77));
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:40:00 GMT", now) == seconds(0));
  CHECK(parse_retry_after("-5", now) == seconds(0));
  CHECK_FALSE(parse_retry_after("soon", now));
}

TEST_CASE("a Retry-After is at most a year, even if it is a timestamp or overflows") {
  const std::int64_t now = 1'750'000'000;
  const seconds year(366 * 86400);
  CHECK(parse_retry_after("1750000020", now) == seconds(20));  // the moment, not the seconds
  CHECK(parse_retry_after("1700000000", now) == seconds(0));
  for (const char* huge : {"99999999999", "4611686018427387904", "9223372036854775807",
                           "9223372036854775808", "99999999999999999999999999"}) {
    CHECK(parse_retry_after(huge, now) == year);
  }
  CHECK(parse_retry_after("-9223372036854775808", now) == seconds(0));
  CHECK(parse_retry_after("-99999999999999999999999999", now) == seconds(0));
  CHECK(parse_retry_after("Sun, 06 Nov 2094 08:49:37 GMT", now) == year);
}

TEST_CASE("a Retry-After that is a date is compared with the archive's clock") {
  Response response;
  response.headers = {{"Date", "Sun, 06 Nov 1994 08:48:20 GMT"},
                      {"Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"}};
  CHECK(retry_after(response) == seconds(77));
  response.headers = {{"Date", "Wed, 06 Nov 2094 08:48:20 GMT"},
                      {"Retry-After", "Wed, 06 Nov 2094 08:48:22 GMT"}};
  CHECK(retry_after(response) == seconds(2));
}

TEST_CASE("the host of a URL, its public form, and where it may redirect") {
  CHECK(parse_url("https://IRSA.ipac.caltech.edu/x")->remote_host() == "irsa.ipac.caltech.edu");
  CHECK(parse_url("http://h:8080/")->remote_host() == "h:8080");
  CHECK_FALSE(parse_url("file:///etc/passwd"));
  CHECK_FALSE(parse_url("not a url"));
  CHECK(public_url("https://me:secret@h/p?q=1#f") == "https://h/p?q=1");
  const auto may = [](const char* from, const char* to) {
    return may_redirect(*parse_url(from), *parse_url(to));
  };
  CHECK(may("http://h/a", "http://h/b"));
  CHECK(may("http://h/a", "https://h/a"));
  CHECK_FALSE(may("https://h/a", "http://h/a"));
  CHECK_FALSE(may("http://h/a", "http://h:81/a"));
  CHECK_FALSE(may("http://h/a", "http://other/a"));
}
