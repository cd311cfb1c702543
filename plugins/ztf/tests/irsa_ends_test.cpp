// How irsa-ztf handles responses that may have been truncated; nothing is sent.
#include <catch2/catch.hpp>

#include <random>
#include <set>

#include "archive.hpp"
#include "targets.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;
using ztf::QueryBy;
using namespace ztf_tests;

// Without an end mark, a response truncated between two lines looks complete.
TEST_CASE("an answer that may have been cut is not believed alone") {
  for (const QueryBy way : {QueryBy::Position, QueryBy::Ids}) {
    for (const int confirmations : {1, 5}) {
      for (const bool is_filtered : {false, true}) {
        INFO(static_cast<int>(way) << " " << confirmations << is_filtered);
        std::mt19937 random(7);
        Talk talk;
        talk.settings.confirmations = confirmations;
        talk.settings.bad_catflags_mask = is_filtered ? 32768 : 0;
        fill(talk, 40);
        std::set<std::string> cut;
        talk.spoil = [&](const Request& request, Response& response) {
          if (!is_curves(request)) return;
          response.is_end_known = false;
          if (!cut.insert(request.about).second) return;  // only the first one
          const std::size_t at = random() % response.body.size();
          response.body.resize(response.body.find('\n', at) + 1);
        };
        talk.run(way);
        check_truth(talk);
      }
    }
  }
}

TEST_CASE("with ends that are not announced by position each source is asked for once more") {
  Talk talk;
  fill(talk, 6);
  talk.spoil = [](const Request& /*request*/, Response& response) {
    response.is_end_known = false;
  };
  talk.run(QueryBy::Position);
  check_truth(talk);
  CHECK(talk.requests.size() == 12);
  CHECK(std::ranges::count_if(talk.requests, [](const Request& r) {
          return r.url.ends_with("FORMAT=VOTABLE");
        }) == 6);
}

TEST_CASE("answers that are always cut fail, and give no light curve by halves") {
  Talk talk;
  talk.targets = {{10, 20}};
  talk.archive.add({"5", 10, 20, "zg", 9});
  talk.spoil = [](const Request& request, Response& response) {
    response.is_end_known = false;
    if (request.url.ends_with("FORMAT=VOTABLE")) return;
    response.body.resize(response.body.find('\n', response.body.size() / 2) + 1);
  };
  talk.run(QueryBy::Position);
  CHECK(talk.states[0].outcome == Outcome::Failed);
  CHECK_THAT(talk.states[0].reason, Contains("8 answers had not all rows"));
  CHECK(talk.batch.group("ztf.g").epochs() == 0);
  CHECK(talk.count("archive", "cut answers") == 8);
}

TEST_CASE("more epochs than announced are believed when it is known how many there are") {
  Talk talk;
  talk.targets = {{10, 20}};
  talk.archive.add({"5", 10, 20, "zg", 9, 4});
  int asked = 0;
  talk.spoil = [&](const Request& request, Response& response) {
    if (!is_curves(request)) return;
    response.is_end_known = false;
    if (++asked > 1) return;  // after the sixth epoch
    std::size_t end = 0;
    for (int line = 0; line < 1 + 6; ++line) end = response.body.find('\n', end) + 1;
    response.body.resize(end);
  };
  talk.run(QueryBy::Ids);
  CHECK(talk.batch.group("ztf.g").slice(0).count == 9);
  CHECK(asked == 3);
}
