// Runs that go on: shards, resumed runs, objects tried again, and the run directory.
#include <map>

#include "support.hpp"

using namespace qsohost;
using Catch::Contains;
using Settings = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("a shard does not read what lies before it") {
  FauxRun whole;
  whole.options.skip = 25;
  REQUIRE(whole.run().end == RunEnd::Done);
  // Reading object 7 fails.
  const Settings breaks{{"source.fail_at", "7"}, {"source.fails", "std"}};
  Settings seeks = breaks;
  seeks.emplace_back("source.can_seek", "true");
  FauxRun reads;
  reads.options.skip = 25;
  CHECK(reads.run(breaks).end == RunEnd::Failed);
  FauxRun shard;
  shard.options.skip = 25;
  CHECK(shard.run(seeks).end == RunEnd::Done);
  CHECK(shard.product("raw") == whole.product("raw"));
  CHECK(shard.product("out") == whole.product("out"));
  FauxRun beyond;
  beyond.options.skip = 1000;
  const RunReport nothing = beyond.run(seeks);
  CHECK(nothing.end == RunEnd::Done);
  CHECK(nothing.objects == 0);
}

TEST_CASE("a resumed run does not read batches that are done, but for the last") {
  FauxRun r;
  const auto flag = r.folder / "broken";
  std::ofstream(flag) << "std";
  const Settings set{{"source.can_seek", "true"},
                     {"source.fail_at", "55"},
                     {"source.fails_as", flag.string()},
                     {"source.reads_log", (r.folder / "reads").string()}};
  r.options.threads = 1;
  r.options.in_flight = 1;
  REQUIRE(r.run(set).end == RunEnd::Failed);
  std::filesystem::remove(flag);
  std::filesystem::remove(r.folder / "reads");
  r.options.start = StartMode::Resume;
  REQUIRE(r.run(set).end == RunEnd::Done);
  CHECK(r.product("raw") == undisturbed("raw"));
  CHECK(r.product("out") == undisturbed("out"));
  std::int64_t first = 0;
  std::ifstream(r.folder / "reads") >> first;
  CHECK(first == 41);  // batches of ten: 1 to 50 are done, the last of them is compared
}

TEST_CASE("failed objects leave the run unsettled until they are retried") {
  FauxRun r;
  const auto flag = r.folder / "down";
  std::ofstream(flag) << "x";
  const Settings set{{"fetch.fails_while", flag.string()}};
  const RunReport first = r.run(set);
  CHECK(first.end == RunEnd::Unsettled);
  CHECK(stage(first, "fetch").failed == 10);
  CHECK_THAT(first.notes.at(1), Contains("4: server is down"));

  std::filesystem::remove(flag);
  r.options.start = StartMode::Resume;
  CHECK(r.run(set).end == RunEnd::Unsettled);  // resuming alone does not ask again
  r.options.start = StartMode::RetryFailed;
  const RunReport last = r.run(set);
  CHECK(last.end == RunEnd::Done);
  CHECK(stage(last, "fetch").failed == 0);
  CHECK(r.product("raw") == undisturbed("raw"));
  CHECK(r.product("out") == undisturbed("out"));
}

TEST_CASE("objects that share a source_id have outcomes of their own") {
  FauxRun r;
  const auto flag = r.folder / "down";
  std::ofstream(flag) << "x";
  // Four of one source_id, in one batch and across batches; one of a batch fails.
  const Settings set{
      {"source.copies", "4"}, {"fetch.fails_while", flag.string()}, {"fetch.fails_row", "1"}};
  const RunReport first = r.run(set);
  CHECK(first.end == RunEnd::Unsettled);
  CHECK(stage(first, "fetch").failed == 10);
  CHECK(stage(first, "fetch").matched == 90);
  const RunStatus status = run_status(r.options.run_dir);
  CHECK(status.report.end == RunEnd::Unsettled);
  CHECK(stage(status.report, "fetch").failed == 10);
  const auto tally = [&](Outcome outcome) {
    std::map<std::string, std::vector<std::uint64_t>> attempts;
    each_object(r.options.run_dir, outcome, [&](const ObjectStatus& object) {
      attempts[object.source_id].push_back(object.attempts);
      return true;
    });
    return attempts;
  };
  CHECK(tally(Outcome::Failed).size() == 10);
  CHECK(tally(Outcome::Failed)["1"] == std::vector<std::uint64_t>{1});
  CHECK(tally(Outcome::Matched)["1"] == std::vector<std::uint64_t>{1, 1, 1});
  CHECK(tally(Outcome::Matched)["2"] == std::vector<std::uint64_t>{1, 1, 1, 1});

  r.options.start = StartMode::RetryFailed;
  CHECK(r.run(set).end == RunEnd::Unsettled);  // still down
  CHECK(tally(Outcome::Failed)["1"] == std::vector<std::uint64_t>{2});
  std::filesystem::remove(flag);
  const RunReport last = r.run(set);
  CHECK(last.end == RunEnd::Done);
  CHECK(stage(last, "fetch").failed == 0);
  CHECK(stage(last, "fetch").matched == 100);
  CHECK(tally(Outcome::Failed).empty());
  CHECK(tally(Outcome::Matched)["1"] == std::vector<std::uint64_t>{3, 3, 3, 3});
  FauxRun quiet;
  quiet.run({{"source.copies", "4"}, {"fetch.fails_row", "1"}});
  CHECK(r.product("out") == quiet.product("out"));
}

