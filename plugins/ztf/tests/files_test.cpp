// The whole stage, on generated files and on the archive's.
#include <catch2/catch.hpp>

#include <qsohost/error.hpp>
#include <qsohost/testing.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "answers.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

// Folder of real responses; empty if the tests run without them.
fs::path real_data() {
  const char* data = std::getenv("QSO_SHARED_DATA");
  const fs::path folder = fs::path(data == nullptr ? "" : data) / "ztf";
  if (data != nullptr && fs::is_directory(folder)) return folder;
  WARN("skipped: no folder ztf in QSO_SHARED_DATA");
  return {};
}

// A temporary folder.
class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "ztf-files-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Folder() { fs::remove_all(path_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
  }
  std::string pattern() const { return (path_ / "{source_id}.csv").string(); }

 private:
  fs::path path_;
};

std::string quoted(const std::string& text) {
  return '"' + text + '"';
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<Target> real_targets(const fs::path& folder) {
  std::vector<Target> targets;
  const auto lines = lines_of(folder / "targets.csv");
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::istringstream in(lines[i]);
    Target t;
    char comma;
    in >> t.source_id >> comma >> t.ra >> comma >> t.dec;
    targets.push_back(t);
  }
  return targets;
}

// Counted without our readers: rows with ",zg," in them.
std::uint64_t rows_with(const fs::path& file, const std::string& filter) {
  std::uint64_t n = 0;
  for (const std::string& row : lines_of(file))
    n += row.find("," + filter + ",") != row.npos ? 1 : 0;
  return n;
}

}  // namespace

TEST_CASE("each object ends as its file says") {
  const Folder folder;
  folder.write("1.csv", kHeader + line({}) + line({.mjd = "58203"}));
  folder.write("2.csv", kHeader);
  folder.write("3.csv", kHeader + line({.dec = "21"}));
  folder.write("4.csv", "");
  folder.write("5.csv", kHeader + line({}) + line({}).substr(0, 50));
  folder.write("7.csv", kHeader + line({.mag = "bright"}));
  folder.write("8.csv", kHeader + line({.filter = "zr"}));

  Harness h("ztf-files", {{"path", quoted(folder.pattern())}});
  std::vector<Target> targets;
  for (std::int64_t id = 1; id <= 8; ++id) targets.push_back({id, 10, 20});
  h.targets(targets);
  h.run();

  const auto& states = h.outcomes();
  const std::vector<Outcome> expected{Outcome::Matched,   Outcome::NotFound, Outcome::NotFound,
                                      Outcome::Failed,    Outcome::Failed,   Outcome::Failed,
                                      Outcome::BadObject, Outcome::Matched};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO("object " << i + 1 << ": " << states[i].reason);
    CHECK(states[i].outcome == expected[i]);
    if (expected[i] != Outcome::Matched) {
      CHECK_THAT(states[i].reason, Contains("/" + std::to_string(i + 1) + ".csv: "));
    }
  }
  CHECK_THAT(states[4].reason, Contains("line 3"));
  CHECK_THAT(states[5].reason, Contains("no such file"));
  CHECK_THAT(states[6].reason, Contains("line 2"));

  const Group& g = h.batch().group("ztf.g");
  CHECK(g.epochs() == 2);  // nothing remains of the objects that failed half-way
  CHECK(g.slice(0).count == 2);
  CHECK(h.batch().group("ztf.r").slice(7).count == 1);
  CHECK(g.info().survey == "ztf");
  CHECK(g.info().time_system == kMjdUtc);
  CHECK(h.count("ztf.g", "epochs added") == 2);
  CHECK(h.count("ztf.g", "epochs outside the radius") == 1);
}

TEST_CASE("mistakes in the path are told before anything is read") {
  CHECK_THROWS_AS(Harness("ztf-files", {{"path", "\"answers.csv\""}}), UsageError);
  CHECK_THROWS_WITH(Harness("ztf-files", {{"path", "\"answers.csv\""}}), Contains("{source_id}"));
  Harness no_folder("ztf-files", {{"path", "\"/no/such/folder/{source_id}.csv\""}});
  no_folder.targets({{1, 10, 20}});
  CHECK_THROWS_WITH(no_folder.run(), Contains("/no/such/folder"));
}

