#include "status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "closing_text.hpp"
#include "json_text.hpp"
#include "output.hpp"
#include "progress.hpp"
#include "submit/shards_status.hpp"
#include "table.hpp"

namespace qsohost::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kBlock = 64 << 10;  // bytes printed at a time

std::string state_text(const RunStatus& status) {
  if (status.is_running) return "running";
  if (!status.is_finished) return "not finished, and nobody is at work on it";
  return status.report.end == RunEnd::Done ? "finished" : "finished, some objects unsettled";
}

std::string progress_text(const RunStatus& status) {
  const auto objects = static_cast<std::int64_t>(status.report.objects);
  std::string out = grouped(objects);
  if (status.objects_total && *status.objects_total > 0) {
    const auto total = static_cast<std::int64_t>(*status.objects_total);
    out += fmt::format(" of {} objects ({:.1f} %)", grouped(total),
                       100.0 * static_cast<double>(objects) / static_cast<double>(total));
  } else {
    out += " objects";
  }
  out += fmt::format(" in {} batches", grouped(static_cast<std::int64_t>(status.batches)));
  if (status.rate) out += fmt::format("; {} objects/s", rate_text(*status.rate));
  if (status.seconds_to_go) out += fmt::format("; {} to go", duration(*status.seconds_to_go));
  return out;
}

std::string what_to_do(const RunStatus& status, const std::string& run_dir) {
  const std::string command = status.command.empty() ? "qsohost --chain CHAIN" : status.command;
  const std::string list = fmt::format("  qsohost status {} --failed\n", shell_word(run_dir));
  const bool has_failed = std::ranges::any_of(
      status.report.stages, [](const StageReport& s) { return s.failed + s.bad > 0; });
  std::string out;
  if (!status.crashes.empty()) {
    out +=
        "The plugin has to be mended, or what it stumbles over left out: the run ends there "
        "again.\n";
  }
  if (has_failed) out += "Who failed, and why:\n" + list;
  if (status.is_running) return out;
  if (!status.is_finished) return out + "Go on with\n  " + command + " --resume\n";
  if (status.report.end == RunEnd::Unsettled) {
    out += "Ask for the unsettled ones again with\n  " + command + " --retry-failed\n";
  }
  return out;
}

std::string as_text(const RunStatus& status, const std::string& run_dir) {
  std::string out = fmt::format("{}: chain {}, {}\n", run_dir, status.chain, state_text(status));
  out += fmt::format("Begun {} UTC", status.begun);
  if (status.started != status.begun) out += fmt::format(", gone on {} UTC", status.started);
  out += "\n" + progress_text(status) + "\n";
  for (const FetchProgress& f : status.fetching) out += "  " + fetching_text(f) + "\n";
  out += "\n" + outcome_table(status.report);
  if (const std::string counts = count_tables(status.report); !counts.empty()) out += "\n" + counts;
  if (!status.crashes.empty()) out += "\nCrashed\n";
  for (const std::string& crash : status.crashes) out += "  " + crash + "\n";
  if (!status.report.notes.empty()) out += "\nNotes\n";
  for (const std::string& note : status.report.notes) out += "  " + note + "\n";
  if (!status.report.products.empty()) out += "\nWritten\n";
  for (const auto& product : status.report.products) out += "  " + product.string() + "\n";
  const std::string next = what_to_do(status, run_dir);
  return out + (next.empty() ? "" : "\n" + next);
}

Json as_json(const StageReport& stage) {
  Json counts = Json::array();
  for (const auto& entry : stage.counts) {
    counts.push_back({{"item", entry.item}, {"what", entry.what}, {"n", entry.n}});
  }
  return {{"stage", stage.label},
          {"role", name_of(stage.role)},
          {"objects_in", stage.objects_in},
          {"objects_out", stage.objects_out},
          {"epochs_in", stage.epochs_in},
          {"epochs_out", stage.epochs_out},
          {"matched", stage.matched},
          {"not_found", stage.not_found},
          {"failed", stage.failed},
          {"bad", stage.bad},
          {"counts", counts}};
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

std::string as_json(const RunStatus& status) {
  Json out{{"chain", status.chain},
           {"running", status.is_running},
           {"finished", status.is_finished},
           {"unsettled", status.report.end == RunEnd::Unsettled},
           {"begun", status.begun},
           {"started", status.started},
           {"command", status.command},
           {"objects", status.report.objects},
           {"objects_total", or_null(status.objects_total)},
           {"batches", status.batches},
           {"objects_per_second", or_null(status.rate)},
           {"seconds_to_go", or_null(status.seconds_to_go)},
           {"crashes", status.crashes},
           {"stages", Json::array()},
           {"products", Json::array()}};
  if (status.is_running) {
    out["fetching"] = Json::array();
    for (const FetchProgress& f : status.fetching) {
      out["fetching"].push_back({{"stage", f.stage},
                                 {"objects", f.objects},
                                 {"settled", f.settled},
                                 {"requests", f.requests},
                                 {"objects_per_second", f.rate}});
    }
  }
  for (const StageReport& stage : status.report.stages) out["stages"].push_back(as_json(stage));
  for (const auto& product : status.report.products) out["products"].push_back(product.string());
  return to_json_text(out) + "\n";
}

// Without tabs and line breaks, to fit one field of a line.
std::string field(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
  return text;
}

std::string as_line(const ObjectStatus& object) {
  return fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", field(object.source_id), object.stage,
                     name_of(object.outcome), object.attempts, object.when, field(object.reason));
}

std::string as_json(const ObjectStatus& object) {
  std::string text = to_json_text({{"source_id", object.source_id},
                                   {"stage", object.stage},
                                   {"state", name_of(object.outcome)},
                                   {"attempts", object.attempts},
                                   {"when", object.when},
                                   {"why", object.reason}});
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 3) {
    text.insert(at + 1, "  ");
  }
  return "  " + text;
}

// Printed in blocks, since there may be millions.
void list_objects(const Arguments& arguments) {
  const bool json = arguments.json;
  std::string text = json ? "[" : "source_id\tstage\tstate\tattempts\twhen\twhy\n";
  const char* between = "\n";
  const auto flush = [&] {
    write_text(Stream::Out, text);
    text.clear();
    return !is_lost(Stream::Out);
  };
  const auto visit = [&](const ObjectStatus& object) {
    text += json ? std::exchange(between, ",\n") + as_json(object) : as_line(object);
    return text.size() < kBlock || flush();
  };
  for (const auto& run_dir : started_runs(arguments.run_dirs.front())) {
    for (const Outcome outcome : arguments.outcomes) each_object(run_dir, outcome, visit);
  }
  if (json) text += *between == ',' ? "\n]\n" : "]\n";
  flush();
}

}  // namespace

int show_status(const Arguments& arguments) {
  if (!arguments.outcomes.empty()) {
    list_objects(arguments);
    return unless_output_is_lost(kDone);
  }
  const std::filesystem::path& run_dir = arguments.run_dirs.front();
  if (has_shards(run_dir)) {
    write_text(Stream::Out, arguments.json ? shards_as_json(run_dir) : shards_as_text(run_dir));
    return unless_output_is_lost(kDone);
  }
  const RunStatus status = run_status(run_dir);
  write_text(Stream::Out, arguments.json ? as_json(status) : as_text(status, run_dir.string()));
  return unless_output_is_lost(kDone);
}

}  // namespace qsohost::cli
