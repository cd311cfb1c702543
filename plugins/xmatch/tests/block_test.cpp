// Blocks at a service that a function plays.
#include <catch2/catch.hpp>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include <qsohost/error.hpp>
#include <qsohost/testing.hpp>

#include "folder.hpp"
#include "match_answer.hpp"
#include "match_block.hpp"

using namespace qsohost;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

Response whole(std::string body) {
  Response response;
  response.status = 200;
  response.body = std::move(body);
  return response;
}

std::string line(int separation, std::uint64_t row, int id) {
  return "0." + std::to_string(100000 + separation) + ',' + std::to_string(row) + ',' +
         std::to_string(id) + ",1.5,-2.5\n";
}

constexpr const char* kHeader = "angDist,qh_row,Source,RA_ICRS,DE_ICRS\n";

// Ten places; a conversation about them.
struct Block {
  std::vector<SkyPlace> places;
  xmatch::Service service{"http://cds.invalid/sync", "vizier:I/355/gaiadr3", 1};
  xmatch::RightColumns columns{"vizier:I/355/gaiadr3", "Source"};
  xmatch::RowLimit limit;
  explicit Block(std::size_t n = 10) {
    for (std::size_t i = 0; i < n; ++i) places.push_back({.ra = 1.0 + i, .dec = 2, .row = 3 * i});
  }
};

}  // namespace

TEST_CASE("an answer of the service, whatever else is in it") {
  xmatch::RightColumns columns{"vizier:I/355/gaiadr3", "Source"};
  const auto rows = xmatch::read_answer(
      "angDist,qh_row,qh_ra,qh_dec,DR3Name,Source,Note\n"
      "0.081233,7,150.25,2.2,Gaia DR3 4611686018427387905,4611686018427387905,\"a, \"\"b\"\"\"\n",
      columns);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].left == 7);
  CHECK(rows[0].separation == 0.081233);
  CHECK(rows[0].id == "4611686018427387905");
  CHECK(columns.names == std::vector<std::string>{"DR3Name", "Source", "Note"});
  CHECK(rows[0].cells == "\"Gaia DR3 4611686018427387905\",4611686018427387905,\"a, \"\"b\"\"\"");
  // Another order.
  const auto turned =
      xmatch::read_answer("Source,Note,DR3Name,qh_row,angDist\n5,n,x,9,0.5\n", columns);
  CHECK(turned.at(0).cells == "x,5,n");
  CHECK_THROWS_AS(xmatch::read_answer("Source,Note,DR3Name,qh_row\n5,n,x,9\n", columns), TryAgain);
  CHECK_THROWS_AS(xmatch::read_answer("angDist,qh_row,Source,Note\n0.5,9,5,n\n", columns),
                  RunError);
  CHECK_THROWS_AS(xmatch::read_answer("<html>busy</html>", columns), TryAgain);
  CHECK_THROWS_AS(xmatch::read_answer("angDist,qh_row,Source,Note,DR3Name\n0.5,9,5", columns),
                  TryAgain);
}

TEST_CASE("what is sent") {
  Block b(2);
  const Request request = xmatch::MatchBlock(b.service, b.places, b.columns, b.limit).begin().at(0);
  CHECK(request.method == "POST");
  for (const char* part : {"name=\"request\"\r\n\r\nxmatch", "name=\"distMaxArcsec\"\r\n\r\n1\r\n",
                           "name=\"RESPONSEFORMAT\"\r\n\r\ncsv", "name=\"colRA1\"\r\n\r\nqh_ra",
                           "name=\"cat2\"\r\n\r\nvizier:I/355/gaiadr3",
                           "qh_row,qh_ra,qh_dec\n0,1.000000000000,2.000000000000\n3,"}) {
    CHECK_THAT(request.body, Contains(part));
  }
}

