#include "status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "report.hpp"
#include "table.hpp"

namespace qsohost::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string state_of(const RunStatus& status) {
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
  if (has_failed) out += "Who failed, and why:\n" + list;
  if (status.is_running) return out;
  if (!status.is_finished) return out + "Go on with\n  " + command + " --resume\n";
  if (status.report.end == RunEnd::Unsettled) {
    out += "Ask for the unsettled ones again with\n  " + command + " --retry-failed\n";
  }
  return out;
}

std::string as_text(const RunStatus& status, const std::string& run_dir) {
  std::string out = fmt::format("{}: chain {}, {}\n", run_dir, status.chain, state_of(status));
  out += fmt::format("Begun {} UTC", status.begun);
  if (status.started != status.begun) out += fmt::format(", gone on {} UTC", status.started);
  out += "\n" + progress_text(status) + "\n\n" + outcome_table(status.report);
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
           {"stages", Json::array()},
           {"products", Json::array()}};
  for (const StageReport& stage : status.report.stages) out["stages"].push_back(as_json(stage));
  for (const auto& product : status.report.products) out["products"].push_back(product.string());
  return out.dump(2) + "\n";
}

// In one field of one line.
std::string field(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
  return text;
}

void list_objects(const Arguments& arguments) {
  Json all = Json::array();
  if (!arguments.json) fmt::print("source_id\tstage\tstate\tattempts\twhen\twhy\n");
  for (const Outcome outcome : arguments.outcomes) {
    each_object(arguments.run_dirs.front(), outcome, [&](const ObjectStatus& object) {
      if (!arguments.json) {
        fmt::print("{}\t{}\t{}\t{}\t{}\t{}\n", field(object.source_id), object.stage,
                   name_of(object.outcome), object.attempts, object.when, field(object.reason));
        return;
      }
      all.push_back({{"source_id", object.source_id},
                     {"stage", object.stage},
                     {"state", name_of(object.outcome)},
                     {"attempts", object.attempts},
                     {"when", object.when},
                     {"why", object.reason}});
    });
  }
  if (arguments.json) fmt::print("{}\n", all.dump(2));
}

}  // namespace

int show_status(const Arguments& arguments) {
  if (!arguments.outcomes.empty()) {
    list_objects(arguments);
    return kDone;
  }
  const std::filesystem::path& run_dir = arguments.run_dirs.front();
  const RunStatus status = run_status(run_dir);
  fmt::print("{}", arguments.json ? as_json(status) : as_text(status, run_dir.string()));
  return kDone;
}

}  // namespace qsohost::cli
