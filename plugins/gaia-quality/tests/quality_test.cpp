#include <catch2/catch.hpp>

#include <qsohost/error.hpp>
#include <qsohost/testing.hpp>

using namespace qsohost;
using Catch::Matchers::Contains;

namespace {

using Ids = std::vector<std::int64_t>;
using Flags = std::vector<int>;  // 0, 1; -1: null

constexpr const char* kVariabilityG = "variability_flag_g_reject";
constexpr const char* kNoisy = "photometry_flag_noisy_data";
constexpr const char* kVariabilityBp = "variability_flag_bp_reject";

void append(Column& column, int value) {
  if (value < 0) {
    column.append_null();
  } else if (column.dtype() == DType::Bool) {
    column.append(value != 0);
  } else {
    column.append(static_cast<std::int16_t>(value));
  }
}

// Objects with the numbers of epochs in `lengths`; flags continue from object to object.
void add_group(Batch& batch, const char* name,
               const std::vector<std::pair<const char*, Flags>>& flags,
               const std::vector<std::uint64_t>& lengths, DType dtype = DType::Bool) {
  Group& group = batch.add_group({.name = name, .survey = "gaia"});
  Column& id = group.add({"epoch_id", DType::I64, "", ""});
  for (std::size_t i = 0; i < flags[0].second.size(); ++i) id.append(static_cast<std::int64_t>(i));
  for (const auto& [flag, values] : flags) {
    Column& column = group.add({flag, dtype, "", ""});
    for (const int value : values) append(column, value);
  }
  group.append_rows(lengths);
}

void set_targets(Harness& h, std::size_t n) {
  std::vector<Target> targets(n);
  for (std::size_t i = 0; i < n; ++i) targets[i].source_id = static_cast<std::int64_t>(i);
  h.targets(targets);
}

Ids kept(Harness& h, const char* group) {
  const auto ids = h.batch().group(group).at("epoch_id").values<std::int64_t>();
  return {ids.begin(), ids.end()};
}

}  // namespace

TEST_CASE("nothing is cut by default") {
  Harness h("gaia-quality");
  set_targets(h, 1);
  add_group(h.batch(), "gaia.g", {{kVariabilityG, {1, 0}}, {kNoisy, {1, 1}}}, {2});
  h.run();
  CHECK(kept(h, "gaia.g") == Ids{0, 1});
  CHECK(h.counts().empty());
}

TEST_CASE("a flag cuts epochs of its band alone, and what it cut is counted") {
  for (const DType dtype : {DType::Bool, DType::I16}) {
    Harness h("gaia-quality", {{"flags", R"(["variability_flag_g_reject",
                                             "photometry_flag_noisy_data"])"}});
    set_targets(h, 3);
    add_group(h.batch(), "gaia.g", {{kVariabilityG, {1, 0, 0, 1, 0}}, {kNoisy, {0, 0, 1, 1, 0}}},
              {2, 2, 1}, dtype);
    add_group(h.batch(), "gaia.bp", {{kVariabilityBp, {1, 1}}}, {1, 1, 0}, dtype);
    h.run();
    CHECK(kept(h, "gaia.g") == Ids{1, 4});
    CHECK(kept(h, "gaia.bp") == Ids{0, 1});
    CHECK(h.batch().rows() == 3);
    CHECK(h.batch().group("gaia.g").slice(1).count == 0);
    CHECK(h.count("gaia.g", "epochs in") == 5);
    CHECK(h.count("gaia.g", "epochs kept") == 2);
    CHECK(h.count("gaia.g", "failed variability_flag_g_reject") == 2);
    CHECK(h.count("gaia.g", "failed photometry_flag_noisy_data") == 2);
    CHECK(h.count("gaia.g", "removed by variability_flag_g_reject") == 2);
    CHECK(h.count("gaia.g", "removed by photometry_flag_noisy_data") == 1);
    CHECK(h.count("gaia.g", "objects left with none") == 1);
    CHECK(h.count("gaia.bp", "epochs in") == 0);
  }
}

TEST_CASE("an unknown flag cuts as well") {
  Harness h("gaia-quality", {{"flags", "\"variability_flag_bp_reject\""}});
  set_targets(h, 1);
  add_group(h.batch(), "gaia.bp", {{kVariabilityBp, {0, -1, 1, 0}}}, {4});
  h.run();
  CHECK(kept(h, "gaia.bp") == Ids{0, 3});
}

TEST_CASE("a flag that is not there is an error, or a rule left out with a warning") {
  const std::string flags = R"(["photometry_flag_af1_reject", "variability_flag_g_reject"])";
  Harness strict("gaia-quality", {{"flags", flags}});
  set_targets(strict, 1);
  add_group(strict.batch(), "gaia.g", {{kVariabilityG, {1, 0}}}, {2});
  CHECK_THROWS_WITH(strict.run(),
                    Contains("columns = [\"photometry_flag_af1_reject\"] in gaia-epoch") &&
                        Contains("skip_missing"));
  Harness lenient("gaia-quality", {{"flags", flags}, {"skip_missing", "true"}});
  set_targets(lenient, 1);
  add_group(lenient.batch(), "gaia.g", {{kVariabilityG, {1, 0}}}, {2});
  lenient.run();
  CHECK(kept(lenient, "gaia.g") == Ids{1});
  REQUIRE(lenient.messages().size() == 1);
  CHECK_THAT(lenient.messages()[0], Contains("photometry_flag_af1_reject"));
}

TEST_CASE("missing light curves or flags are errors") {
  Harness no_group("gaia-quality", {{"flags", "\"variability_flag_rp_reject\""}});
  set_targets(no_group, 1);
  add_group(no_group.batch(), "gaia.bp", {{kVariabilityBp, {0}}}, {1});
  CHECK_THROWS_WITH(no_group.run(), Contains("gaia.rp"));
  CHECK_THROWS_WITH(Harness("gaia-quality", {{"flags", "\"variability_flag_r_reject\""}}),
                    Contains("variability_flag_rp_reject"));
}
