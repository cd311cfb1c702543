// Joins small catalogues, written as texts.
#include <catch2/catch.hpp>

#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <qsohost/testing.hpp>

#include "folder.hpp"

using namespace qsohost;
using Catch::Contains;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
using Options = std::vector<std::pair<std::string, std::string>>;

struct Catalogue {
  Folder folder;

  // Options with the path of a catalogue of this text.
  Options write(const std::string& text, const Options& more) const {
    std::ofstream(folder / "cat.csv") << text;
    Options options{{"path", '"' + (folder / "cat.csv").string() + '"'}};
    options.insert(options.end(), more.begin(), more.end());
    return options;
  }
};

const std::string kTwo = "id,LOGLBOL,name\n5,46.5,five\n7,45.25,seven\n";

// An object for each number.
void objects(Harness& h, const std::vector<std::int64_t>& ids) {
  std::vector<Target> targets;
  for (const std::int64_t id : ids) targets.push_back({id, 10, 20});
  h.targets(targets);
}

std::vector<double> numbers(Harness& h, const std::string& name) {
  const Column& column = h.batch().objects().at(name);
  std::vector<double> out;
  for (std::size_t i = 0; i < column.size(); ++i) {
    const double number = column.number(i);
    out.push_back(std::isnan(number) ? -1 : number);  // so that they can be compared
  }
  return out;
}

std::string refused(const Options& options, const std::vector<std::int64_t>& ids = {5}) {
  return error_of([&] {
    Harness h("catalog-join", options);
    objects(h, ids);
    h.run();
  });
}

const Options kById{{"key", "\"source_id\""}, {"their_key", "\"id\""}};

Options with(Options options, const Options& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

}  // namespace

TEST_CASE_METHOD(Catalogue, "columns by key, and objects that have no row") {
  Harness h("catalog-join", write(kTwo, kById));
  objects(h, {7, 6, 5, 7});
  h.run();
  CHECK((numbers(h, "LOGLBOL") == std::vector<double>{45.25, -1, 46.5, 45.25}));
  const Column& name = h.batch().objects().at("name");
  CHECK(name.strings()[0] == "seven");
  CHECK(name.is_null(1));
  CHECK(h.batch().objects().find("id") == nullptr);
  CHECK(h.outcomes()[0].outcome == Outcome::Matched);
  CHECK(h.outcomes()[1].outcome == Outcome::NotFound);
  CHECK_THAT(h.outcomes()[1].reason, Contains("no row has its key 6"));
}

TEST_CASE_METHOD(Catalogue, "integers of 64 bits stay exact") {
  // Neighbours that are equal as doubles.
  Harness h("catalog-join", write("id,n\n6917528997577384321,1\n6917528997577384320,2\n"
                                  "6917528997577384322,9223372036854775807\n",
                                  kById));
  objects(h, {6917528997577384320, 6917528997577384321, 6917528997577384322, 6917528997577384323});
  h.run();
  const Column& n = h.batch().objects().at("n");
  CHECK(n.dtype() == DType::I64);
  CHECK(n.values<std::int64_t>()[0] == 2);
  CHECK(n.values<std::int64_t>()[1] == 1);
  CHECK(n.values<std::int64_t>()[2] == std::numeric_limits<std::int64_t>::max());
  CHECK(n.is_null(3));
}

TEST_CASE_METHOD(Catalogue, "texts here and integers there, and the reverse") {
  SECTION("integers there") {
    Harness h("catalog-join",
              write("id,x\n12,1.5\n", {{"key", "\"name\""}, {"their_key", "\"id\""}}));
    objects(h, {1, 2, 3});
    Column& name = h.batch().objects().add({"name", DType::String, "", ""});
    for (const char* text : {"12", " 12 ", "012"}) name.append_string(text);
    h.run();
    CHECK((numbers(h, "x") == std::vector<double>{1.5, 1.5, -1}));
  }
  SECTION("texts there") {
    Harness h("catalog-join", write("id,x\nJ1,0.5\n12,1.5\n012,2.5\n", kById));
    objects(h, {12, 1});
    h.run();
    CHECK((numbers(h, "x") == std::vector<double>{1.5, -1}));
  }
}

