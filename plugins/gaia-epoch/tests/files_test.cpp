#include <catch2/catch.hpp>

#include <qsohost/error.hpp>
#include <qsohost/testing.hpp>

#include <unistd.h>
#include <fstream>

#include "epoch_file.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;
using test::EpochFile;
using test::kNaN;

namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "gaia-epoch-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Folder() { fs::remove_all(path); }
  std::string file(const char* name = "epochs.fits") const { return (path / name).string(); }
  fs::path path;
};

using Options = std::vector<std::pair<std::string, std::string>>;

Options from(const std::string& file, Options more = {}) {
  more.emplace_back("archive", "\"files\"");
  more.emplace_back("paths", "\"" + file + "\"");
  return more;
}

void ask(Harness& h, const std::vector<std::int64_t>& ids) {
  std::vector<Target> targets;
  for (const std::int64_t id : ids) targets.push_back({id, 0, 0});
  h.targets(targets);
  h.run();
}

template <class T>
std::vector<Stored<T>> values(Harness& h, const char* group, const char* column) {
  const auto v = h.batch().group(group).at(column).values<T>();
  return {v.begin(), v.end()};
}

using Doubles = std::vector<double>;
using Ids = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("columns of the table go to the groups of their bands") {
  const Folder folder;
  EpochFile().source(7, {10, 11}).source(5, {20}).write(folder.file());
  Harness h("gaia-epoch", from(folder.file()));
  ask(h, {5, 6, 7});
  CHECK(h.outcomes()[0].outcome == Outcome::Matched);
  CHECK(h.outcomes()[1].outcome == Outcome::NotFound);
  CHECK_THAT(h.outcomes()[1].reason, Contains("6"));
  CHECK(h.outcomes()[2].outcome == Outcome::Matched);
  CHECK(h.outcomes()[2].epochs == 6);
  for (const char* name : {"gaia.g", "gaia.bp", "gaia.rp"}) {
    const Group& group = h.batch().group(name);
    CHECK(group.slice(0).count == 1);
    CHECK(group.slice(1).count == 0);
    CHECK(group.slice(2).count == 2);
    CHECK(group.info().time_system == kGaiaTime);
    CHECK(values<std::int64_t>(h, name, "epoch_id") == Ids{0, 0, 1});
  }
  // Columns of the file count from 1: source_id, n_transits, transit_id, g_transit_time, ...
  CHECK(values<double>(h, "gaia.g", "time") == Doubles{20.04, 10.04, 11.04});
  CHECK(values<double>(h, "gaia.g", "flux_error") == Doubles{20.06, 10.06, 11.06});
  CHECK(values<double>(h, "gaia.bp", "time") == Doubles{20.09, 10.09, 11.09});
  CHECK(values<double>(h, "gaia.bp", "mag") == Doubles{20.12, 10.12, 11.12});
  CHECK(values<double>(h, "gaia.rp", "flux") == Doubles{20.15, 10.15, 11.15});
  // photometry_flag_noisy_data is column 19, sm_unavailable 20, variability_flag_bp_reject 45.
  using Flags = std::vector<std::uint8_t>;
  CHECK(values<bool>(h, "gaia.g", "photometry_flag_noisy_data") == Flags{0, 0, 0});
  CHECK(values<bool>(h, "gaia.g", "photometry_flag_sm_unavailable") == Flags{1, 1, 0});
  CHECK(h.batch().group("gaia.bp").find("variability_flag_bp_reject") != nullptr);
  CHECK(h.batch().group("gaia.bp").find("photometry_flag_bp_unavailable") != nullptr);
  CHECK(h.batch().group("gaia.g").find("transit_id") == nullptr);
}

TEST_CASE("flags may be bool or small integers, and nothing else") {
  const Folder folder;
  EpochFile file(DType::I16);
  file.source(1, {2, 3}).source(2, {4});
  file.at("photometry_flag_sm_reject").values.values<std::int16_t>()[2] = 7;
  file.write(folder.file());
  Harness h("gaia-epoch", from(folder.file()));
  ask(h, {1, 2});
  using Flags = std::vector<std::uint8_t>;
  CHECK(values<bool>(h, "gaia.g", "photometry_flag_sm_unavailable") == Flags{1, 0});
  CHECK(h.outcomes()[1].outcome == Outcome::BadObject);
  CHECK_THAT(h.outcomes()[1].reason, Contains("photometry_flag_sm_reject") && Contains("7"));
}

