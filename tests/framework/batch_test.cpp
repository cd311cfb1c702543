#include "qsohost/batch.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "qsohost/error.hpp"
#include "qsohost/light_curve.hpp"
#include "qsohost/port.hpp"

using namespace qsohost;
using Catch::Contains;
using Mask = std::vector<std::uint8_t>;

namespace {

// Three objects with 2, 0 and 3 epochs; epoch e has mjd 100 + e.
Batch sample() {
  Batch batch(0, 0, 10);
  Column& id = batch.objects().add({"source_id", DType::I64, "", ""});
  Column& name = batch.objects().add({"name", DType::String, "", ""});
  Column& pair = batch.objects().add({"pair", DType::I32, "", "", 2});
  for (std::int64_t i = 0; i < 3; ++i) {
    id.append(10 + i);
    name.append_string(std::string(static_cast<std::size_t>(i), 'x'));
    pair.append(static_cast<std::int32_t>(2 * i));
    pair.append(static_cast<std::int32_t>(2 * i + 1));
  }
  Group& group = batch.add_group({"ztf.g", "ztf", "g", "mjd", "mag", "magerr", kMjdUtc});
  Column& mjd = group.add({"mjd", DType::F64, "d", ""});
  Column& mag = group.add({"mag", DType::F32, "mag", ""});
  Column& err = group.add({"magerr", DType::F32, "mag", ""});
  int epoch = 0;
  for (const int n : {2, 0, 3}) {
    for (int k = 0; k < n; ++k, ++epoch) {
      mjd.append(100.0 + epoch);
      mag.append(18.0F);
      err.append(0.1F);
    }
    group.close_row();
  }
  return batch;
}

std::vector<double> times(const Batch& batch) {
  const auto span = batch.group("ztf.g").at("mjd").values<double>();
  return {span.begin(), span.end()};
}

}  // namespace

TEST_CASE("rows are removed from objects and groups alike") {
  Batch batch = sample();
  batch.keep_rows(Mask{0, 1, 1});
  batch.verify();
  CHECK(batch.rows() == 2);
  CHECK(batch.id(0) == "11");
  CHECK(batch.objects().at("name").strings()[1] == "xx");
  CHECK(batch.objects().at("pair").values<std::int32_t>()[3] == 5);
  CHECK(batch.group("ztf.g").slice(0).count == 0);
  CHECK(times(batch) == std::vector<double>{102, 103, 104});
}

TEST_CASE("epochs are removed and offsets follow") {
  Batch batch = sample();
  CHECK(batch.group("ztf.g").keep_epochs(Mask{0, 1, 1, 0, 1}) == 0);
  batch.verify();
  CHECK(times(batch) == std::vector<double>{101, 102, 104});
  CHECK(batch.group("ztf.g").slice(0).count == 1);
  CHECK(batch.group("ztf.g").slice(2).first == 1);
  CHECK(batch.group("ztf.g").slice(2).count == 2);
}

// Rows without epochs before are not among them.
TEST_CASE("rows that are left without epochs are counted") {
  Batch batch = sample();
  CHECK(batch.group("ztf.g").keep_epochs(Mask{0, 0, 1, 1, 1}) == 1);
  CHECK(batch.group("ztf.g").keep_epochs(Mask{0, 0, 0}) == 1);
  CHECK(batch.group("ztf.g").keep_epochs(Mask{}) == 0);
}

TEST_CASE("a mask of another length is an error") {
  Batch batch = sample();
  CHECK_THROWS_AS(batch.keep_rows(Mask{1}), RunError);
  CHECK_THROWS_AS(batch.group("ztf.g").keep_epochs(Mask{1}), RunError);
}

TEST_CASE("rolling back forgets an unfinished row") {
  Batch batch = sample();
  Group& group = batch.group("ztf.g");
  group.at("mjd").append(1.0);
  group.roll_back();
  group.close_row();
  CHECK(group.rows() == 4);
  CHECK(group.epochs() == 5);
  group.at("mjd").append(1.0);
  CHECK_THROWS_WITH(group.close_row(), Contains("'mag' has 5 epochs where 'mjd' has 6"));
}