TEST_CASE_METHOD(Catalogue, "several columns that make the key together") {
  const std::string text =
      "PLATE,MJD,FIBERID,x\n3586,55181,12,1\n3586,55181,13,2\n3587,55181,12,3\n3586,,12,4\n";
  Harness h("catalog-join", write(text, {{"key", R"(["plate", "mjd", "fiberid"])"}}));
  objects(h, {1, 2, 3, 4});
  const auto add = [&](const char* name, const std::vector<std::int32_t>& values) {
    Column& column = h.batch().objects().add({name, DType::I32, "", ""});
    for (const std::int32_t value : values) column.append(value);
    return &column;
  };
  add("plate", {3587, 3586, 3586, 3586});
  add("mjd", {55181, 55181, 55181, 55181});
  add("fiberid", {12, 13, 14, 12})->set_null(3);
  h.run();
  CHECK((numbers(h, "x") == std::vector<double>{3, 2, -1, -1}));
  CHECK_THAT(h.outcomes()[2].reason, Contains("3586-55181-14"));
  CHECK_THAT(h.outcomes()[3].reason, Contains("it has no key"));
  CHECK(h.count("objects", "without a key") == 1);
  CHECK_THAT(h.messages().at(0), Contains("4 rows, 1 of them without a key"));
}

TEST_CASE_METHOD(Catalogue, "a key that is in several rows") {
  const std::string text = "id,x\n5,1\n7,2\n5,3\n-1,4\n-1,5\n-1,6\n";
  SECTION("the first row is taken") {
    Harness h("catalog-join", write(text, kById));
    objects(h, {5, 7, -1});
    h.run();
    CHECK((numbers(h, "x") == std::vector<double>{1, 2, 4}));
    CHECK(h.count("objects", "whose key is in several rows") == 2);
    CHECK_THAT(h.messages().at(1), Contains("2 keys are in several rows, 5 rows in all"));
  }
  SECTION("as an error") {
    Harness h("catalog-join", write(text, with(kById, {{"duplicates", "\"error\""}})));
    objects(h, {5, 7});
    h.run();
    CHECK(h.outcomes()[0].outcome == Outcome::BadObject);
    CHECK_THAT(h.outcomes()[0].reason, Contains("line 2 and line 4 of") && Contains("cat.csv"));
    CHECK(h.outcomes()[1].outcome == Outcome::Matched);
    CHECK((numbers(h, "x") == std::vector<double>{-1, 2}));
  }
  SECTION("unless it stands for a missing one") {
    Harness h("catalog-join", write(text, with(kById, {{"null_values", "[-1]"}})));
    objects(h, {-1, 7});
    h.run();
    CHECK((numbers(h, "x") == std::vector<double>{-1, 2}));
    CHECK_THAT(h.messages().at(0), Contains("3 of them without a key"));
    CHECK_THAT(h.messages().at(1), Contains("line 2 and line 4"));
  }
}

TEST_CASE("values that stand for missing ones, by column") {
  Catalogue cat;
  const Options valid{{"null_values", "[-999]"},
                      {"valid", R"([{columns = ["loglbol"], min = 40, max = 49}])"}};
  const std::string text =
      "id,LOGLBOL,LOGMBH,n,text\n1,46.5,0,0,-999\n2,0,-999,-999,a\n3,nan,8.5,3,\n4,49.5,9,4,b\n";
  Harness h("catalog-join", cat.write(text, with(kById, valid)));
  objects(h, {1, 2, 3, 4, 5});
  h.run();
  CHECK((numbers(h, "LOGLBOL") == std::vector<double>{46.5, -1, -1, -1, -1}));
  CHECK((numbers(h, "LOGMBH") == std::vector<double>{0, -1, 8.5, 9, -1}));
  CHECK((numbers(h, "n") == std::vector<double>{0, -1, 3, 4, -1}));
  CHECK(h.batch().objects().at("n").is_null(1));
  CHECK(h.batch().objects().at("text").strings()[0] == "-999");
  CHECK(h.count("LOGLBOL", "values missing in the catalogue") == 1);
  CHECK(h.count("LOGLBOL", "values that are null_values or not valid") == 2);
  CHECK(h.count("LOGMBH", "values that are null_values or not valid") == 1);
  CHECK(h.count("text", "values missing in the catalogue") == 1);
}

