#include <catch2/catch.hpp>

#include "closing_text.hpp"
#include "progress.hpp"
#include "table.hpp"

using namespace qsohost;
using namespace qsohost::cli;

namespace {

Progress at(std::uint64_t done, std::uint64_t total, double seconds) {
  Progress p;
  p.objects_done = done;
  p.objects_this_run = done;
  p.objects_total = total;
  p.seconds = seconds;
  p.stage = "loo";
  return p;
}

}  // namespace

TEST_CASE("numbers and durations are formatted for reading", "[text]") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1000) == "1,000");
  CHECK(grouped(1234567) == "1,234,567");
  CHECK(grouped(-1234) == "-1,234");
  CHECK(grouped(-123) == "-123");
  CHECK(duration(0.26) == "0.3 s");
  CHECK(duration(42.4) == "42 s");
  CHECK(duration(187) == "3:07");
  CHECK(duration(3765) == "1:02:45");
  CHECK(duration(59.7) == "1:00");
  CHECK(rate_text(0) == "-");
  CHECK(rate_text(0.1234) == "0.123");
  CHECK(rate_text(1234.5) == "1,235");
}

TEST_CASE("a table is aligned, without blanks at the ends of lines", "[text]") {
  Table table({{"stage"}, {"n", Align::Right}, {"what"}});
  table.add({"ztf", "5", "a"});
  table.add({"quality", "1,234"});
  CHECK(table.text() ==
        "stage        n  what\n"
        "ztf          5  a\n"
        "quality  1,234\n");
}

TEST_CASE("a table counts characters, not bytes", "[text]") {
  Table table({{"a"}, {"b"}});
  table.add({"\xCF\x83", "x"});  // a sigma: two bytes
  CHECK(table.text() == "a  b\n\xCF\x83  x\n");
}

TEST_CASE("rate and time left do not count objects of earlier attempts", "[progress]") {
  Progress p = at(600, 1000, 10);
  p.objects_this_run = 100;  // 500 were done before
  CHECK(rate_of(p) == Approx(10));
  REQUIRE(seconds_left(p).has_value());
  CHECK(*seconds_left(p) == Approx(40));
  CHECK_FALSE(seconds_left(at(0, 1000, 10)).has_value());
  CHECK(rate_of(at(0, 1000, 0)) == 0);
}

TEST_CASE("the bar never exceeds its width", "[progress]") {
  const Progress p = at(1234567, 2345678, 100);
  for (std::size_t width = 0; width < 140; ++width) CHECK(bar_line(p, width).size() <= width);
  CHECK(bar_line(at(420, 1000, 10), 200) ==
        "[############..................]   42 %  420 of 1,000  42/s  14 s left  loo");
  CHECK(bar_line(at(420, 1000, 10), 20) == " 42 %  420 of 1,000");
  CHECK(bar_line(at(1000, 1000, 10), 200).find("100 %") != std::string::npos);
}

TEST_CASE("without a total there is no bar and no percentage", "[progress]") {
  Progress p = at(420, 0, 10);
  p.objects_total.reset();
  CHECK(bar_line(p, 200) == "420  42/s  10 s  loo");
  CHECK(plain_line(p) == "420 objects, 42/s, 10 s, at loo");
  CHECK(plain_line(at(420, 1000, 10)) == "42 %: 420 of 1,000 objects, 42/s, 14 s left, at loo");
}

TEST_CASE("progress lines come each 1 % or 30 s, never within a second", "[progress]") {
  LinePace fast;  // a run of one second
  int lines = 0;
  for (int i = 0; i < 100; ++i) lines += fast.due(at(i, 100, 0.01 * i)) ? 1 : 0;
  CHECK(lines == 0);

  LinePace slow;
  CHECK_FALSE(slow.due(at(0, 1000, 20)));  // no percent yet, no 30 s
  CHECK(slow.due(at(1, 1000, 31)));
  CHECK_FALSE(slow.due(at(9, 1000, 40)));
  CHECK(slow.due(at(10, 1000, 41)));  // 1 %
  CHECK_FALSE(slow.due(at(90, 1000, 41.5)));
  CHECK(slow.due(at(90, 1000, 42.1)));
  CHECK_FALSE(slow.due(at(90, 1000, 71)));
  CHECK(slow.due(at(90, 1000, 72.2)));
}

TEST_CASE("counts are printed as one table per stage", "[report]") {
  RunReport report;
  StageReport stage;
  stage.label = "quality";
  stage.counts = {{"ztf.g", "epochs in", 12345}, {"ztf.g", "kept", 12000}, {"ztf.r", "kept", 7}};
  report.stages = {StageReport{}, stage};
  CHECK(count_tables(report) ==
        "quality  epochs in    kept\n"
        "ztf.g       12,345  12,000\n"
        "ztf.r                    7\n");
}

TEST_CASE("the stage table names the bottleneck", "[report]") {
  RunReport report;
  StageReport source;
  source.label = "catalog";
  source.objects_out = 100;
  source.utilisation = 0.1;
  StageReport fetcher;
  fetcher.label = "ztf";
  fetcher.role = Role::Fetcher;
  fetcher.objects_in = fetcher.objects_out = 100;
  fetcher.objects_this_run = 50;
  fetcher.busy_seconds = 2;
  fetcher.matched = 90;
  fetcher.not_found = 10;
  fetcher.utilisation = 0.934;
  report.stages = {source, fetcher};
  const std::string text = stage_table(report);
  CHECK(text.find("Bottleneck: ztf (busy 93 %") != std::string::npos);
  CHECK(text.find("\nztf      Fetcher         100  100") != std::string::npos);
  CHECK(text.find("  25  ") != std::string::npos);  // 50 objects in 2 s, not all 100
}

TEST_CASE("the command to resume repeats chain, options, limit and run directory", "[report]") {
  Arguments a;
  a.chain = "my chain.toml";
  a.overrides.set = {{"q.chi", "[0.5, 1.5]"}};
  a.run.run_dir = "out";
  a.run.limit = 10;
  CHECK(go_on_command(a, "--resume") ==
        "qsohost --chain 'my chain.toml' --set 'q.chi=[0.5, 1.5]' --limit 10 --run-dir out "
        "--resume");
}

TEST_CASE("the closing text names the command to go on with", "[report]") {
  Arguments a;
  a.chain = "a.toml";
  RunReport report;
  report.objects = 5;
  report.objects_this_run = 5;
  CHECK(closing_text(report, a).find("Done: 5 objects in") != std::string::npos);
  report.objects_this_run = 2;
  CHECK(closing_text(report, a).find("Done: 5 objects, 2 of them now, in") != std::string::npos);
  report.end = RunEnd::Unsettled;
  CHECK(closing_text(report, a).find("qsohost --chain a.toml --retry-failed") != std::string::npos);
  report.end = RunEnd::Interrupted;
  CHECK(closing_text(report, a).find("qsohost --chain a.toml --resume") != std::string::npos);
  report.end = RunEnd::Failed;
  report.error = "disk full";
  CHECK(closing_text(report, a).find("Failed: disk full") != std::string::npos);
  CHECK(closing_text(report, a).find("--resume") != std::string::npos);
  a.run.dry_run = true;
  CHECK(closing_text(report, a).find("--resume") == std::string::npos);
  CHECK(exit_code(RunEnd::Done) == 0);
  CHECK(exit_code(RunEnd::Failed) == 1);
  CHECK(exit_code(RunEnd::Unsettled) == 3);
  CHECK(exit_code(RunEnd::Interrupted) == 130);
}
