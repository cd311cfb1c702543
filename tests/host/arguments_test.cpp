#include "arguments.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace qsohost;
using namespace qsohost::cli;

namespace {

Parsed parse(std::vector<const char*> words) {
  words.insert(words.begin(), "qsohost");
  return parse_arguments(static_cast<int>(words.size()), words.data());
}

Arguments good(const std::vector<const char*>& words) {
  Parsed parsed = parse(words);
  REQUIRE(parsed.arguments.has_value());
  return std::move(*parsed.arguments);
}

}  // namespace

TEST_CASE("a run has defaults for all but its chain", "[arguments]") {
  const Arguments a = good({"--chain", "a.toml"});
  CHECK(a.command == Command::Run);
  CHECK(a.chain == "a.toml");
  CHECK(a.run.start == StartMode::Fresh);
  CHECK_FALSE(a.run.dry_run);
  CHECK_FALSE(a.run.limit.has_value());
  CHECK(a.run.run_dir.empty());
}

TEST_CASE("options of a run are parsed", "[arguments]") {
  const Arguments a =
      good({"--chain",   "a.toml",      "--set",    "ztf.radius=1.5", "--set",   "q.chi=[0.5, 1.5]",
            "--set",     "s.where=z=2", "--swap",   "loo=dho",        "--limit", "100",
            "--run-dir", "out",         "--resume", "--in-flight",    "3",       "-j2",
            "--plugin",  "x.so",        "--plugin", "y.so",           "--trace", "t.json"});
  REQUIRE(a.overrides.set.size() == 3);
  CHECK(a.overrides.set[0] == std::pair<std::string, std::string>("ztf.radius", "1.5"));
  CHECK(a.overrides.set[1].second == "[0.5, 1.5]");
  CHECK(a.overrides.set[2] == std::pair<std::string, std::string>("s.where", "z=2"));
  REQUIRE(a.overrides.swap.size() == 1);
  CHECK(a.overrides.swap[0] == std::pair<std::string, std::string>("loo", "dho"));
  CHECK(a.run.limit == 100u);
  CHECK(a.run.run_dir == "out");
  CHECK(a.run.start == StartMode::Resume);
  CHECK(a.run.in_flight == 3);
  CHECK(a.run.threads == 2);
  CHECK(a.plugins == std::vector<std::filesystem::path>{"x.so", "y.so"});
  CHECK(a.run.trace == "t.json");
}

TEST_CASE("--log-level is parsed", "[arguments]") {
  CHECK(good({"--chain", "a"}).log_level == LogLevel::Info);
  CHECK(good({"--chain", "a", "--log-level", "debug"}).log_level == LogLevel::Debug);
  CHECK(good({"--chain", "a", "--log-level", "warning"}).log_level == LogLevel::Warning);
  CHECK(good({"compare", "--chain", "a", "--fitters", "x,y", "--log-level", "error"}).log_level ==
        LogLevel::Error);
  CHECK(parse({"--chain", "a", "--log-level", "loud"}).exit_code == kUsage);
  CHECK(parse({"--log-level", "debug", "list"}).exit_code == kUsage);
}

TEST_CASE("--restart and --retry-failed set how a run starts", "[arguments]") {
  CHECK(good({"--chain", "a", "--restart"}).run.start == StartMode::Restart);
  CHECK(good({"--chain", "a", "--retry-failed"}).run.start == StartMode::RetryFailed);
  CHECK(good({"--chain", "a", "--resume", "--retry-failed"}).run.start == StartMode::RetryFailed);
}

TEST_CASE("a dry run is limited, and by the smaller number", "[arguments]") {
  const Arguments a = good({"--chain", "a", "--dry-run", "10"});
  CHECK(a.run.dry_run);
  CHECK(a.run.limit == 10u);
  CHECK(good({"--chain", "a", "--dry-run", "10", "--limit", "3"}).run.limit == 3u);
}

TEST_CASE("status takes a run and outcomes", "[arguments]") {
  const Arguments all = good({"status", "a.run"});
  CHECK(all.command == Command::Status);
  CHECK(all.run_dirs == std::vector<std::filesystem::path>{"a.run"});
  CHECK(all.outcomes.empty());
  CHECK_FALSE(all.json);
  const Arguments some = good({"status", "a.run", "--failed", "--not-found", "--json"});
  CHECK(some.json);
  CHECK(some.outcomes ==
        std::vector<Outcome>{Outcome::NotFound, Outcome::Failed, Outcome::BadObject});
  CHECK_FALSE(parse({"status"}).arguments.has_value());
  CHECK_FALSE(parse({"--chain", "a", "status", "a.run"}).arguments.has_value());
}

