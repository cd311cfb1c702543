#include <catch2/catch.hpp>

#include <cmath>
#include <qsohost/error.hpp>
#include <qsohost/testing.hpp>

using namespace qsohost;
using Catch::Contains;

namespace {

const std::vector<std::pair<std::string, std::string>> kNightly{{"groups", "[\"ztf.g\"]"}};
constexpr const char* kBinned = "bin-epochs.ztf.g";

template <class T>
std::vector<Stored<T>> values(Harness& h, const char* column) {
  const auto all = h.batch().group(kBinned).at(column).values<T>();
  return {all.begin(), all.end()};
}

double result(Harness& h, const char* name, std::size_t row) {
  return h.batch().objects().at(std::string(kBinned) + "." + name).number(row);
}

}  // namespace

TEST_CASE("epochs of a night become one, weighted; nights come in the order of time") {
  Harness h("bin-epochs", kNightly);
  h.light_curves("ztf.g", {{{58001.5, 58000.25, 58000.75}, {19, 18, 18.5}, {0.1, 0.1, 0.2}}});
  h.run();
  CHECK(values<std::int64_t>(h, "epoch_id") == std::vector<std::int64_t>{58000, 58001});
  CHECK(values<std::int32_t>(h, "epochs") == std::vector<std::int32_t>{2, 1});
  CHECK(values<double>(h, "mjd")[0] == Approx(58000.35).epsilon(1e-12));
  CHECK(values<double>(h, "mjd")[1] == 58001.5);
  CHECK(values<double>(h, "mag")[0] == Approx(18.1).epsilon(1e-7));
  // f32 in the source: 1 / sqrt(1 / 0.1^2 + 1 / 0.2^2)
  CHECK(values<double>(h, "magerr")[0] == Approx(std::sqrt(1 / 125.0)).epsilon(1e-6));
  CHECK(values<double>(h, "magerr")[1] == Approx(0.1).epsilon(1e-6));
  CHECK(result(h, "n_epochs", 0) == 3);
  CHECK(result(h, "n_bins", 0) == 2);
  CHECK(result(h, "flags", 0) == 0);
  CHECK(h.batch().group("ztf.g").epochs() == 3);  // unchanged
}

TEST_CASE("the binned light curve is a group of its own survey") {
  Harness h("bin-epochs", kNightly);
  h.light_curves("ztf.g", {{{1}, {18}, {0.1}}});
  h.run();
  const GroupInfo& info = h.batch().group(kBinned).info();
  const GroupInfo& from = h.batch().group("ztf.g").info();
  CHECK(info.survey == "bin-epochs.ztf");
  CHECK(info.band == "g");
  CHECK(info.time_system == from.time_system);
  CHECK(Object(h.batch(), 0).light_curve(kBinned).size() == 1);
}

TEST_CASE("width and offset say where bins begin") {
  Harness h("bin-epochs", {kNightly[0], {"width", "10"}, {"offset", "5"}});
  h.light_curves("ztf.g", {{{4.9, 5, 14.9, 15, -5.1}, {1, 2, 3, 4, 5}, {1, 1, 1, 1, 1}}});
  h.run();
  CHECK(values<std::int64_t>(h, "epoch_id") == std::vector<std::int64_t>{-2, -1, 0, 1});
  CHECK(values<double>(h, "mag") == std::vector<double>{5, 1, 2.5, 4});
}

TEST_CASE("a bin begins after a pause, wherever the first epoch is") {
  Harness h("bin-epochs", {kNightly[0], {"gap", "10"}});
  const double nan = std::nan("");
  // The third takes no part, so that the pause around it is 10.5 d.
  h.light_curves("ztf.g", {{{30.5, 1, 20, 41, 20.1, 10}, {1, 2, nan, 4, 5, 6}, {1, 1, 1, 1, 1, 1}},
                           {{7}, {8}, {1}}});
  h.run();
  CHECK(values<std::int64_t>(h, "epoch_id") == std::vector<std::int64_t>{0, 1, 2, 3, 0});
  CHECK(values<std::int32_t>(h, "epochs") == std::vector<std::int32_t>{2, 1, 1, 1, 1});
  CHECK(values<double>(h, "mag") == std::vector<double>{4, 5, 1, 4, 8});
  CHECK(result(h, "n_bins", 0) == 4);
}

TEST_CASE("pauses and widths do not go together") {
  CHECK_THROWS_WITH(Harness("bin-epochs", {kNightly[0], {"gap", "10"}, {"width", "5"}}),
                    Contains("'gap'"));
}

TEST_CASE("epochs that cannot be averaged are left out and flagged") {
  const double nan = std::nan("");
  Harness h("bin-epochs", kNightly);
  h.light_curves(
      "ztf.g",
      {{{1.5, 1.6, 1.7, nan}, {18, nan, 19, 20}, {0.1, 0.1, 0, 0.1}}, {}, {{2.5}, {18}, {nan}}});
  h.run();
  const Group& group = h.batch().group(kBinned);
  CHECK(group.slice(0).count == 1);
  CHECK(group.slice(1).count == 0);
  CHECK(group.slice(2).count == 0);
  CHECK(values<double>(h, "mag") == std::vector<double>{18});
  CHECK(result(h, "flags", 0) == 4);
  CHECK(result(h, "flags", 1) == 1);
  CHECK(result(h, "flags", 2) == 5);
  CHECK(h.count(kBinned, "epochs") == 1);
  CHECK(h.count(kBinned, "bins") == 1);
}

TEST_CASE("a group that is no light curve is refused") {
  Harness h("bin-epochs", {{"groups", "[\"ztf.r\"]"}});
  h.light_curves("ztf.g", {{{1}, {18}, {0.1}}});
  CHECK_THROWS_WITH(h.run(), Contains("there is no group 'ztf.r'"));
  CHECK_THROWS_WITH(Harness("bin-epochs", {kNightly[0], {"width", "0"}}), Contains("width"));
}

TEST_CASE("epochs whose error stands for none are in no bin") {
  Harness h("bin-epochs", kNightly);
  h.light_curves("ztf.g", {{{58000.2, 58000.4, 58000.6, 58001.2, 58001.4},
                            {18, 18, 18, 25, 26},
                            {0.1, 0.1, 0.1, 9.999, 9.999}}});
  h.run();
  CHECK(values<std::int64_t>(h, "epoch_id") == std::vector<std::int64_t>{58000});
  CHECK(result(h, "n_epochs", 0) == 3);
  CHECK(result(h, "flags", 0) == 2097152);
}
