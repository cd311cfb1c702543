#include <catch2/catch.hpp>
#include <cmath>

#include <qsohost/error.hpp>
#include <qsohost/testing.hpp>

using namespace qsohost;
using Catch::Matchers::Contains;

namespace {

LightCurve curve(std::size_t epochs) {
  return {std::vector<double>(epochs, 1), std::vector<double>(epochs, 17),
          std::vector<double>(epochs, 0.1)};
}

// Objects 0 to 3 with 3, 0, 5, 2 epochs in g and 1, 4, 0, 2 in r.
void add_objects(Harness& h) {
  h.light_curves("ztf.g", {curve(3), curve(0), curve(5), curve(2)});
  h.light_curves("ztf.r", {curve(1), curve(4), curve(0), curve(2)});
}

std::vector<std::int64_t> left(Harness& h) {
  const auto ids = h.batch().objects().at("source_id").values<std::int64_t>();
  return {ids.begin(), ids.end()};
}

}  // namespace

TEST_CASE("objects without epochs in one of the groups are removed") {
  Harness h("require", {{"groups", "[\"ztf.g\", \"ztf.r\"]"}});
  add_objects(h);
  h.run();
  CHECK(left(h) == std::vector<std::int64_t>{0, 3});
  CHECK(h.batch().group("ztf.g").epochs() == 5);
  CHECK(h.batch().group("ztf.r").epochs() == 3);
  CHECK_NOTHROW(h.batch().verify());
  CHECK(h.count("objects", "in") == 4);
  CHECK(h.count("objects", "kept") == 2);
  CHECK(h.count("ztf.g", "objects with too few epochs") == 1);
  CHECK(h.count("ztf.r", "objects with too few epochs") == 1);
}

TEST_CASE("with match = any epochs in one group are enough") {
  Harness h("require",
            {{"groups", "[\"ztf.g\", \"ztf.r\"]"}, {"match", "any"}, {"min_epochs", "3"}});
  add_objects(h);
  h.run();
  CHECK(left(h) == std::vector<std::int64_t>{0, 1, 2});
}

TEST_CASE("min_epochs counts for each group") {
  Harness h("require", {{"groups", "[\"ztf.g\"]"}, {"min_epochs", "3"}});
  add_objects(h);
  h.run();
  CHECK(left(h) == std::vector<std::int64_t>{0, 2});
}

TEST_CASE("columns must hold a value") {
  Harness h("require", {{"columns", "[\"z\", \"name\"]"}});
  add_objects(h);
  Column& z = h.batch().objects().add({"z", DType::F64, "", ""});
  Column& name = h.batch().objects().add({"name", DType::String, "", ""});
  for (const double value : {0.5, std::nan(""), 1.5, 2.5}) z.append(value);
  for (const char* text : {"a", "b", "", "d"}) name.append_string(text);
  h.run();
  CHECK(left(h) == std::vector<std::int64_t>{0, 3});
  CHECK(h.count("z", "objects without a value") == 1);
  CHECK(h.count("name", "objects without a value") == 1);
}

TEST_CASE("all objects may be removed") {
  Harness h("require", {{"groups", "\"ztf.g\""}, {"min_epochs", "100"}});
  add_objects(h);
  h.run();
  CHECK(h.batch().rows() == 0);
  CHECK(h.batch().group("ztf.r").rows() == 0);
}

TEST_CASE("wrong options are refused") {
  CHECK_THROWS_AS(Harness("require"), UsageError);
  CHECK_THROWS_WITH(Harness("require", {{"groups", "[]"}}), Contains("requires nothing"));
  Harness no_column("require", {{"columns", "z"}});
  add_objects(no_column);
  CHECK_THROWS_WITH(no_column.run(), Contains("needs column 'z'"));
  CHECK_THROWS_AS(Harness("require", {{"groups", "[\"ztf.g\"]"}, {"min_epochs", "0"}}), UsageError);
  Harness unknown("require", {{"groups", "[\"ztf.z\"]"}});
  add_objects(unknown);
  CHECK_THROWS_WITH(unknown.run(), Contains("ztf.z") && Contains("ztf.g, ztf.r"));
}
