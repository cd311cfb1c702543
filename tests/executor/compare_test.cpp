// Line-ups of fitters: what of a chain is run, and what a host gets of each batch.
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>

#include "compare/compare.hpp"
#include "compare_command.hpp"
#include "qsohost/light_curve_fitter.hpp"
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
  using Set = std::vector<std::pair<std::string, std::string>>;
  // "faux-model" against "faux-cleaner".
  CompareReport models(const Set& set, Flagged flagged = Flagged::Compared) {
    auto chain = load_line_up({{"faux-model", "faux-cleaner"}, ""}, set);
    REQUIRE(chain);
    CompareReport report = compare(*chain, options, folder / "t.csv", flagged);
    REQUIRE(report.run.end == RunEnd::Done);
    REQUIRE(report.fitters.size() == 2);
    REQUIRE(report.pairs.size() == 1);
    REQUIRE(report.fitters[0].curves > 10);
    return report;
  }
};

bool has_value(const PairScore& pair, const std::string& name) {
  return std::ranges::any_of(pair.others, [&](const auto& other) { return other.name == name; });
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += text + "\n";
  return out;
}

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
  CHECK(alone.fitters.empty());
  CHECK_THAT(comparison_text(alone), Contains("there is nothing to compare"));
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

TEST_CASE("a fitter that cleans is compared by its fit of all epochs") {
  LineUpRun r;
  const CompareReport report = r.models({{"faux-cleaner.better_by", "2.5"}});
  const PairScore& pair = report.pairs.front();
  const std::uint64_t fitted = report.fitters[0].curves - report.fitters[0].failed;
  CHECK(pair.group == "faux.g");
  CHECK(pair.curves == fitted);
  CHECK(pair.aic.median_difference == 5);
  CHECK(pair.aic.second_is_lower == fitted);
  CHECK(pair.aic.first_is_lower == 0);
  CHECK(has_value(pair, "loglike"));
  for (const char* name : {"loglike_full", "loglike_post", "aic_post"}) {
    INFO(name);
    CHECK_FALSE(has_value(pair, name));
  }
  CHECK_THAT(joined(report.notes), Contains("faux-cleaner: its fits of all epochs") &&
                                       Contains("n_epochs - n_removed") && !Contains("jitter"));
  const auto lines = r.lines("t.csv");
  CHECK_THAT(lines[0], Contains("n_epochs,n_removed,n_parameters,flags"));
  CHECK_THAT(lines[1], Contains(",faux-model,") && Contains(",,3,0,"));
  CHECK_THAT(lines[2], Contains(",faux-cleaner,") && Contains(",2,3,0,"));
}

TEST_CASE("a jitter is counted, also at its bound, and told where it is one fitter's alone") {
  LineUpRun r;
  const auto counts = [](const FitterScore& score) {
    return std::pair(score.with_jitter, score.jitter_at_bound);
  };
  using Counts = std::pair<std::uint64_t, std::uint64_t>;
  CompareReport report = r.models({{"faux-cleaner.jitter", "true"}, {"faux-model.flags", "65536"}});
  const std::uint64_t fitted = report.pairs.front().curves;
  CHECK(counts(report.fitters[0]) == Counts{0, 0});  // the flag says something else without one
  CHECK(counts(report.fitters[1]) == Counts{fitted, 0});
  CHECK(report.pairs.front().aic.median_difference == -2);
  CHECK_THAT(joined(report.notes), Contains("faux-cleaner fits a jitter, faux-model does not"));
  CHECK_THAT(r.lines("t.csv")[2], Contains(",2,4,0,"));

  report = r.models({{"fit.jitter", "true"}, {"faux-model.flags", "65536"}});
  CHECK(counts(report.fitters[0]) == Counts{fitted, fitted});
  CHECK(counts(report.fitters[1]) == Counts{fitted, 0});
  CHECK(report.fitters[0].flagged == 0);  // a jitter of zero is no reason to distrust
  CHECK_THAT(joined(report.notes), !Contains("jitter"));
}

TEST_CASE("flagged light curves are counted by flag, and left out on request") {
  LineUpRun r;
  const std::string flags = std::to_string(kTwoSources | kShortBaseline | kEpochsWithoutPart);
  const LineUpRun::Set set{{"faux-cleaner.flags", flags}};
  CompareReport report = r.models(set);
  const std::uint64_t fitted = report.pairs.front().curves;
  CHECK(fitted > 0);
  CHECK(report.fitters[0].flagged == 0);
  CHECK(report.fitters[0].doubts.empty());
  CHECK(report.fitters[1].flagged == fitted);
  CHECK(report.fitters[1].doubts ==
        std::vector<std::pair<std::string, std::uint64_t>>{{"baseline below 10 tau", fitted},
                                                           {"two sources", fitted}});
  CHECK_THAT(joined(report.notes), Contains("--leave-out-flagged"));
  CHECK_THAT(comparison_text(report), Contains("two sources") && !Contains("left out"));

  report = r.models(set, Flagged::LeftOut);
  CHECK(report.pairs.front().curves == 0);
  CHECK(report.pairs.front().left_out == fitted);
  CHECK(report.pairs.front().aic.curves == 0);
  CHECK(report.fitters[1].flagged == fitted);
  CHECK_THAT(joined(report.notes), !Contains("--leave-out-flagged"));
  CHECK_THAT(comparison_text(report), Contains(" left out: flagged"));
}

TEST_CASE("fits of different numbers of epochs are not compared") {
  LineUpRun r;
  const CompareReport report = r.models({{"faux-model.more_epochs", "1"}});
  CHECK(report.pairs.front().curves == 0);
  CHECK(report.pairs.front().other_epochs > 0);
  CHECK(report.pairs.front().aic.curves == 0);
  CHECK_THAT(comparison_text(report),
             Contains("left out: not fitted to the same number of epochs"));
}

TEST_CASE("different means are told, and likelihoods over all means are not compared with others") {
  LineUpRun r;
  CompareReport report = r.models({{"fit.mean", "marginal"}});
  CHECK(report.pairs.front().aic.curves > 0);
  CHECK_THAT(joined(report.notes), !Contains("mean ="));

  report = r.models({{"faux-model.mean", "profiled"}});
  CHECK(report.pairs.front().aic.curves > 0);
  CHECK_THAT(joined(report.notes),
             Contains("faux-model has mean = \"profiled\", faux-cleaner has mean = \"median\": "
                      "likelihoods differ by that alone"));

  report = r.models({{"faux-model.mean", "marginal"}});
  CHECK(report.pairs.front().curves > 0);
  CHECK(report.pairs.front().aic.curves == 0);
  CHECK_FALSE(has_value(report.pairs.front(), "loglike"));
  CHECK_THAT(comparison_text(report), Contains("loglike, AIC and BIC are left out"));
}
