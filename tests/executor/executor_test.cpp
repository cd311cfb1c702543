#include <algorithm>
#include <chrono>
#include <limits>
#include <mutex>

#include "support.hpp"

using namespace qsohost;
using Catch::Contains;
using Settings = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("a chain runs and counts what it did") {
  FauxRun r;
  const RunReport report = r.run();
  CHECK(report.error.empty());
  REQUIRE(report.end == RunEnd::Done);
  CHECK(report.objects == 100);
  CHECK(report.products.size() == 2);
  CHECK(stage(report, "fetch").matched == 90);
  CHECK(stage(report, "fetch").not_found == 10);
  CHECK(stage(report, "filter").objects_in == 100);
  CHECK(stage(report, "filter").objects_out == 80);
  CHECK(stage(report, "fit").counts.at(0).n == 80);
  const std::string raw = r.product("raw");
  CHECK(std::ranges::count(raw, '\n') == 100);
  CHECK_THAT(raw, Contains("\n13\n"));  // not found: a row without epochs
  CHECK_FALSE(std::filesystem::exists(r.options.run_dir / ".qsohost/chunks"));
}

TEST_CASE("products do not depend on threads or batches in flight") {
  for (const int threads : {1, 2, 8}) {
    for (const int in_flight : {1, 3, 20}) {
      FauxRun r;
      r.options.threads = threads;
      r.options.in_flight = in_flight;
      CHECK(r.run({{"fetch.lanes", "4"}, {"fetch.ms", "3"}}).end == RunEnd::Done);
      CHECK(r.product("raw") == undisturbed("raw"));
      CHECK(r.product("out") == undisturbed("out"));
    }
  }
}

TEST_CASE("a slow sink holds back the source") {
  FauxRun r;
  r.options.in_flight = 3;
  CHECK(r.run({{"source.objects", "1000"}, {"out.ms", "2"}}).end == RunEnd::Done);
  // The source may have read one more batch than there are tokens the moment one comes back.
  CHECK_THAT(r.log, Contains("most in flight 3") || Contains("most in flight 4"));
}

TEST_CASE("of batches that grow large fewer are in flight") {
  FauxRun r;
  const std::string rows = "batch_rows = 10\n";
  r.text.replace(r.text.find(rows), rows.size(), rows + "batch_megabytes = 1\n");
  const auto run = [&](const std::string& more) {
    r.log.clear();
    r.options.start = StartMode::Restart;
    const RunReport report =
        r.run({{"source.objects", "300"}, {"fetch.more", more}, {"out.ms", "20"}});
    CHECK(report.end == RunEnd::Done);
  };
  run("0");  // two threads, a lane, and two more
  CHECK_THAT(r.log, Contains("most in flight 5") || Contains("most in flight 6"));
  run("10000");  // 1.6 MB a batch
  CHECK_THAT(r.log, Contains("most in flight 2") || Contains("most in flight 3"));
  r.options.in_flight = 4;  // as told
  run("10000");
  CHECK_THAT(r.log, Contains("most in flight 4") || Contains("most in flight 5"));
}

TEST_CASE("a stage that finds no memory is named, and what helps") {
  const auto role = GENERATE(as<std::string>{}, "source", "fetch", "filter", "fit", "raw");
  FauxRun r;
  const RunReport report = r.run({{role + ".fail_at", "58"}, {role + ".fails", "memory"}});
  CHECK(report.end == RunEnd::Failed);
  CHECK_THAT(report.error, Contains("stage '" + role + "'") && Contains("out of memory") &&
                               Contains("batch_rows") && !Contains("bad_alloc"));
}