TEST_CASE("columns of another type or name are errors that say what there is") {
  const Batch batch = sample();
  CHECK_THROWS_WITH(batch.objects().at("ra"), Contains("no column 'ra'") && Contains("source_id"));
  CHECK_THROWS_WITH(batch.objects().at("name").values<double>(), Contains("holds string, not f64"));
  CHECK_THROWS_WITH(batch.group("ztf.r"), Contains("no group 'ztf.r'") && Contains("ztf.g"));
}

TEST_CASE("nulls stay apart from values") {
  Column column({"flag", DType::I16, "", ""});
  column.append(std::int16_t{7});
  column.append_null();
  column.append(std::int16_t{0});
  CHECK(column.has_nulls());
  CHECK_FALSE(column.is_null(0));
  CHECK(column.is_null(1));
  CHECK(std::isnan(column.number(1)));
  CHECK(column.number(2) == 0);
  column.keep(Mask{0, 1, 1});
  CHECK(column.is_null(0));
  Column other({"flag", DType::I16, "", ""});
  other.append(std::int16_t{1});
  other.append_cells(column, 0, 2);
  CHECK_FALSE(other.is_null(0));
  CHECK(other.is_null(1));
  CHECK_FALSE(other.is_null(2));
}

TEST_CASE("a time-ordered view gives results back to their epochs") {
  const std::vector<double> time{5, 1, 3, 1, 9};
  const std::vector<std::uint8_t> take{1, 1, 0, 1, 1};
  const TimeOrder order(time, take);
  REQUIRE(order.size() == 4);
  CHECK(order.gather(time) == std::vector<double>{1, 1, 5, 9});
  CHECK(order.original(0) == 1);  // equal times keep their fetched order
  CHECK(order.original(1) == 3);
  const std::vector<int> sorted{10, 20, 30, 40};
  std::vector<int> fetched(5, -1);
  order.scatter(std::span<const int>(sorted), std::span<int>(fetched));
  CHECK(fetched == std::vector<int>{30, 10, -1, 20, 40});
}

TEST_CASE("a light curve is one object's part of a group") {
  const Batch batch = sample();
  const LightCurve curve = Object(batch, 2).light_curve("ztf.g");
  CHECK(curve.time == std::vector<double>{102, 103, 104});
  CHECK(curve.mag_err[0] == Approx(0.1));
  CHECK(Object(batch, 1).light_curve("ztf.g").size() == 0);
}

TEST_CASE("cells of several values are not read as single values") {
  Batch batch = sample();
  const auto refusal = [](const char* name) {
    return Contains(std::string("column '") + name + "' has cells of 2 values, where 1 is wanted");
  };
  CHECK_THROWS_WITH(Object(batch, 1).number("pair"), refusal("pair"));
  CHECK(Object(batch, 1).number("source_id") == 11);

  Group& group = batch.group("ztf.g");
  Column& shape = group.add({"shape", DType::F32, "", "", 2});
  shape.resize(group.epochs());
  CHECK_THROWS_WITH(Object(batch, 0).epochs<float>("ztf.g", "shape"), refusal("shape"));
  Group& odd = batch.add_group({"odd.g", "odd", "g", "mjd", "mag", "magerr", kMjdUtc});
  odd.add({"mjd", DType::F64, "d", ""});
  odd.add({"mag", DType::F32, "mag", "", 2});
  odd.add({"magerr", DType::F32, "mag", ""});
  odd.append_rows(std::vector<std::uint64_t>{1, 2, 0});
  CHECK_THROWS_WITH(Object(batch, 1).light_curve("odd.g"), refusal("mag"));

  struct Owner : PortOwner {
    In<std::int32_t> one{this, "", "pair", "", ""};
    In<std::int32_t, 2> two{this, "", "pair", "", ""};
  } owner;
  CHECK(owner.member_ports().read().at(0).width == 1);
  CHECK(owner.member_ports().read().at(1).width == 2);
  CHECK_THROWS_WITH(owner.one(batch), refusal("pair"));
  CHECK(owner.two(batch).size() == 6);

  Batch ids(0, 0, 10);
  ids.objects().add({"source_id", DType::I64, "", "", 2}).resize(3);
  CHECK_THROWS_WITH(ids.verify(), refusal("source_id"));
}
