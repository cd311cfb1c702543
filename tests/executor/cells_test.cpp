// What a cell holds, from the stage that gives it to the stage that reads it, and results of one
// object that belong together.
#include <cmath>

#include "qsohost/testing.hpp"
#include "support.hpp"

using namespace qsohost;
using Catch::Contains;
using Catch::StartsWith;

namespace {

struct CellRun : FauxRun {
  CellRun(const std::string& source, const std::string& stages) {
    text = chain_of(stage(source, "label = \"source\"\n") + stages);
    options.dry_run = true;
  }
  // What --check or the run says, and where.
  std::string message_of(const std::vector<std::pair<std::string, std::string>>& set) {
    auto chain = load(set);
    std::string out;
    for (const Problem& p : problems) {
      if (!p.is_warning) out += "check: " + p.text() + "\n";
    }
    if (!chain || !out.empty()) return out;
    try {
      return "run: " + qsohost::run(*chain, options).error;
    } catch (const UsageError& e) {  // by who looks at the chain once the source is open
      return std::string("run: ") + e.what();
    }
  }
};

const std::string kHalf = stage("faux-fetch") + stage("half-fit");

}  // namespace

TEST_CASE("a cell of several values is refused where one is read, as soon as widths are known") {
  CellRun r("vector-source", stage("read-z"));
  const std::pair<const char*, const char*> ways[] = {{"true", "check: "}, {"false", "run: "}};
  for (const auto& [early, where] : ways) {
    const std::string message = r.message_of({{"source.early", early}});
    CHECK_THAT(message, StartsWith(where) &&
                            Contains("needs column 'z' (redshift) with 1 value per object") &&
                            Contains("stage 'source' gives 2 values per object") &&
                            Contains("name another column, or split this one"));
  }
  CHECK(r.message_of({{"source.width", "1"}}) == "run: ");
  CHECK_THAT(
      r.message_of({{"source.width", "1"}, {"source.early", "true"}, {"read-z.declares", "3"}}),
      Contains("with 3 values per object") && Contains("gives 1 value per object"));
  CellRun by_port("vector-source", stage("read-z-pairs"));
  CHECK(by_port.message_of({}) == "run: ");
  CHECK_THAT(by_port.message_of({{"source.width", "1"}}), Contains("with 2 values per object"));
}

TEST_CASE("a cell of several values is never read as one, whatever was declared") {
  CellRun r("vector-source", stage("read-z"));
  for (const char* declares : {"0", "-1"}) {
    CHECK_THAT(
        r.message_of({{"read-z.declares", declares}}),
        Contains("stage 'read-z'") && Contains("object 1: column 'z' has cells of 2 values"));
  }
}

TEST_CASE("columns are of the type and width that was declared") {
  CellRun r("vector-source", stage("read-z"));
  CHECK_THAT(r.message_of({{"source.width", "1"}, {"source.gives", "2"}}),
             Contains("stage 'source'") &&
                 Contains("declared column 'z' as f64 with 1 values a cell, but gave f64 with 2"));
}

TEST_CASE("an object has all of its results or none") {
  CellRun r("faux-source", kHalf);
  r.options.threads = GENERATE(1, 8);
  std::int64_t bad = 0;
  r.options.batch_done = [&](const Batch& batch, const auto&) {
    const auto column = [&](const char* name) -> const Column& {
      return batch.objects().at(std::string("half-fit.") + name);
    };
    const Group& arrays = batch.group("half-fit.a");
    const Group& epochs = batch.group("faux.g");
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      const std::int64_t id = std::stoll(batch.id(row));
      const bool is_bad = id % 2 == 0;
      bad += is_bad ? 1 : 0;
      INFO("object " << id);
      const double mean = column("mean").number(row);
      const double pair[] = {column("pair").number(2 * row), column("pair").number(2 * row + 1)};
      CHECK(column("n").number(row) == static_cast<double>(is_bad ? -1 : id));
      CHECK((is_bad ? std::isnan(mean) : mean == static_cast<double>(id)));
      CHECK((is_bad ? std::isnan(pair[0]) : pair[0] == static_cast<double>(id)));
      CHECK((is_bad ? std::isnan(pair[1]) : pair[1] == static_cast<double>(id) + 0.5));
      CHECK(column("text").strings()[2 * row + 1] == "t");
      const Slice mine = arrays.slice(row);
      CHECK(mine.count == static_cast<std::size_t>(is_bad ? 0 : id % 4));
      for (std::size_t k = mine.first; k < mine.first + mine.count; ++k) {
        CHECK(arrays.at("x").number(k) == 0.5 * static_cast<double>(id));
        CHECK(arrays.at("y").number(k) == static_cast<double>(id));
      }
      const Slice s = epochs.slice(row);
      for (std::size_t k = s.first; k < s.first + s.count; ++k) {
        CHECK(epochs.at("keep").number(k) == (is_bad ? 1 : 0));
      }
    }
  };
  const RunReport report = r.run();
  CHECK(report.error.empty());
  CHECK(bad == 50);
  CHECK(report.stages.back().bad == 50);
  REQUIRE(report.stages.back().counts.size() == 1);
  CHECK(report.stages.back().counts[0].n == 50);  // what a bad object had counted is gone too
}

TEST_CASE("arrays of one object that differ in length are an error that names it") {
  CellRun r("faux-source", kHalf);
  CHECK_THAT(r.message_of({{"half-fit.fails", "uneven"}}),
             Contains("stage 'half-fit'") && Contains("object 7: group 'half-fit.a'") &&
                 Contains("column 'x' got 1 elements and column 'y' 0"));
}

TEST_CASE("a fitter writes to its own columns, as they were declared") {
  CellRun r("faux-source", kHalf);
  CHECK_THAT(
      r.message_of({{"half-fit.fails", "set pair"}}),
      Contains("column 'half-fit.pair' was declared with 2 values a cell") && Contains("cell()"));
  CHECK_THAT(r.message_of({{"half-fit.fails", "set z"}}),
             Contains("did not declare") && Contains("'z'"));
  CHECK_THAT(r.message_of({{"half-fit.fails", "own epochs"}}),
             Contains("group 'half-fit.a' is the fitter's own") && Contains("append()"));
}

TEST_CASE("the harness checks cells by the same rules") {
  Harness vectors("read-z");
  vectors.targets({{1, 0, 0}, {2, 0, 0}});
  Column& z = vectors.batch().objects().add({"z", DType::F64, "", "", 2});
  for (int i = 0; i < 4; ++i) z.append(0.1 * i);
  CHECK_THROWS_WITH(vectors.run(), Contains("needs column 'z'") && Contains("gives 2 values"));

  Harness half("half-fit");
  half.light_curves("faux.g", {{{1, 2}, {18, 18}, {0.1, 0.1}}, {{1}, {18}, {0.1}}});
  half.batch().objects().at("source_id").values<std::int64_t>()[0] = 2;
  half.run();
  CHECK(half.bad_objects() == std::vector<std::string>{"2: made bad"});
  CHECK(half.batch().objects().at("half-fit.n").number(0) == -1);
  CHECK(half.batch().objects().at("half-fit.n").number(1) == 1);
  CHECK(half.batch().group("half-fit.a").slice(0).count == 0);
  CHECK(half.batch().group("half-fit.a").slice(1).count == 1);
  CHECK(half.count("faux.g", "fitted") == 1);
}
