#include <catch2/catch.hpp>

#include <qsohost/error.hpp>
#include <qsohost/testing.hpp>

#include <cmath>
#include <limits>

using namespace qsohost;
using Catch::Matchers::Contains;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// The archive's text as a 32-bit number: 1.8 is 1.79999995.
struct Epoch {
  std::int32_t catflags = 0;
  float sharp = 0.0f;
  float chi = 1.0f;
  float airmass = 1.2f;
};

void add_group(Batch& batch, const std::string& band,
               const std::vector<std::vector<Epoch>>& objects) {
  Group& group = batch.add_group({"ztf." + band, "ztf", band, "mjd", "mag", "magerr", kMjdUtc});
  Column& flags = group.add({"catflags", DType::I32, "", ""});
  Column& sharp = group.add({"sharp", DType::F32, "", ""});
  Column& chi = group.add({"chi", DType::F32, "", ""});
  Column& airmass = group.add({"airmass", DType::F32, "", ""});
  Column& id = group.add({"epoch_id", DType::I64, "", ""});
  for (const auto& epochs : objects) {
    for (std::size_t k = 0; k < epochs.size(); ++k) {
      flags.append(epochs[k].catflags);
      sharp.append(epochs[k].sharp);
      chi.append(epochs[k].chi);
      airmass.append(epochs[k].airmass);
      id.append(static_cast<std::int64_t>(k));
    }
    group.close_row();
  }
}

void set_targets(Harness& h, std::size_t n) {
  std::vector<Target> targets(n);
  for (std::size_t i = 0; i < n; ++i) targets[i].source_id = static_cast<std::int64_t>(i);
  h.targets(targets);
}

// The epoch_ids that remain of one object with these epochs.
std::vector<std::int64_t> kept(const std::vector<Epoch>& epochs,
                               std::vector<std::pair<std::string, std::string>> options = {}) {
  options.emplace_back("bands", "[\"g\"]");
  Harness h("ztf-quality", options);
  set_targets(h, 1);
  add_group(h.batch(), "g", {epochs});
  h.run();
  const auto ids = h.batch().group("ztf.g").at("epoch_id").values<std::int64_t>();
  return {ids.begin(), ids.end()};
}

using Ids = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("airmass is strictly below its limit as a decimal number") {
  const float below = std::nextafter(1.8f, 0.0f);
  CHECK(kept({{.airmass = 1.8f}, {.airmass = below}, {.airmass = 1.9f}}) == Ids{1});
  CHECK(kept({{.airmass = 2.1f}, {.airmass = 2.09f}}, {{"max_airmass", "2.1"}}) == Ids{1});
}

TEST_CASE("sharp is strictly inside its limit on both sides") {
  CHECK(kept({{.sharp = 0.25f}, {.sharp = -0.25f}, {.sharp = 0.249f}, {.sharp = -0.249f}}) ==
        Ids{2, 3});
  CHECK(kept({{.sharp = 0.1f}, {.sharp = 0.099f}}, {{"max_abs_sharp", "0.1"}}) == Ids{1});
}

TEST_CASE("chi may be equal to its limits") {
  CHECK(kept({{.chi = 0.5f}, {.chi = 1.5f}, {.chi = 0.499f}, {.chi = 1.501f}}) == Ids{0, 1});
  CHECK(kept({{.chi = 0.7f}, {.chi = 1.3f}, {.chi = 1.4f}}, {{"chi", "[0.7, 1.3]"}}) == Ids{0, 1});
}

TEST_CASE("catflags are equal to the option") {
  CHECK(kept({{.catflags = 0}, {.catflags = 32768}, {.catflags = 16}}) == Ids{0});
  CHECK(kept({{.catflags = 0}, {.catflags = 16}}, {{"catflags", "16"}}) == Ids{1});
}

TEST_CASE("NaN and null fail") {
  CHECK(kept({{.sharp = kNaN}, {.chi = kNaN}, {.airmass = kNaN}, {}}) == Ids{3});
  Harness h("ztf-quality", {{"bands", "[\"g\"]"}});
  set_targets(h, 1);
  add_group(h.batch(), "g", {{{}, {}}});
  h.batch().group("ztf.g").at("catflags").set_null(0);
  h.run();
  CHECK(h.batch().group("ztf.g").epochs() == 1);
  CHECK(h.count("ztf.g", "failed catflags") == 1);
}