TEST_CASE("a call that does not return is named after each period, and the run goes on") {
  FauxRun r;
  r.options.stall_timeout = 0.3;
  const auto begin = std::chrono::steady_clock::now();
  CHECK(r.run({{"source.objects", "20"}, {"out.ms", "800"}}).end == RunEnd::Done);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const std::string words = "stage 'out', batch 0 (8 objects, 1 to 9) has not returned for";
  int times = 0;
  for (auto at = r.log.find(words); at != std::string::npos; at = r.log.find(words, at + 1)) {
    ++times;
  }
  CHECK(times >= 2);
  CHECK(times <= took.count() / r.options.stall_timeout);
  CHECK_THAT(r.log, !Contains("stage 'fetch'"));
}

TEST_CASE("every call of a stage is watched, from its fingerprint to close()") {
  const auto [option, stage] = GENERATE(table<std::string, std::string>({
      {"source.fingerprint_ms", "source"},
      {"out.open_ms", "out"},
      {"source.ms", "source', batch 0"},
      {"out.finish_ms", "out"},
      {"out.close_ms", "out"},
  }));
  INFO(option);
  FauxRun r;
  r.options.stall_timeout = 0.3;
  CHECK(r.run({{"source.objects", "10"}, {option, "500"}}).end == RunEnd::Done);
  CHECK_THAT(r.log, Contains("stage '" + stage) && Contains(" has not returned for 0."));
}

TEST_CASE("a merge is watched, too") {
  const auto* const option = GENERATE("out.open_ms", "out.finish_ms", "out.close_ms");
  INFO(option);
  FauxRun r;
  r.options.shard = Shard{};
  CHECK(r.run({{"source.objects", "10"}, {option, "500"}}).end == RunEnd::Done);
  CHECK_THAT(r.log, !Contains("has not returned"));
  std::string log;
  MergeOptions merge;
  merge.run_dirs = {r.options.run_dir};
  merge.stall_timeout = 0.3;
  std::mutex log_mutex;
  merge.log = [&](LogLevel, const std::string& text) {
    const std::lock_guard lock(log_mutex);
    log += text;
  };
  merge_runs(r.plugins, merge);
  CHECK_THAT(log, Contains("stage 'out' has not returned for 0."));
}

TEST_CASE("progress says where the batches of a run are") {
  FauxRun r;
  std::vector<Progress> seen;
  r.options.progress = [&](const Progress& p) { seen.push_back(p); };
  CHECK(r.run({{"out.ms", "30"}}).end == RunEnd::Done);
  const auto busy = std::ranges::find_if(seen, [](const Progress& p) {
    return std::ranges::any_of(p.calls, [](const StageCall& c) { return c.stage == "out"; });
  });
  REQUIRE(busy != seen.end());
  CHECK(busy->in_flight > 0);
  CHECK(busy->most_in_flight > 0);
  CHECK(busy->threads == 2);
  REQUIRE(busy->stages.size() == 6);
  std::uint64_t batches = 0;
  for (const StageProgress& s : busy->stages) batches += s.batches;
  CHECK(batches == busy->in_flight);
  CHECK(seen.back().objects_done == 100);
  CHECK(seen.back().in_flight == 0);
  CHECK(seen.back().stages.front().objects == 100);
}

TEST_CASE("whatever a stage throws ends the run and names the stage") {
  const auto role = GENERATE(as<std::string>{}, "source", "fetch", "filter", "fit", "raw");
  const auto how = GENERATE(as<std::string>{}, "std", "number", "chain");
  FauxRun r;
  const RunReport report = r.run({{role + ".fail_at", "58"}, {role + ".fails", how}});
  INFO(role << " " << how << ": " << report.error);
  CHECK(report.end == RunEnd::Failed);
  CHECK_THAT(report.error, Contains("stage '" + role + "'") && Contains("plugin faux 1.0.0"));
  CHECK_THAT(report.error, Contains("made to fail") || Contains("no std::exception"));
  if (role != "source") CHECK_THAT(report.error, Contains("batch 5"));
  CHECK(report.objects >= 50);  // what was in front of it is committed
  CHECK(report.objects < 100);
  CHECK_FALSE(std::filesystem::exists(r.options.run_dir / "out.txt"));
}

