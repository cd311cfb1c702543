// Line-ups of fitters: what of a chain is run, and what a host gets of each batch.
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>

#include "compare/compare.hpp"
#include "support.hpp"

using namespace qsohost;
using namespace qsohost::cli;
using Catch::Contains;

namespace {

struct LineUpRun : FauxRun {
  std::optional<Chain> load_line_up(const FitterComparison& line_up,
                                    const std::vector<std::pair<std::string, std::string>>& set) {
    std::ofstream(folder / "chain.toml") << text;
    problems.clear();
    auto chain = Chain::load(folder / "chain.toml", {set, {}}, line_up, plugins, problems);
    for (const Problem& p : problems) UNSCOPED_INFO(p.text());
    return chain;
  }
  std::vector<std::string> lines(const std::string& file) const {
    std::ifstream in(folder / file);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
  }
};

}  // namespace

TEST_CASE("a line-up stands where the fitter stood, without sinks and what comes behind") {
  LineUpRun r;
  const auto chain = r.load_line_up({{"faux-fit"}, ""}, {});
  REQUIRE(chain);
  CHECK(r.problems.empty());  // not even of the missing sink
  std::string labels;
  for (const ChainStage& stage : chain->stages()) labels += stage.label + " ";
  CHECK(labels == "source fetch filter faux-fit ");
  CHECK(r.load_line_up({{"faux-fit"}, "fit"}, {{"faux-fit.fail_at", "3"}}));
  CHECK(r.load_line_up({{"faux-fit"}, "fit"}, {{"fit.fail_at", "3"}}));
  CHECK_FALSE(r.load_line_up({{"faux-fit"}, "filter"}, {}));
  CHECK_THAT(r.problems.front().text(), Contains("no fitter is called 'filter'"));
  CHECK_FALSE(r.load_line_up({{"faux-filter"}, ""}, {}));
  r.text = r.text.substr(0, r.text.find("[[stage]]\nuse = \"faux-fit\""));
  CHECK_FALSE(r.load_line_up({{"faux-fit"}, ""}, {}));
  CHECK_THAT(r.problems.front().text(), Contains("has no fitter"));
}

TEST_CASE("bad objects are failures with the fitter's own words, in source order") {
  LineUpRun r;
  std::ofstream(r.folder / "bad") << "x";
  auto chain = r.load_line_up({{"faux-fit"}, ""}, {{"fit.bad_while", (r.folder / "bad").string()}});
  REQUIRE(chain);
  const CompareReport report = compare(*chain, r.options, r.folder / "t.csv");
  CHECK(report.run.end == RunEnd::Done);
  REQUIRE(report.fitters.size() == 1);
  const FitterScore& score = report.fitters.front();
  REQUIRE_FALSE(score.reasons.empty());
  std::uint64_t bad = 0;
  for (const auto& [reason, n] : score.reasons) {
    if (reason == "made bad") bad = n;
  }
  CHECK(bad > 0);
  const auto lines = r.lines("t.csv");
  CHECK(lines.size() == score.curves + 1);
  CHECK_THAT(lines.front(), Contains("source_id,group,band,fitter") && Contains("failure"));
  std::uint64_t counted = 0;
  long before = -1;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const long id = std::stol(lines[i]);
    CHECK(id > before);
    before = id;
    const bool is_bad = lines[i].find("made bad") != std::string::npos;
    CHECK(is_bad == (id % 10 == 6));
    counted += is_bad ? 1 : 0;
  }
  CHECK(counted == bad);
  CHECK_FALSE(std::filesystem::exists(r.options.run_dir));
}

TEST_CASE("a fitter that adds arrays alone has its share of the time and no results to compare") {
  LineUpRun r;
  auto chain = r.load_line_up({{"faux-fit", "faux-arrays"}, ""}, {});
  REQUIRE(chain);
  const CompareReport report = compare(*chain, r.options, r.folder / "t.csv");
  CHECK(report.run.end == RunEnd::Done);
  REQUIRE(report.fitters.size() == 2);
  const FitterScore& arrays = report.fitters[1];
  CHECK(arrays.curves == report.fitters[0].curves);
  CHECK(arrays.failed == arrays.curves);
  CHECK(std::isfinite(arrays.total_seconds));
  CHECK(std::isfinite(arrays.median_seconds));
  for (const std::string& line : r.lines("t.csv")) CHECK_THAT(line, !Contains("inf"));

  chain = r.load_line_up({{"faux-arrays"}, ""}, {});
  REQUIRE(chain);
  const CompareReport alone = compare(*chain, r.options, r.folder / "alone.csv");
  CHECK(alone.run.end == RunEnd::Done);
  CHECK(alone.fitters.front().total_seconds == 0);
  CHECK(r.lines("alone.csv").size() == 1);  // there is nothing to compare
}

TEST_CASE("a comparison that fails or is interrupted keeps the earlier table") {
  LineUpRun r;
  std::ofstream(r.folder / "t.csv") << "mine\n";
  auto chain = r.load_line_up({{"faux-fit"}, ""}, {{"fit.fail_at", "21"}, {"fit.fails", "std"}});
  REQUIRE(chain);
  const CompareReport failed = compare(*chain, r.options, r.folder / "t.csv");
  CHECK(failed.run.end == RunEnd::Failed);
  CHECK_THAT(failed.run.error, Contains("faux-fit"));
  CHECK(failed.table.empty());
  CHECK(r.lines("t.csv") == std::vector<std::string>{"mine"});
  CHECK_FALSE(std::filesystem::exists(r.folder / "t.csv.part"));

  std::atomic<int> interrupts = 1;
  r.options.interrupts = &interrupts;
  chain = r.load_line_up({{"faux-fit"}, ""}, {});
  const CompareReport interrupted = compare(*chain, r.options, r.folder / "t.csv");
  CHECK(interrupted.run.end == RunEnd::Interrupted);
  CHECK(r.lines("t.csv") == std::vector<std::string>{"mine"});
}
