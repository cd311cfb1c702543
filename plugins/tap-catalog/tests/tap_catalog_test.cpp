// What no simulated archive does: services that cut, order or repeat rows in ways of their own.
#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <qsohost/testing.hpp>

#include "folder.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;

namespace {

using Options = std::vector<std::pair<std::string, std::string>>;

std::string votable(const std::string& fields, const std::string& rows) {
  return fmt::format(
      "<VOTABLE version=\"1.3\"><RESOURCE type=\"results\"><INFO name=\"QUERY_STATUS\" "
      "value=\"OK\"/><TABLE>{}<DATA><TABLEDATA>{}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>",
      fields, rows);
}

// A table of texts in order, as a TAP service that gives at most `most` rows.
struct Service {
  std::vector<std::string> ids{};
  std::string id_type = "datatype=\"char\" arraysize=\"*\"";
  std::size_t most = 3;
  std::size_t counted = ids.size();
  bool cuts_before_ordering = false;

  Response operator()(const Request& request) const {
    Response response{.status = 200, .url = request.url, .headers = {}};
    if (request.body.find("COUNT") != std::string::npos) {
      response.body = votable(
          "<FIELD name=\"n_rows\" datatype=\"long\"/><FIELD name=\"n_ids\" datatype=\"long\"/>",
          fmt::format("<TR><TD>{0}</TD><TD>{0}</TD></TR>", counted));
      return response;
    }
    std::string rows;
    std::size_t n = 0;
    for (const std::string& id : ids) {
      if (id < begin_of(request.body)) continue;
      if (n++ == most) break;
      if (cuts_before_ordering && n == 2) continue;
      rows +=
          fmt::format("<TR><TD>{}</TD><TD>{}</TD><TD>-5</TD><TD/><TD>x &amp; y</TD></TR>", id, n);
    }
    response.body = votable("<FIELD name=\"name\" " + id_type +
                                "/><FIELD name=\"RA\" datatype=\"double\" unit=\"h\"/>"
                                "<FIELD name=\"DEC\" datatype=\"float\" unit=\"deg\"/>"
                                "<FIELD name=\"n\" datatype=\"int\" unit=\"ct\"><DESCRIPTION>how "
                                "many</DESCRIPTION></FIELD>"
                                "<FIELD name=\"remark\" datatype=\"char\" arraysize=\"*\"/>",
                            rows);
    return response;
  }