TEST_CASE("a stage that cannot be opened ends the run before it begins") {
  FauxRun r;
  const RunReport report = r.run({{"source.fails", "open"}});
  CHECK(report.end == RunEnd::Failed);
  CHECK_THAT(report.error, Contains("stage 'source'") && Contains("made to fail at open"));
}

TEST_CASE("an object that cannot be fitted is flagged and stays") {
  FauxRun r;
  const RunReport report = r.run({{"fit.fail_at", "58"}, {"fit.fails", "bad"}});
  CHECK(report.end == RunEnd::Done);
  CHECK(stage(report, "fit").bad == 1);
  CHECK(std::ranges::count(r.product("out"), '\n') == 80);
  REQUIRE(report.notes.size() == 2);
  CHECK_THAT(report.notes[1], Contains("58: made bad"));
}

TEST_CASE("an object that a filter cannot do is told of and stays") {
  FauxRun r;
  const RunReport report = r.run({{"filter.bad_at", "58"}});
  CHECK(report.end == RunEnd::Done);
  CHECK(stage(report, "filter").bad == 1);
  CHECK(r.product("out") == undisturbed("out"));
  REQUIRE(report.notes.size() == 2);
  CHECK_THAT(report.notes[1], Contains("58: cannot be filtered"));
}

TEST_CASE("a stage that adds or removes what its role may not is an error") {
  FauxRun r;
  CHECK_THAT(r.run({{"filter.adds", "true"}}).error, Contains("Filter") && Contains("added"));
  FauxRun silent;
  CHECK_THAT(silent.run({{"fetch.silent", "true"}}).error, Contains("said nothing of object 1"));
}

TEST_CASE("run() throws a UsageError, and reports any other failure") {
  FauxRun wrong;
  CHECK_THROWS_AS(wrong.run({{"source.fails", "open usage"}}), UsageError);
  FauxRun broken;
  const RunReport report = broken.run({{"source.fails", "open"}});
  CHECK(report.end == RunEnd::Failed);
  CHECK_THAT(report.error, Contains("made to fail at open"));
}

namespace {

std::string with_batch_fit() {
  std::string text = FauxRun::standard;
  const std::string use = "use = \"faux-fit\"";
  return text.replace(text.find(use), use.size(), "use = \"faux-batch-fit\"");
}

}  // namespace

TEST_CASE("a fitter may take the whole batch") {
  std::string one_thread;
  for (const int threads : {1, 3}) {
    FauxRun r;
    r.text = with_batch_fit();
    r.options.threads = threads;
    const RunReport report = r.run({{"fit.fail_at", "58"}, {"fit.fails", "bad"}});
    CHECK(report.end == RunEnd::Done);
    CHECK(stage(report, "fit").objects_in == 80);
    CHECK(stage(report, "fit").bad == 1);
    REQUIRE(report.notes.size() == 2);
    CHECK_THAT(report.notes[1], Contains("58: made bad"));
    if (threads == 1) one_thread = r.product("out");
    CHECK(r.product("out") == one_thread);
    CHECK(std::ranges::count(one_thread, '\n') == 80);
  }
}

TEST_CASE("errors of a fitter of whole batches name the object or the batch") {
  const auto error = [](const Settings& set) {
    FauxRun r;
    r.text = with_batch_fit();
    return r.run(set).error;
  };
  CHECK_THAT(error({{"fit.fail_at", "58"}, {"fit.fails", "std"}}),
             Contains("object 58: made to fail") && Contains("stage 'fit'"));
  CHECK_THAT(error({{"fit.fails", "batch"}}),
             Contains("made to fail") && Contains("stage 'fit'") && Contains("batch"));
  CHECK_THAT(error({{"fit.fails", "silent"}}), Contains("said nothing of any object"));
  CHECK_THAT(error({{"fit.fails", "twice"}}), Contains("call it once a batch"));
}