TEST_CASE("bad objects of a fetcher are retried too") {
  FauxRun r;
  const auto flag = r.folder / "broken";
  std::ofstream(flag) << "x";
  const Settings set{{"fetch.bad_while", flag.string()}, {"fit.bad_while", flag.string()}};
  const RunReport first = r.run(set);
  CHECK(first.end == RunEnd::Unsettled);
  CHECK(stage(first, "fetch").bad == 10);
  CHECK(stage(first, "fit").bad == 10);

  std::filesystem::remove(flag);
  r.options.start = StartMode::RetryFailed;
  std::uint64_t most = 0;
  r.options.progress = [&](const Progress& p) {
    CHECK(p.objects_done - p.objects_this_run == 0);  // every batch has a bad object
    most = std::max(most, p.objects_done);
  };
  const RunReport last = r.run(set);
  CHECK(last.end == RunEnd::Done);
  CHECK(most <= 100);
  CHECK(stage(last, "fetch").bad == 0);
  CHECK(stage(last, "fit").bad == 0);
  CHECK(r.product("out") == undisturbed("out"));
}

TEST_CASE("an interrupted run resumes to the same products") {
  std::atomic<int> interrupts{0};
  const int level = GENERATE(1, 2);
  FauxRun r;
  r.options.interrupts = &interrupts;
  r.options.progress = [&](const Progress& p) {
    if (p.objects_done >= 30) interrupts = level;
  };
  const Settings slow{{"source.objects", "300"}, {"fetch.ms", "8"}};
  const RunReport report = r.run(slow);
  CHECK(report.end == RunEnd::Interrupted);
  CHECK(report.objects > 0);
  CHECK(report.objects < 300);
  CHECK(report.products.empty());

  interrupts = 0;
  r.options.progress = [&](const Progress& p) {  // the rate is of this run alone
    CHECK(p.objects_done - p.objects_this_run == report.objects);
  };
  r.options.start = StartMode::Resume;
  const RunReport resumed = r.run(slow);
  CHECK(resumed.end == RunEnd::Done);
  CHECK(resumed.objects == 300);
  CHECK(resumed.objects_this_run == 300 - report.objects);
  CHECK(stage(resumed, "fetch").objects_in == 300);
  CHECK(stage(resumed, "fetch").objects_this_run == 300 - report.objects);
  FauxRun whole;
  CHECK(whole.run(slow).end == RunEnd::Done);
  CHECK(r.product("raw") == whole.product("raw"));
  CHECK(r.product("out") == whole.product("out"));
}

TEST_CASE("a run directory is not overwritten by accident") {
  FauxRun r;
  CHECK(r.run().end == RunEnd::Done);
  CHECK_THROWS_WITH(r.run(), Contains("holds a run already (100 objects, finished)") &&
                                 Contains("--resume") && Contains("--restart"));
  r.options.start = StartMode::Resume;
  CHECK_THROWS_WITH(r.run({{"filter.every", "7"}}),
                    Contains("- filter.every = 5") && Contains("+ filter.every = 7"));
  // How many lanes it has changes nothing of what comes out.
  const RunReport again = r.run({{"fetch.lanes", "3"}});
  CHECK(again.end == RunEnd::Done);
  CHECK_THAT(again.notes.front(), Contains("finished already"));
  r.options.start = StartMode::Restart;
  CHECK(r.run({{"filter.every", "7"}}).end == RunEnd::Done);
  CHECK(r.product("out") != undisturbed("out"));
}

TEST_CASE("two runs cannot share a run directory") {
  FauxRun r;
  std::string refused;
  r.options.progress = [&](const Progress&) {
    if (!refused.empty()) return;
    RunOptions second = r.options;
    second.start = StartMode::Resume;
    second.progress = nullptr;
    try {
      auto chain = r.load();
      run(*chain, second);
    } catch (const UsageError& e) {
      refused = e.what();
    }
  };
  r.run({{"fetch.ms", "20"}});
  CHECK_THAT(refused, Contains("in use by another qsohost"));
}
