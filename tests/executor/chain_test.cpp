#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "support.hpp"

using namespace qsohost;
using Catch::Contains;

namespace {

const std::string kSource = stage("faux-source");

std::string problems_of(const FauxRun& r) {
  std::string out;
  for (const Problem& p : r.problems) {
    out += p.text().substr(p.text().find("chain.toml") + 11) + "\n";
  }
  return out;
}

// Of a chain that must not load.
std::string problems_of(const std::string& chain) {
  FauxRun r;
  r.text = chain;
  CHECK_FALSE(r.load());
  return problems_of(r);
}

}  // namespace

TEST_CASE("every mistake in a chain file is reported with its place") {
  FauxRun r;
  r.text = R"([chain]
name = "faux"
batch_row = 10
[[stage]]
use = "faux-source"
objects = "many"
[[stage]]
use = "faux-fetsh"
[[stage]]
use = "faux-filter"
every = 3
evry = 4
[[stage]]
use = "faux-sink"
label = "no spaces"
)";
  CHECK_FALSE(r.load());
  const std::string problems = problems_of(r);
  INFO(problems);
  CHECK(std::is_sorted(
      r.problems.begin(), r.problems.end() - 1,
      [](const Problem& a, const Problem& b) { return a.place.line < b.place.line; }));
  CHECK(r.problems.size() == 6);  // the last says where stages were looked for
  CHECK_THAT(r.problems.back().text(), Contains("searched") && Contains("qsohost list"));
  CHECK_THAT(problems, Contains("3:1: chain: no option 'batch_row'; did you mean 'batch_rows'?"));
  CHECK_THAT(problems, Contains("6:1: faux-source.objects wants an integer"));
  CHECK_THAT(problems, Contains("8:7: no stage 'faux-fetsh'; did you mean 'faux-fetch'?"));
  CHECK_THAT(problems, Contains("12:1: faux-filter: no option 'evry'; did you mean 'every'?"));
  CHECK_THAT(problems, Contains("15:9: label 'no spaces'"));
}

TEST_CASE("the folders that were searched are reported once") {
  const std::string problems = problems_of(chain_of(stage("one") + stage("two")));
  INFO(problems);
  CHECK_THAT(problems, Contains("4:7: no stage 'one';") && Contains("6:7: no stage 'two';"));
  const std::string searched = std::string("searched ") + std::getenv("QSOHOST_PLUGIN_PATH");
  const std::size_t first = problems.find(searched);
  REQUIRE(first != std::string::npos);
  CHECK(problems.find(searched, first + 1) == std::string::npos);
}

TEST_CASE("columns are followed from stage to stage") {
  const std::string problems =
      problems_of(chain_of(kSource + stage("faux-fit") + stage("faux-fetch") +
                           stage("faux-fetch", "label = \"again\"\n")));
  CHECK_THAT(problems,
             Contains("5:1: faux-fit needs group 'faux.g', which no earlier stage gives"));
  CHECK_THAT(problems,
             Contains("9:1: again adds group 'faux.g', which stage 'faux-fetch' has added"));
  CHECK_THAT(problems, Contains("warning: the chain has no Sink"));
}

TEST_CASE("a fitter's column of a light curve replaces an earlier fitter's, and no other") {
  FauxRun r;
  r.text = chain_of(kSource + stage("faux-fetch") + stage("faux-fit") +
                    stage("faux-fit", "label = \"again\"\n") + stage("faux-sink"));
  CHECK(r.run().error.empty());
  CHECK_FALSE(r.load({{"again.epochs", "mag"}}));
  CHECK_THAT(problems_of(r), Contains("9:1: again adds column 'mag' of group 'faux.g', which stage "
                                      "'faux-fetch' has added already"));
  r.problems.clear();
  CHECK_FALSE(r.load({{"again.reads_it", "true"}}));
  CHECK_THAT(problems_of(r),
             Contains("9:1: again adds column 'keep' of group 'faux.g', which stage "
                      "'faux-fit' has added already"));
}

TEST_CASE("times of different systems are not combined") {
  FauxRun r;
  r.text = chain_of(kSource + stage("faux-fetch") + stage("faux-clock") + stage("faux-sink") +
                    stage("reads-both"));
  CHECK_FALSE(r.load());
  CHECK_THAT(problems_of(r),
             Contains("11:1: reads-both reads the times of 'faux.g' (MJD UTC) and of "
                      "'clock.g' (BJD TCB - 2455197.5)"));
  r.problems.clear();
  CHECK(r.load({{"reads-both.converts", "true"}}));
  CHECK(r.load({{"faux-clock.like_faux", "true"}}));
}

