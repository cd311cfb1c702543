#include <catch2/catch.hpp>

#include <qsohost/error.hpp>
#include <qsohost/testing.hpp>

using namespace qsohost;
using Catch::Matchers::Contains;

namespace {

// Two objects with 3 and 2 epochs.
void add_curves(Harness& h, const char* group) {
  h.light_curves(group,
                 {{{3, 1, 2}, {17, 18, 19}, {0.1, 0.1, 0.1}}, {{5, 4}, {20, 21}, {0.1, 0.1}}});
}

Column& add_keep(Harness& h, const char* group, const std::vector<bool>& values,
                 const char* name = "keep") {
  Column& keep = h.batch().group(group).add({name, DType::Bool, "", ""});
  for (const bool value : values) keep.append(value);
  return keep;
}

std::vector<double> times(Harness& h, const char* group) {
  const auto mjd = h.batch().group(group).at("mjd").values<double>();
  return {mjd.begin(), mjd.end()};
}

}  // namespace

TEST_CASE("epochs whose keep is 0 go, the others stay in order") {
  Harness h("drop-epochs");
  add_curves(h, "ztf.g");
  add_curves(h, "ztf.r");
  add_keep(h, "ztf.g", {false, true, true, true, false});
  h.run();
  CHECK(times(h, "ztf.g") == std::vector<double>{1, 2, 5});
  CHECK(h.batch().group("ztf.g").slice(0).count == 2);
  CHECK(h.batch().group("ztf.g").slice(1).count == 1);
  CHECK(h.batch().group("ztf.g").find("keep") == nullptr);  // nothing is left to drop
  CHECK(times(h, "ztf.r").size() == 5);
  CHECK(h.batch().rows() == 2);
  CHECK(h.count("ztf.g", "epochs in") == 5);
  CHECK(h.count("ztf.g", "epochs dropped") == 2);
}

TEST_CASE("an epoch whose keep is null stays") {
  Harness h("drop-epochs");
  add_curves(h, "ztf.g");
  add_keep(h, "ztf.g", {false, true, true, true, false}).set_null(4);
  h.run();
  CHECK(times(h, "ztf.g") == std::vector<double>{1, 2, 5, 4});
}

TEST_CASE("options name the groups and the column") {
  Harness h("drop-epochs", {{"groups", "[\"ztf.r\"]"}, {"column", "\"good\""}});
  add_curves(h, "ztf.g");
  add_curves(h, "ztf.r");
  add_keep(h, "ztf.g", {false, false, false, false, false}, "good");
  add_keep(h, "ztf.r", {false, false, true, true, true}, "good");
  h.run();
  CHECK(times(h, "ztf.g").size() == 5);
  CHECK(times(h, "ztf.r") == std::vector<double>{2, 5, 4});
}

TEST_CASE("a keep column that no group has is an error") {
  Harness none("drop-epochs");
  add_curves(none, "ztf.g");
  CHECK_THROWS_WITH(none.run(), Contains("'keep'"));
  Harness named("drop-epochs", {{"groups", "[\"ztf.g\"]"}});
  add_curves(named, "ztf.g");
  CHECK_THROWS_WITH(named.run(), Contains("keep"));
  Harness wrong_type("drop-epochs", {{"column", "\"mag\""}});
  add_curves(wrong_type, "ztf.g");
  CHECK_THROWS_WITH(wrong_type.run(), Contains("mag") && Contains("bool"));
}