  // The literal of "name >= 'x'", or what stands for 'x' without quotes.
  static std::string begin_of(const std::string& body) {
    const std::string mark = "%3E%3D%20";
    const std::size_t at = body.find(mark);
    if (at == std::string::npos) return "";
    std::string rest = body.substr(at + mark.size());
    if (rest.starts_with("%27")) rest = rest.substr(3);
    return rest.substr(0, rest.find('%'));
  }
};

Options options(Options more = {}) {
  Options all{{"url", "\"http://archive/tap\""},
              {"table", "\"cat\""},
              {"id", "\"name\""},
              {"ra", "\"RA\""},
              {"dec", "\"DEC\""}};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::string refusal(const Service& service) {
  return error_of([&] {
    Harness h("tap-catalog", options());
    h.answers(service);
    h.run();
  });
}

}  // namespace

TEST_CASE("a silent cut below the page is noticed; nulls, units, texts are those of the answer") {
  Harness h("tap-catalog", options());
  h.answers(Service{{"a", "b", "c", "d", "e", "f"}});
  h.run();
  const ColumnSet& objects = h.batch().objects();
  REQUIRE(h.batch().rows() == 6);
  CHECK(h.batch().id(5) == "f");
  CHECK(h.requests().size() == 4);  // the count, 3 rows, 2 more, the last
  CHECK(objects.at("ra").values<double>()[1] == 30);
  CHECK(objects.at("n").dtype() == DType::I32);
  CHECK(objects.at("n").is_null(5));
  CHECK(objects.at("n").info().unit == "ct");
  CHECK(objects.at("n").info().description == "how many");
  CHECK(objects.at("remark").strings()[3] == "x & y");
}

TEST_CASE("integers keep all their digits") {
  Harness h("tap-catalog", options());
  h.answers(Service{{"4611686018427387905", "4611686018427387906", "4611686018427387907"},
                    "datatype=\"long\"",
                    2});
  h.run();
  const auto ids = h.batch().objects().at("source_id").values<std::int64_t>();
  CHECK(std::vector<std::int64_t>(ids.begin(), ids.end()) ==
        std::vector<std::int64_t>{4611686018427387905, 4611686018427387906, 4611686018427387907});
}

TEST_CASE("rows that are missing, repeated or in another order are never taken for the table") {
  Service service{{"a", "b", "c", "d", "e", "f"}};
  SECTION("cut before it is ordered") {
    service.cuts_before_ordering = true;
    CHECK_THAT(refusal(service), Contains("counts 6 rows, but its pages have 3"));
  }
  SECTION("fewer rows than were counted") {
    service.counted = 8;
    CHECK_THAT(refusal(service), Contains("counts 8 rows, but its pages have 6"));
  }
  SECTION("more rows than were counted") {
    service.counted = 4;
    CHECK_THAT(refusal(service), Contains("counts 4 rows, but its pages have 5"));
  }
  SECTION("no rows at all") {
    service.most = 0;
    CHECK_THAT(refusal(service), Contains("has no rows, but it must have some"));
  }
  SECTION("an identifier on both sides of the end of a page") {
    service = {{"a", "b", "c", "c", "d"}};
    CHECK_THAT(refusal(service), Contains("the identifier c is there twice"));
  }
  SECTION("another order") {
    service = {{"1", "3", "2"}, "datatype=\"int\""};
    CHECK_THAT(refusal(service), Contains("does not order rows by their identifiers"));
  }
  SECTION("numbers that cannot be identifiers") {
    service = {{"1", "2", "3"}, "datatype=\"double\""};
    CHECK_THAT(refusal(service), Contains("cannot hold all digits"));
  }
}

TEST_CASE("a number of rows that cannot be read is refused") {
  const auto refused = [](const std::string& type, const std::string& cell) {
    return error_of([&] {
      Harness h("tap-catalog", options());
      h.answers([&](const Request& request) {
        return Response{.status = 200,
                        .url = request.url,
                        .headers = {},
                        .body = votable("<FIELD name=\"n_rows\" datatype=\"long\"/><FIELD "
                                        "name=\"n_ids\" datatype=\"" +
                                            type + "\"/>",
                                        "<TR><TD>1</TD><TD>" + cell + "</TD></TR>")};
      });
      h.run();
    });
  };
  CHECK_THAT(refused("lond", "1"), Contains("n_ids") && Contains("lond"));
  CHECK_THAT(refused("long", "-1"), Contains("the number of rows (n_ids) is '-1'"));
  CHECK_THAT(refused("double", ""), Contains("the number of rows (n_ids) is 'nan'"));
}

TEST_CASE("names that are no identifiers of ADQL are put in quotes") {
  Harness h("tap-catalog", {{"url", "\"http://archive/tap\""},
                            {"table", "\"I/355/gaiadr3\""},
                            {"id", "\"name\""},
                            {"ra", "\"RA\""},
                            {"dec", "'\"DEC\"'"},
                            {"columns", "[\"n\", '\"remark\"', \"ra\"]"},
                            {"where", "\"n = 1 OR n = 2 -- few\""}});
  h.answers(Service{{"a"}});
  h.run();
  const std::string& body = h.requests().back().body;
  CHECK_THAT(body, Contains(escape("SELECT TOP 2000 name, RA, \"DEC\", n, \"remark\" FROM "
                                   "\"I/355/gaiadr3\" WHERE (n = 1 OR n = 2 -- few\n) ORDER BY "
                                   "name")));
  CHECK(h.batch().objects().find("remark") != nullptr);
}