TEST_CASE_METHOD(Catalogue, "the nearest row by position, across RA 0 and at the poles") {
  const std::string text =
      "ra,dec,x\n10,20,1\n10.0002,20,2\n0.00005,-5,3\n123,89.99999,4\n-0.0001,-40,5\n,20,6\n10,95,"
      "7\n";
  Harness h("catalog-join", write(text, {{"radius_arcsec", "1.0"}, {"prefix", "\"q_\""}}));
  h.targets({{1, 10.00013, 20},
             {2, 359.99995, -5},
             {3, 303, 89.99999},
             {4, 359.9999, -40},
             {5, 10, 20.001},
             {6, kNaN, 20}});
  h.run();
  CHECK((numbers(h, "q_x") == std::vector<double>{2, 3, 4, 5, -1, -1}));
  const std::vector<double> separations = numbers(h, "q_separation");
  CHECK(separations[0] == Approx(0.00007 * 3600 * std::cos(20 * M_PI / 180)).epsilon(1e-6));
  CHECK(separations[2] == Approx(0.00002 * 3600).epsilon(1e-6));
  CHECK(separations[4] == -1);
  CHECK(h.count("objects", "with several rows in the radius") == 1);
  CHECK(h.count("objects", "without a position") == 1);
  CHECK_THAT(h.outcomes()[4].reason, Contains("no row within 1 arcsec"));
  CHECK_THAT(h.messages().at(0), Contains("7 rows, 2 of them without a position"));
}

TEST_CASE_METHOD(Catalogue, "equally near rows: the first is taken, or both are named") {
  const std::string text = "ra,dec,x\n50,1,0\n10,20,1\n10,20,2\n";
  for (const bool is_error : {false, true}) {
    Harness h("catalog-join", write(text, {{"radius_arcsec", "1"},
                                           {"prefix", "\"q_\""},
                                           {"duplicates", is_error ? "\"error\"" : "\"best\""}}));
    h.targets({{1, 10, 20}});
    h.run();
    CHECK((numbers(h, "q_x") == std::vector<double>{is_error ? -1.0 : 1.0}));
    CHECK(h.outcomes()[0].outcome == (is_error ? Outcome::BadObject : Outcome::Matched));
    if (is_error) CHECK_THAT(h.outcomes()[0].reason, Contains("line 3 and line 4"));
  }
}

TEST_CASE_METHOD(Catalogue, "options that do not go together") {
  CHECK_THAT(refused(write(kTwo, {})), Contains("neither key nor radius_arcsec"));
  CHECK_THAT(refused(write(kTwo, with(kById, {{"radius_arcsec", "1"}}))),
             Contains("both key and radius_arcsec"));
  CHECK_THAT(refused(write(kTwo, {{"key", R"(["a", "b"])"}, {"their_key", "\"id\""}})),
             Contains("their_key has 1 columns, but key has 2"));
}

TEST_CASE_METHOD(Catalogue, "columns that are not there or do not fit") {
  CHECK_THAT(refused(write(kTwo, {{"key", "\"source_id\""}, {"their_key", "\"ids\""}})),
             Contains("cat.csv") && Contains("'ids' (option 'their_key')") && Contains("'id'"));
  CHECK_THAT(refused(write(kTwo, with(kById, {{"columns", "[\"LOGBOL\"]"}}))),
             Contains("'LOGBOL' (option 'columns')") && Contains("'LOGLBOL'"));
  CHECK_THAT(refused(write("id,x\n1.5,1\n", kById)), Contains("'id'") && Contains("line 2"));
  CHECK_THAT(refused(write(kTwo, {{"key", "\"ra\""}, {"their_key", "\"id\""}})),
             Contains("'ra'") && Contains("keys must be integers or texts"));
  CHECK_THAT(refused(write("id,x\n", kById)), Contains("has no rows"));
  const std::string ra = refused(write("id,RA\n5,1\n", kById));
  CHECK_THAT(ra, Contains("'RA'") && Contains("'ra'") && Contains("prefix"));
  CHECK_THAT(refused(write(kTwo, with(kById, {{"valid", "[{columns = [\"name\"], min = 1}]"}}))),
             Contains("'name'") && Contains("only numbers"));
  CHECK_THAT(refused(write(kTwo, with(kById, {{"columns", "[\"name\"]"},
                                              {"valid", "[{columns = [\"LOGLBOL\"], min = 1}]"}}))),
             Contains("'LOGLBOL'") && Contains("is not joined"));
  CHECK_THAT(refused(write("RA,dec,x\n1,2,3\n", {{"radius_arcsec", "1"},
                                                 {"their_dec", "\"x\""},
                                                 {"their_ra", "\"declination\""}})),
             Contains("'declination' (option 'their_ra')"));
}