TEST_CASE("an answer that ends before the last rows is completed") {
  Block b;
  xmatch::MatchBlock block(b.service, b.places, b.columns, b.limit);
  Request request = block.begin().at(0);
  // Rows 0, 3 and 6 have matches, and seven more rows none?
  auto next = block.answer(
      request, whole(kHeader + line(1, 0, 10) + line(1, 3, 11) + line(1, 6, 12) + line(2, 6, 13)));
  REQUIRE(next.size() == 1);
  CHECK_THAT(next[0].body, Contains("\n6,3.000000000000") && !Contains("\n3,2.000000000000"));
  SECTION("it was cut, and the rest is not longer than that") {
    next = block.answer(next[0], whole(kHeader + line(1, 6, 12) + line(2, 6, 13) + line(3, 6, 14)));
    CHECK(next.empty());
    CHECK(block.rows().size() == 5);
    CHECK(b.limit.may_be_cut(4, false));
    CHECK_FALSE(b.limit.may_be_cut(3, true));
  }
  SECTION("it was whole, so one of as many rows is believed") {
    next = block.answer(next[0], whole(kHeader + line(1, 6, 12) + line(2, 6, 13)));
    CHECK(next.empty());
    CHECK(block.rows().size() == 4);
    CHECK_FALSE(b.limit.may_be_cut(4, true));
    CHECK(b.limit.may_be_cut(5, true));
  }
}

TEST_CASE("an empty answer is believed the second time") {
  Block b;
  xmatch::MatchBlock block(b.service, b.places, b.columns, b.limit);
  const Request request = block.begin().at(0);
  const auto again = block.answer(request, whole(kHeader));
  REQUIRE(again.size() == 1);
  CHECK(again[0].body == request.body);
  CHECK(again[0].turn == 1);
  CHECK(block.answer(again[0], whole(kHeader)).empty());
  CHECK(block.rows().empty());
}

TEST_CASE("rows that were not sent are not believed") {
  Block b;
  xmatch::MatchBlock block(b.service, b.places, b.columns, b.limit);
  CHECK_THROWS_AS(block.answer(block.begin().at(0), whole(kHeader + line(1, 4, 10))), TryAgain);
}

// In the real answer of 2MASS, rows are numbered from 1 and in a column of another name.
TEST_CASE("a recorded answer", "[.data]") {
  const char* data = std::getenv("QSO_SHARED_DATA");
  const fs::path folder = fs::path(data == nullptr ? "../shared/data" : data) / "archives/xmatch";
  std::ifstream file(folder / "query_res.csv");
  if (!file) {
    std::cout << "skipped: no recorded answers in " << folder << '\n';
    return;
  }
  std::string body{std::istreambuf_iterator<char>(file), {}};
  body.replace(body.find("my_id"), 5, "qh_row");
  Folder own;
  std::ofstream(own / "left.csv") << "ra,dec\n0,0\n267.22029,-20.35869\n274.83971,-25.42714\n"
                                     "275.92229,-30.36572\n283.26621,-8.70756\n"
                                     "306.01575,33.86756\n322.493,12.16703\n";
  Harness h("xmatch", {{"left", '"' + (own / "left.csv").string() + '"'},
                       {"right", "\"vizier:II/246/out\""},
                       {"id", "\"2MASS\""},
                       {"radius_arcsec", "5"}});
  h.answers([&](const Request& request) {
    Response response = whole(body);
    response.url = request.url;
    return response;
  });
  h.run();
  const ColumnSet& objects = h.batch().objects();
  REQUIRE(h.batch().rows() > 6);
  const StringArray& ids = objects.at("source_id").strings();
  CHECK(ids[0] < ids[1]);
  std::size_t found = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] != "17485281-2021323") continue;
    ++found;
    CHECK(objects.at("match_separation").number(i) == 1.352044);
    CHECK(objects.at("n_matches").number(i) == 5);
    CHECK(objects.at("ra").number(i) == 267.220049);
    CHECK(objects.at("sdss_ra").number(i) == 267.22029);
    CHECK(objects.at("Jmag").number(i) == 9.931);
    CHECK(std::isnan(objects.at("e_Kmag").number(i)));
    CHECK(objects.at("Qfl").strings()[i] == "EEU");
    CHECK(objects.at("MeasureJD").number(i) == 2450950.8609);
  }
  CHECK(found == 1);
}