TEST_CASE("a filter converts times for the stages after it, and no other stage may") {
  FauxRun r;
  r.text = chain_of(kSource + stage("faux-fetch") + stage("faux-clock") + stage("set-clock") +
                    stage("reads-both") + stage("faux-sink"));
  const auto chain = r.load();
  REQUIRE(chain);
  const auto& stages = chain->stages();
  const auto* before = stages[3].before.find_group("clock.g");
  const auto* after = stages[4].before.find_group("clock.g");
  CHECK(before->info.time_system == kGaiaTime);
  CHECK(after->info.time_system == kMjdUtc);
  CHECK(stages[4].before.find("clock.g", "time")->port.help ==
        "time, converted from BJD TCB - 2455197.5");
  CHECK_FALSE(r.load({{"reads-both.sets", "true"}}));
  CHECK_THAT(problems_of(r), Contains("reads-both is a Fitter and must not convert times"));
}

TEST_CASE("the order of roles is checked") {
  const std::string problems = problems_of(chain_of(stage("faux-filter") + kSource));
  CHECK_THAT(problems, Contains("3:1: faux-filter is a Filter; a chain begins with a Source"));
  CHECK_THAT(problems, Contains("5:1: faux-source is a Source; only the first"));
}

TEST_CASE("sinks that write other rows than the first are named") {
  const auto sink = [](const char* label, const char* rows) {
    return stage("faux-sink", fmt::format("label = \"{}\"\nrows = \"{}\"\n", label, rows));
  };
  FauxRun r;
  r.text =
      chain_of(kSource + stage("faux-sink", "label = \"silent\"\n") + sink("one", "sort_by = z") +
               sink("same", "sort_by = z") + sink("other", "sort_by = ra"));
  REQUIRE(r.load());
  REQUIRE(r.problems.size() == 1);
  CHECK(r.problems[0].is_warning);
  CHECK_THAT(problems_of(r),
             Contains("16:1: warning: other writes its rows with sort_by = ra, but one with "
                      "sort_by = z: their products will not be row-aligned"));
}

TEST_CASE("a chain file that is missing or not TOML is refused") {
  CHECK_THAT(problems_of("[chain]\nname = faux\n"), Contains("2:") && Contains("not TOML"));
  FauxRun r;
  CHECK_FALSE(Chain::load(r.folder / "nowhere.toml", {}, r.plugins, r.problems));
  CHECK(r.problems.size() == 1);
  CHECK_THAT(r.problems.front().text(), Contains("nowhere.toml"));
}

TEST_CASE("--set overrides options, and names what it cannot find") {
  FauxRun r;
  auto chain = r.load({{"source.objects", "7"}, {"chain.name", "other"}});
  REQUIRE(chain);
  CHECK(chain->settings().name == "other");
  const auto lines = chain->effective();
  CHECK(std::ranges::find(lines, "source.objects = 7") != lines.end());
  CHECK_FALSE(r.load({{"sourse.objects", "7"}}));
  CHECK_THAT(r.problems.front().text(),
             Contains("--set sourse.objects: no stage is called 'sourse'; did you mean 'source'"));
  CHECK_FALSE(r.load({{"source.objects", "seven"}}));
  CHECK_FALSE(r.load({{"objects", "7"}}));
}

TEST_CASE("paths in tables count from the chain file's folder too") {
  FauxRun r;
  r.text = chain_of(stage("faux-source", R"([[stage.table]]
file = "x.csv"
text = "y.csv"
)"));
  const auto chain = r.load();
  REQUIRE(chain);
  const auto& options = chain->stages()[0].stage->options();
  const auto it = std::ranges::find(options, "table", &OptionBase::name);
  REQUIRE(it != options.end());
  CHECK_THAT(to_toml((*it)->value()), Contains("/x.csv\", text = \"y.csv\""));
}

TEST_CASE("a stage is swapped only for another of its role") {
  FauxRun r;
  CHECK_FALSE(r.load({}, {{"fit", "faux-filter"}}));
  CHECK_THAT(r.problems.front().text(), Contains("'faux-filter' is a Filter and cannot take"));
  CHECK_FALSE(r.load({}, {{"fitt", "faux-fit"}}));
  CHECK_THAT(r.problems.front().text(), Contains("did you mean 'fit'"));
  CHECK(r.load({}, {{"fit", "faux-fit"}}));
}

TEST_CASE("the hash of a chain covers what can change its products") {
  FauxRun r;
  const std::string hash = r.load()->hash();
  CHECK(r.load()->hash() == hash);
  CHECK(r.load({{"filter.every", "6"}})->hash() != hash);
}

TEST_CASE("drawings name every stage") {
  FauxRun r;
  const auto chain = r.load();
  REQUIRE(chain);
  for (const char* format : {"dot", "mermaid", "text"}) {
    const std::string drawing = draw(*chain, format);
    for (const char* label : {"source", "fetch", "raw", "filter", "fit", "out"}) {
      CHECK_THAT(drawing, Contains(label));
    }
    CHECK_THAT(drawing, Contains("faux.g"));
  }
  CHECK_THROWS_AS(draw(*chain, "png"), UsageError);
}