TEST_CASE("check, graph, list and inspect are parsed", "[arguments]") {
  CHECK(good({"--chain", "a", "--check"}).command == Command::Check);
  const Arguments graph = good({"--chain", "a", "--graph", "mermaid"});
  CHECK(graph.command == Command::Graph);
  CHECK(graph.graph == "mermaid");
  CHECK(good({"list", "--json"}).json);
  CHECK(good({"list", "--plugin", "x.so"}).plugins.size() == 1);
  const Arguments inspect = good({"inspect", "ou-loo", "--toml"});
  CHECK(inspect.command == Command::Inspect);
  CHECK(inspect.stage == "ou-loo");
  CHECK(inspect.format == InspectFormat::Toml);
}

TEST_CASE("compare is parsed", "[arguments]") {
  const Arguments a =
      good({"compare", "--chain", "a.toml", "--fitters", "ou-fit,dho", "--set", "dho.mean=profiled",
            "--label", "loo", "--out", "t.csv", "--limit", "7", "--leave-out-flagged"});
  CHECK(a.command == Command::Compare);
  CHECK(a.chain == "a.toml");
  CHECK(a.line_up.fitters == std::vector<std::string>{"ou-fit", "dho"});
  CHECK(a.line_up.label == "loo");
  CHECK(a.overrides.set.size() == 1);
  CHECK(a.table == "t.csv");
  CHECK(a.run.limit == 7U);
  CHECK(a.flagged == Flagged::LeftOut);
  const Arguments least = good({"compare", "--chain", "a", "--fitters", "dho"});
  CHECK(least.table.empty());
  CHECK(least.flagged == Flagged::Compared);
}

TEST_CASE("wrong arguments exit 2", "[arguments]") {
  const std::vector<const char*> words = GENERATE(values<std::vector<const char*>>({
      {},
      {"--bogus"},
      {"--check"},
      {"--resume"},
      {"--chain"},
      {"--chain", "a", "--resume", "--restart"},
      {"--chain", "a", "--restart", "--retry-failed"},
      {"--chain", "a", "--check", "--graph", "dot"},
      {"--chain", "a", "--graph", "svg"},
      {"--chain", "a", "--set", "radius"},
      {"--chain", "a", "--set", "=1"},
      {"--chain", "a", "--swap", "loo="},
      {"--chain", "a", "--limit", "0"},
      {"--chain", "a", "--limit", "-1"},
      {"--chain", "a", "--limit", "many"},
      {"--chain", "a", "-j", "0"},
      {"--chain", "a", "--in-flight", "1.5"},
      {"--chain", "a", "-j", "4097"},
      {"--chain", "a", "-j", "2147483648"},
      {"--chain", "a", "--in-flight", "65537"},
      {"compare", "--chain", "a", "--fitters", "dho", "-j", "2147483647"},
      {"--chain", "a", "list"},
      {"compare", "--chain", "a"},
      {"compare", "--fitters", "dho"},
      {"compare", "--chain", "a", "--fitters", "dho", "--out", "t.txt"},
      {"compare", "--chain", "a", "--fitters", "dho", "--set", "x"},
      {"--chain", "a", "compare", "--chain", "b", "--fitters", "dho"},
      {"inspect"},
      {"inspect", "a", "--json", "--toml"},
      {"unknown"},
  }));
  const Parsed parsed = parse(words);
  CHECK_FALSE(parsed.arguments.has_value());
  CHECK(parsed.exit_code == 2);
}

TEST_CASE("help and version exit 0", "[arguments]") {
  CHECK(parse({"--help"}).exit_code == 0);
  CHECK(parse({"--version"}).exit_code == 0);
  CHECK_FALSE(parse({"--version"}).arguments.has_value());
}

TEST_CASE("options of a report are parsed", "[arguments]") {
  const Arguments a = good({"report", "a.run", "b.run", "--out", "x.html", "--title", "T", "--seed",
                            "7", "--light-curves", "5", "--plots", "p.toml"});
  CHECK(a.command == Command::Report);
  CHECK(a.page.runs == std::vector<std::filesystem::path>{"a.run", "b.run"});
  CHECK(a.page.out == "x.html");
  CHECK(a.page.title == "T");
  CHECK(a.page.options.seed == 7);
  CHECK(a.page.options.light_curves == 5);
  CHECK(a.page.plots == "p.toml");
  CHECK_FALSE(parse({"report"}).arguments.has_value());
}