TEST_CASE("a filter that replaces a group by another is an error") {
  FauxRun r;
  CHECK_THAT(r.run({{"filter.swaps", "true"}}).error,
             Contains("it is a Filter, but it added") && Contains("group 'other.g'"));
}

TEST_CASE("a limit ends a run early, a dry run leaves no files, no objects make empty products") {
  FauxRun r;
  r.options.limit = 25;
  CHECK(r.run().objects == 25);
  CHECK(std::ranges::count(r.product("raw"), '\n') == 25);
  FauxRun dry;
  dry.options.dry_run = true;
  dry.options.limit = 25;
  const RunReport report = dry.run();
  CHECK(stage(report, "fit").objects_in == 20);
  CHECK_FALSE(std::filesystem::exists(dry.options.run_dir));
  FauxRun none;
  CHECK(none.run({{"source.objects", "0"}}).end == RunEnd::Done);
  CHECK(std::filesystem::exists(none.options.run_dir / "out.txt"));
}

TEST_CASE("callbacks that throw end no run, and are reported once") {
  FauxRun r;
  r.options.progress = [](const Progress&) { throw std::runtime_error("no display"); };
  r.options.log = [](LogLevel, const std::string&) { throw 5; };
  const RunReport report = r.run({{"fetch.ms", "40"}});
  CHECK(report.end == RunEnd::Done);
  CHECK(r.product("out") == undisturbed("out"));
  CHECK(std::ranges::count_if(report.notes, [](const std::string& note) {
          return note.find("progress") != std::string::npos &&
                 note.find("no display") != std::string::npos;
        }) == 1);
  CHECK(std::ranges::count_if(report.notes, [](const std::string& note) {
          return note.find("log") != std::string::npos && note.find("'int'") != std::string::npos;
        }) == 1);
}

TEST_CASE("a callback that takes the batches ends the run if it throws") {
  FauxRun r;
  r.options.dry_run = true;
  r.options.batch_done = [](const Batch& batch, const std::vector<FitterWork>&) {
    if (batch.ordinal() == 3) throw std::runtime_error("no room");
  };
  const RunReport report = r.run();
  CHECK(report.end == RunEnd::Failed);
  CHECK_THAT(report.error, Contains("no room"));
}

TEST_CASE("too many threads, lanes or batches in flight are refused with the limit") {
  constexpr int kMuch = std::numeric_limits<int>::max();
  FauxRun threads;
  threads.options.threads = kMuch;
  CHECK_THROWS_WITH(threads.run(), Contains("2147483647 threads: there can be at most 4096"));
  FauxRun in_flight;
  in_flight.options.in_flight = kMuch;
  CHECK_THROWS_WITH(in_flight.run(),
                    Contains("2147483647 batches in flight: there can be at most 65536"));
  FauxRun lanes;
  CHECK_THROWS_WITH(lanes.run({{"fetch.lanes", "2147483647"}}),
                    Contains("2147483647 lanes of stage 'fetch': there can be at most 4096"));
}

TEST_CASE("a list of objects ends when its callback returns false") {
  FauxRun r;
  CHECK(r.run().end == RunEnd::Done);
  std::vector<std::string> visited;
  each_object(r.options.run_dir, Outcome::Matched, [&](const ObjectStatus& object) {
    visited.push_back(object.source_id);
    return visited.size() < 3;
  });
  CHECK(visited == std::vector<std::string>{"1", "10", "2"});
}

TEST_CASE("a trace is JSON with an event for each call") {
  FauxRun r;
  r.options.trace = r.folder / "trace.json";
  CHECK(r.run().end == RunEnd::Done);
  std::ifstream in(r.options.trace);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  CHECK(std::ranges::count(text, '\n') == 10 * 6 + 2);  // 10 batches, 6 stages, two brackets
  CHECK_THAT(text, Contains("\"name\":\"fit\""));
}
