#include "run_arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <functional>

namespace qsohost::cli {
namespace {

using Add = std::function<CLI::Option*(CLI::Option*)>;

void add_part(CLI::App& app, const Add& of_run, RunWords& words) {
  of_run(app.add_option("--dry-run", words.dry_run, "Run N objects without writing anything"))
      ->type_name("N")
      ->check(from_one_on());
  auto* limit = of_run(app.add_option("--limit", words.limit, "Only N objects, the first"));
  limit->type_name("N")->check(from_one_on());
  auto* skip = of_run(app.add_option("--skip", words.skip, "Leave out the first N objects"));
  skip->type_name("N");
  auto* shard = of_run(
      app.add_option("--shard", words.shard,
                     "Only part K of N, K from 0 to N - 1: runs that `qsohost merge` joins"));
  of_run(app.add_option("--shard-by", words.shard_by,
                        "With --shard: by rows (ranges), or by a hash of the identifier, which "
                        "spreads the sky evenly [rows]"))
      ->type_name("rows|hash")
      ->check(CLI::IsMember({"rows", "hash"}).description(""))
      ->needs(shard);
  shard->type_name("K/N")->excludes(limit)->excludes(skip);
}

void add_start(CLI::App& app, const Add& of_run, RunWords& words) {
  of_run(app.add_option("--run-dir", words.run_dir,
                        "Where products and the state of the run go [<chain name>.run]"))
      ->type_name("DIR");
  auto* resume =
      of_run(app.add_flag("--resume", words.resume, "Go on after the last batch stored"));
  auto* restart =
      of_run(app.add_flag("--restart", words.restart, "Throw away the earlier run, begin again"));
  auto* retry = of_run(app.add_flag("--retry-failed", words.retry_failed,
                                    "As --resume, and do batches with failed objects again"));
  restart->excludes(resume)->excludes(retry);
  of_run(app.add_flag("--accept-changed-inputs", words.accept_changed_inputs,
                      "With --resume or --retry-failed: go on though the catalogue has changed; "
                      "objects are matched by identifier"))
      ->excludes(restart);
}

void add_means(CLI::App& app, const Add& of_run, RunWords& words, RunOptions& run) {
  of_run(app.add_option("--in-flight", run.in_flight,
                        "Batches under way at a time [chosen from threads, lanes and their size]"))
      ->type_name("W")
      ->check(from_one_on(kMostInFlight));
  of_run(app.add_option("-j,--threads", run.threads, "Compute threads [all]"))
      ->type_name("THREADS")
      ->check(from_one_on(kMostThreads));
  auto* record = of_run(app.add_option("--record", words.record,
                                       "Keep a copy of every answer of an archive in this folder"));
  record->type_name("DIR");
  of_run(app.add_option("--replay", words.replay,
                        "Take the answers from such a folder, ask no archive"))
      ->type_name("DIR")
      ->excludes(record);
  of_run(app.add_flag("--fetch-only", words.fetch_only,
                      "Send the chain's requests and store the answers in the run directory; no "
                      "product"));
  of_run(app.add_flag("--offline", words.offline,
                      "Send no request: use the answers that --fetch-only has stored"));
  of_run(app.add_option("--share-connections", words.share_connections,
                        "A folder for runs on any number of machines: all that name it share the "
                        "connections that one run may open to an archive"))
      ->type_name("DIR");
  of_run(app.add_option("--stall-timeout", run.stall_timeout,
                        "Warn of a call of a stage that takes longer, with its batch, and again "
                        "after each such time; 0: never [600]"))
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 1e9).description(""));
  of_run(app.add_option("--trace", words.trace,
                        "Write a trace of the run, to look at with https://ui.perfetto.dev"))
      ->type_name("FILE");
}

Shard shard_of(const std::string& text) {
  Shard shard;
  const char* const end = text.data() + text.size();
  const auto index = std::from_chars(text.data(), end, shard.index);
  if (index.ec == std::errc() && index.ptr != end && *index.ptr == '/') {
    const auto count = std::from_chars(index.ptr + 1, end, shard.count);
    if (count.ec == std::errc() && count.ptr == end) return shard;
  }
  throw CLI::ValidationError(
      fmt::format("--shard: '{}' is not K/N, such as 0/8 for the first of eight", text));
}

}  // namespace

CLI::Validator from_one_on(std::int64_t most) {
  return CLI::Validator(
      [most](std::string& text) {
        std::int64_t number = 0;
        const bool is_number = CLI::detail::lexical_cast(text, number);
        if (is_number && number >= 1 && (most == 0 || number <= most)) return std::string();
        return most == 0 ? fmt::format("'{}' is not a whole number from 1 on", text)
                         : fmt::format("'{}' is not a whole number from 1 to {}", text, most);
      },
      "");
}

void add_run_options(CLI::App& app, CLI::Option* chain, RunWords& words, RunOptions& run) {
  const Add of_run = [&](CLI::Option* option) { return option->needs(chain)->group("Run"); };
  add_part(app, of_run, words);
  add_start(app, of_run, words);
  add_means(app, of_run, words, run);
}

void finish_run_options(const RunWords& words, RunOptions& run) {
  run.run_dir = words.run_dir;
  run.trace = words.trace;
  run.record = words.record;
  run.replay = words.replay;
  run.share_connections = words.share_connections;
  run.limit = words.limit;
  run.skip = words.skip.value_or(0);
  run.fetch_only = words.fetch_only;
  run.offline = words.offline;
  if (!words.shard.empty()) {
    run.shard = shard_of(words.shard);
    if (words.shard_by == "hash") run.shard->by = ShardBy::Hash;
  }
  run.accept_changed_inputs = words.accept_changed_inputs;
  if (words.accept_changed_inputs && !words.resume && !words.retry_failed) {
    throw CLI::ValidationError("--accept-changed-inputs goes with --resume or --retry-failed");
  }
  if (words.dry_run) {
    run.dry_run = true;
    run.limit = std::min(*words.dry_run, words.limit.value_or(*words.dry_run));
  }
  if (words.retry_failed)
    run.start = StartMode::RetryFailed;
  else if (words.resume)
    run.start = StartMode::Resume;
  else if (words.restart)
    run.start = StartMode::Restart;
}

}  // namespace qsohost::cli