TEST_CASE("real answers: epochs per band against a count of the files' lines", "[.data]") {
  const fs::path data = real_data();
  if (data.empty()) return;
  Harness h("ztf-files", {{"path", quoted((data / "irsa/{source_id}.csv").string())}});
  const auto targets = real_targets(data);
  REQUIRE(targets.size() == 15);
  h.targets(targets);
  h.run();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const fs::path file = data / "irsa" / (std::to_string(targets[i].source_id) + ".csv");
    INFO(file << ": " << h.outcomes()[i].reason);
    const std::uint64_t g = rows_with(file, "zg");
    const std::uint64_t r = rows_with(file, "zr");
    CHECK(h.batch().group("ztf.g").slice(i).count == g);
    CHECK(h.batch().group("ztf.r").slice(i).count == r);
    CHECK(h.outcomes()[i].outcome == (g + r > 0 ? Outcome::Matched : Outcome::NotFound));
  }
  CHECK(h.batch().group("ztf.g").epochs() == 11048);
  CHECK(h.batch().group("ztf.r").epochs() == 15936);
  CHECK(h.batch().group("ztf.i").epochs() == 0);
}

TEST_CASE("an older real answer: decimal ccdid, CRLF, a position for each epoch", "[.data]") {
  const fs::path data = real_data();
  if (data.empty()) return;
  Harness h("ztf-files", {{"path", quoted((data / "{source_id}_dr_old.csv").string())}});
  Column& id = h.batch().objects().add({"source_id", DType::String, "", ""});
  id.append_string("mrk335");
  h.batch().objects().add({"ra", DType::F64, "deg", ""}).append(1.58138);
  h.batch().objects().add({"dec", DType::F64, "deg", ""}).append(20.20297);
  h.run();
  const Group& g = h.batch().group("ztf.g");
  CHECK(g.epochs() == 431);
  CHECK(g.at("ccdid").values<std::int16_t>()[0] == 10);
  CHECK(g.at("mjd").values<double>()[1] == 58277.4619213);
  const auto flags = g.at("catflags").values<std::int32_t>();
  CHECK(std::count(flags.begin(), flags.end(), 32768) == 38);
}

TEST_CASE("a real VOTable: two sources in one quadrant", "[.data]") {
  const fs::path data = real_data();
  if (data.empty()) return;
  std::size_t first = 0;
  for (const std::string& row : lines_of(data / "two_oids.vot")) {
    first += row.find("<TD>686103400034440</TD>") != row.npos ? 1 : 0;
  }
  const auto epochs = [&](const char* radius, const char* objects) {
    Harness h("ztf-files", {{"path", quoted((data / "{source_id}_oids.vot").string())},
                            {"radius_arcsec", radius},
                            {"objects", quoted(objects)}});
    h.batch().objects().add({"source_id", DType::String, "", ""}).append_string("two");
    h.batch().objects().add({"ra", DType::F64, "deg", ""}).append(298.00253);
    h.batch().objects().add({"dec", DType::F64, "deg", ""}).append(29.87147);
    h.run();
    return h.batch().group("ztf.g").epochs();
  };
  CHECK(epochs("2.0", "all") == first);
  CHECK(epochs("10.0", "all") == 297);
  CHECK(epochs("10.0", "nearest") == first);
}

// Offsets by numpy. The medians of the two curves differ by 0.194 mag, for this object varies.
TEST_CASE("real answers: offsets between fields and quadrants, of a variable object", "[.data]") {
  const fs::path data = real_data();
  if (data.empty()) return;
  std::vector<std::vector<float>> mags;
  for (const char* align : {"none", "median"}) {
    Harness h("ztf-files", {{"path", quoted((data / "irsa/{source_id}.csv").string())},
                            {"align_oids", quoted(align)}});
    h.targets({{4318508939464901760, 295.35418696818675, 15.381811847693582}});
    h.run();
    const Group& sources = h.batch().group("ztf-files.sources.ztf.r");
    REQUIRE(sources.epochs() == 3);
    const auto oid = sources.at("oid").values<std::int64_t>();
    const auto offset = sources.at("offset").values<float>();
    const auto error = sources.at("offset_err").values<float>();
    CHECK(oid[1] == 541216200051994);
    CHECK(offset[1] == Approx(0.0099).margin(1e-4));
    CHECK(error[1] == Approx(0.0079).margin(1e-4));
    CHECK(sources.at("n_pairs").values<std::int32_t>()[1] == 708);
    CHECK(offset[0] == 0);
    CHECK(offset[2] == Approx(0.0026).margin(1e-4));
    CHECK_THAT(h.outcomes()[0].detail, Catch::Matchers::EndsWith("oids 6"));
    const auto values = h.batch().group("ztf.r").at("mag").values<float>();
    mags.emplace_back(values.begin(), values.end());
  }
  REQUIRE(mags[0].size() == 3195);  // 1160 of the first oid, then 1006 of the second
  CHECK(mags[0][0] == mags[1][0]);
  CHECK(mags[0][1200] - mags[1][1200] == Approx(0.0099).margin(1e-4));
}
