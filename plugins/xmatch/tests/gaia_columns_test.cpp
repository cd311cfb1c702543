// Columns by source_id, from a service that does not send all at once.
#include <catch2/catch.hpp>

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <vector>

#include <qsohost/error.hpp>

#include "folder.hpp"
#include "gaia_columns.hpp"

using namespace qsohost;
using Catch::Contains;

namespace {

constexpr std::int64_t kFirst = 4611686018427387904;  // doubles hold no such number and 1

const xmatch::GaiaTable kTable{
    "http://tap.invalid/tap", "gaiadr3.gaia_source", {"has_epoch_photometry", "ipd"}};

// Answers until nothing more is asked; the number of requests. `limit`: rows of an answer;
// `absent`: not in the table.
int hold(xmatch::GaiaColumns& columns, std::size_t limit, const std::set<std::int64_t>& absent) {
  std::deque<Request> open;
  for (Request& request : columns.begin()) open.push_back(std::move(request));
  int asked = 0;
  for (; !open.empty(); ++asked) {
    const Request request = std::move(open.front());
    open.pop_front();
    Response response;
    response.status = 200;
    response.body = "SOURCE_ID,has_epoch_photometry,ipd\n";
    std::size_t at = request.body.find("IN%20%28") + 8;
    for (std::size_t rows = 0; request.body[at - 3] != '%' || request.body[at - 1] != '9';) {
      const std::size_t end = request.body.find('%', at);
      const std::int64_t id = std::stoll(request.body.substr(at, end - at));
      at = end + 3;
      if (absent.contains(id) || rows++ >= limit) continue;
      response.body += std::to_string(id) + (id % 2 == 0 ? ",True," : ",False,") +
                       std::to_string(id - kFirst) + '\n';
    }
    for (Request& next : columns.answer(request, response)) open.push_back(std::move(next));
  }
  return asked;
}

std::set<std::int64_t> ids(std::int64_t n) {
  std::set<std::int64_t> out;
  for (std::int64_t i = 0; i < n; ++i) out.insert(kFirst + i);
  return out;
}

}  // namespace

TEST_CASE("rows that a service leaves out are asked for again") {
  for (const std::size_t limit : {std::size_t{5000}, std::size_t{400}}) {
    xmatch::GaiaColumns columns(kTable, ids(1500));
    CHECK(hold(columns, limit, {}) == (limit == 400 ? 5 : 2));
    REQUIRE(columns.rows().size() == 1500);
    CHECK(columns.rows().at(kFirst + 1) == std::vector<std::string>{"False", "1"});
    CHECK(columns.unsettled() == 0);
  }
}

TEST_CASE("sources that are not there end it") {
  xmatch::GaiaColumns columns(kTable, ids(10));
  // All, then the missing ones, twice.
  CHECK(hold(columns, 5000, {kFirst + 3, kFirst + 4}) == 3);
  CHECK(columns.rows().size() == 8);
  CHECK(columns.unsettled() == 0);
}

TEST_CASE("a source that was not asked for is not believed") {
  xmatch::GaiaColumns columns(kTable, ids(2));
  const Request request = columns.begin().at(0);
  Response response;
  response.status = 200;
  response.body = "source_id,has_epoch_photometry,ipd\n5,true,1\n";
  CHECK_THROWS_AS(columns.answer(request, response), TryAgain);
}

TEST_CASE("names that could change a query are refused") {
  CHECK_THAT(error_of([] { xmatch::check_column_name("ra; DROP"); }), Contains("'ra; DROP'"));
  CHECK_THAT(error_of([] { xmatch::check_column_name("2mass"); }), Contains("'2mass'"));
  xmatch::check_column_name("phot_g_mean_mag");
}