TEST_CASE("nulls of flags stay null, nulls and NaN of numbers are NaN") {
  const Folder folder;
  EpochFile file;
  file.source(1, {2, 3, 4});
  file.at("photometry_flag_noisy_data").values.set_null(1);
  file.at("g_transit_flux").values.values<double>()[2] = kNaN;
  file.at("transit_id").values.set_null(1);
  file.write(folder.file());
  Harness h("gaia-epoch", from(folder.file(), {{"columns", "\"transit_id\""}}));
  ask(h, {1});
  CHECK(h.outcomes()[0].outcome == Outcome::Matched);
  const Group& g = h.batch().group("gaia.g");
  CHECK(std::isnan(g.at("flux").values<double>()[2]));
  CHECK(std::isnan(g.at("mag_err").values<double>()[2]));
  CHECK_FALSE(g.at("flux").has_nulls());
  CHECK(g.at("transit_id").is_null(1));
  CHECK_FALSE(g.at("transit_id").is_null(0));
}

TEST_CASE("mag_err follows from the flux, and is NaN where that is not above 0") {
  const Folder folder;
  EpochFile file;
  file.source(1, {2, 3, 4, 5});
  auto flux = file.at("bp_flux").values.values<double>();
  auto error = file.at("bp_flux_error").values.values<double>();
  flux[0] = 100;
  error[0] = 2;
  flux[1] = 0;
  flux[2] = -5;
  error[3] = kNaN;
  file.write(folder.file());
  Harness h("gaia-epoch", from(folder.file()));
  ask(h, {1});
  const Doubles mag_err = values<double>(h, "gaia.bp", "mag_err");
  CHECK(mag_err[0] == Approx(2.5 / std::log(10) * 0.02).epsilon(1e-15));
  for (const std::size_t i : {1, 2, 3}) CHECK(std::isnan(mag_err[i]));
}