TEST_CASE("objects stay whatever is left of them, and everything is counted") {
  Harness h("ztf-quality");
  set_targets(h, 3);
  const Epoch bad{.catflags = 1, .sharp = 1.0f};
  add_group(h.batch(), "g", {{{}, bad, {.chi = 9.0f}}, {bad}, {}});
  add_group(h.batch(), "r", {{}, {{}}, {{.airmass = 3.0f}}});
  add_group(h.batch(), "i", {{}, {}, {}});
  h.run();
  CHECK(h.batch().rows() == 3);
  CHECK(h.batch().group("ztf.g").slice(0).count == 1);
  CHECK(h.batch().group("ztf.g").slice(1).count == 0);
  CHECK(h.count("ztf.g", "epochs in") == 4);
  CHECK(h.count("ztf.g", "epochs kept") == 1);
  CHECK(h.count("ztf.g", "failed catflags") == 2);
  CHECK(h.count("ztf.g", "failed sharp") == 2);
  CHECK(h.count("ztf.g", "failed chi") == 1);
  CHECK(h.count("ztf.g", "failed airmass") == 0);
  // Both fail by catflags, which is the first rule.
  CHECK(h.count("ztf.g", "removed by catflags") == 2);
  CHECK(h.count("ztf.g", "removed by sharp") == 0);
  CHECK(h.count("ztf.g", "removed by chi") == 1);
  // Object 1 had epochs and has none now; object 2 had none before.
  CHECK(h.count("ztf.g", "objects left with none") == 1);
  CHECK(h.count("ztf.r", "objects left with none") == 1);
  CHECK(h.count("ztf.r", "epochs kept") == 1);
}

TEST_CASE("other ZTF bands are dropped, other surveys never") {
  for (const bool drop : {true, false}) {
    Harness h("ztf-quality", {{"drop_other_bands", drop ? "true" : "false"}});
    set_targets(h, 1);
    for (const char* band : {"g", "r", "i"}) add_group(h.batch(), band, {{{.chi = 9.0f}}});
    h.batch().add_group({"gaia.g", "gaia", "g", "time", "mag", "mag_err", {}}).close_row();
    h.run();
    CHECK((h.batch().find_group("ztf.i") == nullptr) == drop);
    CHECK(h.batch().find_group("gaia.g") != nullptr);
    CHECK(h.batch().group("ztf.g").epochs() == 0);
    if (!drop) CHECK(h.batch().group("ztf.i").epochs() == 1);
  }
}

TEST_CASE("a missing column or group is named") {
  Harness no_group("ztf-quality");
  set_targets(no_group, 1);
  add_group(no_group.batch(), "g", {{{}}});
  CHECK_THROWS_WITH(no_group.run(), Contains("ztf.r"));
  Harness no_column("ztf-quality", {{"bands", "[\"g\"]"}});
  no_column.light_curves("ztf.g", {{{1.0}, {17.0}, {0.1}}});
  CHECK_THROWS_WITH(no_column.run(), Contains("sharp"));
}

TEST_CASE("limits that make no sense are refused") {
  CHECK_THROWS_WITH(Harness("ztf-quality", {{"chi", "[1.5, 0.5]"}}), Contains("chi"));
  CHECK_THROWS_WITH(Harness("ztf-quality", {{"chi", "[0.5, nan]"}}), Contains("chi"));
  CHECK_THROWS_WITH(Harness("ztf-quality", {{"bands", "[]"}}), Contains("bands"));
  CHECK_THROWS_AS(Harness("ztf-quality", {{"bands", "[\"u\"]"}}), UsageError);
}

TEST_CASE("a column that is missing is an error, or a rule left out with a warning") {
  const auto without_chi = [](Harness& h) {
    set_targets(h, 1);
    Group& group = h.batch().add_group({"ztf.g", "ztf", "g", "mjd", "mag", "magerr", kMjdUtc});
    Column& flags = group.add({"catflags", DType::I32, "", ""});
    for (const std::int32_t flag : {0, 4, 0}) flags.append(flag);
    group.close_row();
  };
  Harness strict("ztf-quality", {{"bands", "[\"g\"]"}});
  without_chi(strict);
  CHECK_THROWS_WITH(strict.run(), Contains("column 'chi'") && Contains("skip_missing = true"));
  Harness lenient("ztf-quality", {{"bands", "[\"g\"]"}, {"skip_missing", "true"}});
  without_chi(lenient);
  lenient.run();
  CHECK(lenient.batch().group("ztf.g").epochs() == 2);
  REQUIRE(lenient.messages().size() == 1);
  CHECK_THAT(lenient.messages()[0], Contains("chi of ztf.g") && Contains("airmass of ztf.g"));
}