TEST_CASE("extra columns") {
  const Folder folder;
  EpochFile().source(1, {2, 3}).write(folder.file());
  Harness h("gaia-epoch",
            from(folder.file(), {{"columns", R"(["transit_id", "n_transits", "rp_flux_over_error",
                                                 "photometry_flag_rp_reject"])"}}));
  ask(h, {9, 1});
  CHECK(values<std::int64_t>(h, "gaia.g", "transit_id") == Ids{2, 3});
  CHECK(values<float>(h, "gaia.rp", "flux_over_error") == std::vector<float>{2.18F, 3.18F});
  CHECK(h.batch().group("gaia.rp").find("photometry_flag_rp_reject") != nullptr);
  CHECK(h.batch().objects().at("n_transits").is_null(0));
  CHECK(h.batch().objects().at("n_transits").number(1) == 2);
  CHECK_THROWS_WITH(Harness("gaia-epoch", from("x", {{"columns", "\"n_transit\""}})),
                    Contains("n_transits"));
}

TEST_CASE("a band that lacks one of its arrays is empty, the others and the source are not") {
  const Folder folder;
  EpochFile file;
  file.source(1, {2, 3}).source(2, {4});
  file.at("bp_flux_error").offsets = {0, 0, 1};
  file.write(folder.file());
  Harness h("gaia-epoch", from(folder.file()));
  ask(h, {1, 2});
  for (const auto& state : h.outcomes()) CHECK(state.outcome == Outcome::Matched);
  CHECK(h.batch().group("gaia.g").slice(0).count == 2);
  CHECK(h.batch().group("gaia.bp").slice(0).count == 0);
  CHECK(h.batch().group("gaia.rp").slice(0).count == 2);
  CHECK(h.batch().group("gaia.bp").slice(1).count == 1);
  CHECK(h.count("gaia.bp", "rows left empty, an array is missing") == 1);
}

TEST_CASE("of rows to merge, one that lacks an array has no part in that band") {
  const Folder folder;
  EpochFile file;
  file.source(1, {2, 3}).source(1, {3, 4});
  file.at("bp_flux").offsets = {0, 0, 2};
  file.write(folder.file());
  Harness h("gaia-epoch", from(folder.file(), {{"columns", R"(["n_transits"])"}}));
  ask(h, {1});
  CHECK(h.outcomes()[0].outcome == Outcome::Matched);
  CHECK(h.batch().group("gaia.g").epochs() == 3);
  CHECK(h.batch().group("gaia.bp").epochs() == 2);
  CHECK(h.batch().group("gaia.rp").epochs() == 3);
  CHECK(h.batch().objects().at("n_transits").number(0) == 3);
  CHECK(h.count("epoch_photometry", "transits repeated") == 1);
}

TEST_CASE("arrays of a band have one length, bands may differ") {
  const Folder folder;
  EpochFile file;
  file.source(1, {2, 3}).source(2, {4});
  // One array of source 1 is longer than the rest of its band; source 2 lacks it.
  file.at("bp_mag").offsets = {0, 3, 3};
  for (const char* name : {"rp_obs_time", "rp_flux", "rp_flux_error", "rp_mag",
                           "photometry_flag_rp_unavailable", "variability_flag_rp_reject"}) {
    file.at(name).offsets = {0, 1, 2};
  }
  file.write(folder.file());
  Harness h("gaia-epoch", from(folder.file()));
  ask(h, {2, 1});
  CHECK(h.outcomes()[1].outcome == Outcome::BadObject);
  CHECK_THAT(h.outcomes()[1].reason, Contains("bp_mag"));

  file.at("bp_mag").offsets = {0, 2, 3};
  file.write(folder.file("good.fits"));
  Harness good("gaia-epoch", from(folder.file("good.fits")));
  ask(good, {1});
  CHECK(good.outcomes()[0].outcome == Outcome::Matched);
  CHECK(good.batch().group("gaia.bp").epochs() == 2);
  CHECK(good.batch().group("gaia.rp").epochs() == 1);
}

TEST_CASE("rows of one source are merged, every transit once, whatever their order") {
  const Folder folder;
  EpochFile().source(1, {30, 40}).source(2, {5}).source(1, {10, 30}).write(folder.file("a.fits"));
  EpochFile().source(1, {10, 30}).source(1, {30, 40}).write(folder.file("b.fits"));
  for (const char* name : {"a.fits", "b.fits"}) {
    Harness h("gaia-epoch",
              from(folder.file(name), {{"columns", R"(["transit_id", "n_transits"])"}}));
    ask(h, {1});
    CHECK(values<std::int64_t>(h, "gaia.g", "transit_id") == Ids{10, 30, 40});
    CHECK(values<double>(h, "gaia.rp", "mag") == Doubles{10.17, 30.17, 40.17});
    CHECK(values<std::int64_t>(h, "gaia.bp", "epoch_id") == Ids{0, 1, 2});
    CHECK(h.batch().objects().at("n_transits").number(0) == 3);
    CHECK(h.count("epoch_photometry", "sources of several rows, merged") == 1);
    CHECK(h.count("epoch_photometry", "transits repeated") == 1);
  }
}

TEST_CASE("a transit that is twice in one row is taken once, the first one, and counted") {
  const Folder folder;
  EpochFile file;
  file.source(1, {10, 30, 10, 30}).source(2, {5, 6});
  file.at("bp_flux").values.values<double>()[3] = 7;  // the second transit 30
  file.write(folder.file());
  const std::string columns = R"(["transit_id", "n_transits"])";
  Harness drop("gaia-epoch", from(folder.file(), {{"columns", columns}}));
  ask(drop, {1, 2});
  CHECK(values<std::int64_t>(drop, "gaia.g", "transit_id") == Ids{10, 30, 5, 6});
  CHECK(values<double>(drop, "gaia.rp", "mag") == Doubles{10.17, 30.17, 5.17, 6.17});
  CHECK(values<double>(drop, "gaia.bp", "flux")[1] != 7);
  CHECK(drop.batch().objects().at("n_transits").number(0) == 2);
  CHECK(drop.count("epoch_photometry", "transits repeated") == 1);
  CHECK(drop.count("epoch_photometry", "transits repeated with other values") == 1);

  Harness keep("gaia-epoch",
               from(folder.file(), {{"columns", columns}, {"duplicates", "\"keep\""}}));
  ask(keep, {1});
  CHECK(values<std::int64_t>(keep, "gaia.g", "transit_id") == Ids{10, 30, 10, 30});
  CHECK(keep.count("epoch_photometry", "transits repeated") == 0);
}

TEST_CASE("rows of one source with all of their transits, whatever their order") {
  const Folder folder;
  EpochFile().source(1, {30, 40}).source(1, {10, 30}).write(folder.file("a.fits"));
  EpochFile().source(1, {10, 30}).source(1, {30, 40}).write(folder.file("b.fits"));
  for (const char* name : {"a.fits", "b.fits"}) {
    Harness h("gaia-epoch", from(folder.file(name), {{"columns", R"(["transit_id", "n_transits"])"},
                                                     {"duplicates", "\"keep\""}}));
    ask(h, {1});
    CHECK(values<std::int64_t>(h, "gaia.g", "transit_id") == Ids{10, 30, 30, 40});
    CHECK(h.batch().objects().at("n_transits").number(0) == 4);
  }
}

// Without their places nobody knows which epochs of a band are the repeated transits.
TEST_CASE("repeated transits in a row whose bands have other lengths") {
  const Folder folder;
  EpochFile file;
  file.source(1, {30, 31, 30});
  for (const char* name : {"rp_obs_time", "rp_flux", "rp_flux_error", "rp_mag",
                           "photometry_flag_rp_unavailable", "variability_flag_rp_reject"}) {
    file.at(name).offsets = {0, 2};
  }
  file.write(folder.file());
  Harness drop("gaia-epoch", from(folder.file()));
  ask(drop, {1});
  CHECK(drop.outcomes()[0].outcome == Outcome::BadObject);
  CHECK_THAT(drop.outcomes()[0].reason, Contains("gaia.rp has 2") && Contains("\"keep\""));
  Harness keep("gaia-epoch", from(folder.file(), {{"duplicates", "\"keep\""}}));
  ask(keep, {1});
  CHECK(keep.batch().group("gaia.rp").epochs() == 2);
}

TEST_CASE("rows of one source that cannot be merged, or shall not be") {
  const Folder folder;
  EpochFile file;
  file.source(1, {30}).source(1, {30, 31}).source(2, {1});
  file.write(folder.file());
  Harness error("gaia-epoch", from(folder.file(), {{"duplicates", "\"error\""}}));
  ask(error, {1, 2});
  CHECK(error.outcomes()[0].outcome == Outcome::BadObject);
  CHECK_THAT(error.outcomes()[0].reason, Contains("2 rows"));
  CHECK(error.outcomes()[1].outcome == Outcome::Matched);

  file.at("rp_mag").values.values<double>()[1] = 3;
  file.write(folder.file("other.fits"));
  Harness differs("gaia-epoch", from(folder.file("other.fits")));
  ask(differs, {1});
  CHECK(differs.outcomes()[0].outcome == Outcome::BadObject);
  CHECK_THAT(differs.outcomes()[0].reason, Contains("transit 30"));
}

TEST_CASE("one source asked for twice, and identifiers that are none") {
  const Folder folder;
  EpochFile().source(1, {2, 3}).write(folder.file());
  Harness h("gaia-epoch", from(folder.file()));
  Column& id = h.batch().objects().add({"source_id", DType::String, "", ""});
  for (const char* text : {"1", "Gaia 1", "1"}) id.append_string(text);
  id.append_null();
  h.run();
  CHECK(h.outcomes()[0].outcome == Outcome::Matched);
  CHECK(h.outcomes()[1].outcome == Outcome::BadObject);
  CHECK(h.outcomes()[2].outcome == Outcome::Matched);
  CHECK(h.outcomes()[3].outcome == Outcome::BadObject);
  CHECK(h.batch().group("gaia.g").slice(2).count == 2);
}

TEST_CASE("files that are not the table") {
  const Folder folder;
  const auto refused = [&](const EpochFile& file, auto matcher) {
    file.write(folder.file());
    Harness h("gaia-epoch", from(folder.file()));
    CHECK_THROWS_WITH(ask(h, {1}), matcher);
  };
  EpochFile missing;
  missing.source(1, {2}).drop("bp_flux");
  missing.drop("variability_flag_g_reject");
  refused(missing, Contains("bp_flux, variability_flag_g_reject") && Contains("epochs.fits"));
  EpochFile type;
  type.source(1, {2}).drop("bp_flux");
  type.rename("transit_id", "BP_FLUX");
  refused(type, Contains("'BP_FLUX'") && Contains("i64"));
  EpochFile null;
  null.source(1, {2}).source(2, {3}).at("source_id").values.set_null(1);
  refused(null, Contains("row 2") && Contains("identifier"));
  std::ofstream(folder.file("text.fits")) << "source_id,transit_id\n";
  Harness text("gaia-epoch", from(folder.file("text.fits")));
  CHECK_THROWS_WITH(ask(text, {1}), Contains("text.fits"));
  Harness none("gaia-epoch", from(folder.file("none.fits")));
  CHECK_THROWS_WITH(ask(none, {1}), Contains("none.fits"));
  CHECK_THROWS_WITH(Harness("gaia-epoch", {{"archive", "\"files\""}}), Contains("paths"));
}

TEST_CASE("names of columns in capitals") {
  const Folder folder;
  EpochFile file;
  file.source(1, {2}).rename("g_transit_mag", "G_TRANSIT_MAG");
  file.write(folder.file());
  Harness h("gaia-epoch", from(folder.file()));
  ask(h, {1});
  CHECK(values<double>(h, "gaia.g", "mag") == Doubles{2.07});
}
