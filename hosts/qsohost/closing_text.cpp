#include "closing_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "table.hpp"

namespace qsohost::cli {
namespace {

// Per second of work.
std::string stage_rate(const StageReport& stage) {
  if (stage.busy_seconds <= 0) return "-";
  return rate_text(static_cast<double>(stage.objects_this_run) / stage.busy_seconds);
}

// Only fetchers have outcomes; fitters may have bad objects.
std::string outcome_text(const StageReport& stage, std::uint64_t n) {
  if (stage.role == Role::Fetcher || n > 0) return count_text(n);
  return "";
}

void add_numbers(const StageReport& stage, std::vector<std::string>& cells) {
  const bool is_source = stage.role == Role::Source;
  cells.push_back(is_source ? "" : count_text(stage.objects_in));
  cells.push_back(count_text(stage.objects_out));
  cells.push_back(is_source ? "" : count_text(stage.epochs_in));
  cells.push_back(count_text(stage.epochs_out));
}

void add_outcomes(const StageReport& stage, std::vector<std::string>& cells) {
  for (const std::uint64_t n : {stage.matched, stage.not_found, stage.failed, stage.bad}) {
    cells.push_back(outcome_text(stage, n));
  }
}

const StageReport* bottleneck(const RunReport& report) {
  const auto it = std::max_element(
      report.stages.begin(), report.stages.end(),
      [](const StageReport& a, const StageReport& b) { return a.utilisation < b.utilisation; });
  return it == report.stages.end() || it->utilisation <= 0 ? nullptr : &*it;
}

bool is_plain(const std::string& word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("_-./=:,+@%").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

std::string failed_command(const RunReport& report) {
  return fmt::format("qsohost status {} --failed", shell_word(report.run_dir.string()));
}

std::string fetched_text(const RunReport& report, const Arguments& arguments) {
  std::string out =
      fmt::format("Fetched: {} objects in {}. Make the products, without any request, with\n  {}\n",
                  count_text(report.objects_this_run), duration(report.seconds),
                  go_on_command(arguments, "--resume --offline"));
  if (report.end == RunEnd::Done) return out;
  return out + fmt::format("Some objects are unsettled. Ask for them again with\n  {}\n",
                           go_on_command(arguments, "--fetch-only --retry-failed"));
}

std::string ending_text(const RunReport& report, const Arguments& arguments) {
  std::string objects = count_text(report.objects) + " objects";
  if (report.objects_this_run != report.objects)
    objects += fmt::format(", {} of them now,", count_text(report.objects_this_run));
  objects += " in " + duration(report.seconds);
  if (arguments.run.dry_run) {
    if (report.end == RunEnd::Failed) return fmt::format("Failed: {}\n", report.error);
    return fmt::format("Dry run: {}; nothing was written.\n", objects);
  }
  const std::string means = arguments.run.fetch_only ? " --fetch-only"
                            : arguments.run.offline  ? " --offline"
                                                     : "";
  if (arguments.run.fetch_only && report.end != RunEnd::Interrupted &&
      report.end != RunEnd::Failed) {
    return fetched_text(report, arguments);
  }
  switch (report.end) {
    case RunEnd::Done:
      return fmt::format("Done: {}.\n", objects);
    case RunEnd::Unsettled:
      return fmt::format(
          "Done, but some objects are unsettled: {}. Ask for them again with\n  {}\nWho they are, "
          "and "
          "why:\n  {}\n",
          objects, go_on_command(arguments, "--retry-failed"), failed_command(report));
    case RunEnd::Interrupted:
      return fmt::format("Interrupted: {}. Go on with\n  {}\n", objects,
                         go_on_command(arguments, "--resume" + means));
    case RunEnd::Failed:
      return fmt::format("Failed: {}\nWhen the cause is removed, go on with\n  {}\n", report.error,
                         go_on_command(arguments, "--resume" + means));
  }
  return {};
}

}  // namespace

std::string shell_word(const std::string& word) {
  if (is_plain(word)) return word;
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

std::string stage_table(const RunReport& report) {
  constexpr Align kRight = Align::Right;
  Table table({{"stage"},
               {"role"},
               {"objects in", kRight},
               {"out", kRight},
               {"epochs in", kRight},
               {"out", kRight},
               {"busy s", kRight},
               {"waiting s", kRight},
               {"objects/s", kRight},
               {"matched", kRight},
               {"not found", kRight},
               {"failed", kRight},
               {"bad", kRight}});
  for (const StageReport& stage : report.stages) {
    std::vector<std::string> cells{stage.label, std::string(name_of(stage.role))};
    add_numbers(stage, cells);
    cells.push_back(fmt::format("{:.2f}", stage.busy_seconds));
    cells.push_back(fmt::format("{:.2f}", stage.waiting_seconds));
    cells.push_back(stage_rate(stage));
    add_outcomes(stage, cells);
    table.add(std::move(cells));
  }
  std::string out = table.text();
  if (const StageReport* slowest = bottleneck(report)) {
    out += fmt::format("Bottleneck: {} (busy {:.0f} % of the time it could have been)\n",
                       slowest->label, 100 * slowest->utilisation);
  }
  return out;
}

std::string outcome_table(const RunReport& report) {
  constexpr Align kRight = Align::Right;
  Table table({{"stage"},
               {"role"},
               {"objects in", kRight},
               {"out", kRight},
               {"epochs in", kRight},
               {"out", kRight},
               {"matched", kRight},
               {"not found", kRight},
               {"failed", kRight},
               {"bad", kRight}});
  for (const StageReport& stage : report.stages) {
    std::vector<std::string> cells{stage.label, std::string(name_of(stage.role))};
    add_numbers(stage, cells);
    add_outcomes(stage, cells);
    table.add(std::move(cells));
  }
  return table.text();
}

std::string count_tables(const RunReport& report) {
  std::string out;
  for (const StageReport& stage : report.stages) {
    if (stage.counts.empty()) continue;
    std::vector<std::string> kinds;
    std::vector<std::string> items;
    const auto note = [](std::vector<std::string>& names, const std::string& name) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    };
    for (const auto& entry : stage.counts) {
      note(kinds, entry.what);
      note(items, entry.item);
    }
    std::vector<Table::Heading> headings{{stage.label}};
    for (const std::string& kind : kinds) headings.push_back({kind, Align::Right});
    Table table(headings);
    for (const std::string& item : items) {
      std::vector<std::string> cells(headings.size());
      cells[0] = item;
      for (const auto& entry : stage.counts) {
        if (entry.item != item) continue;
        const auto at = std::find(kinds.begin(), kinds.end(), entry.what) - kinds.begin();
        cells[static_cast<std::size_t>(at) + 1] = grouped(entry.n);
      }
      table.add(std::move(cells));
    }
    out += (out.empty() ? "" : "\n") + table.text();
  }
  return out;
}

std::string go_on_command(const Arguments& arguments, const std::string& how) {
  std::string out = "qsohost --chain " + shell_word(arguments.chain.string());
  const auto add = [&out](const char* option, const std::string& value) {
    out += fmt::format(" {} {}", option, shell_word(value));
  };
  for (const auto& [key, value] : arguments.overrides.set) add("--set", key + "=" + value);
  for (const auto& [label, stage] : arguments.overrides.swap) add("--swap", label + "=" + stage);
  for (const auto& file : arguments.plugins) add("--plugin", file.string());
  if (arguments.allow_insecure_plugins) out += " --allow-insecure-plugins";
  if (const auto& shard = arguments.run.shard) {
    add("--shard", fmt::format("{}/{}", shard->index, shard->count));
    if (shard->by == ShardBy::Hash) add("--shard-by", "hash");
  }
  if (arguments.run.skip > 0) add("--skip", std::to_string(arguments.run.skip));
  if (arguments.run.limit) add("--limit", std::to_string(*arguments.run.limit));
  if (!arguments.run.run_dir.empty()) add("--run-dir", arguments.run.run_dir.string());
  if (!arguments.run.share_connections.empty()) {
    add("--share-connections", arguments.run.share_connections.string());
  }
  return how.empty() ? out : out + " " + how;
}

std::string closing_text(const RunReport& report, const Arguments& arguments) {
  std::string out = stage_table(report);
  if (const std::string counts = count_tables(report); !counts.empty()) out += "\n" + counts;
  if (!report.notes.empty()) out += "\nNotes\n";
  for (const std::string& note : report.notes) out += "  " + note + "\n";
  if (!report.products.empty()) out += "\nWritten\n";
  for (const auto& product : report.products) out += "  " + product.string() + "\n";
  return out + "\n" + ending_text(report, arguments);
}

int exit_code(RunEnd end) {
  switch (end) {
    case RunEnd::Done:
      return kDone;
    case RunEnd::Unsettled:
      return kUnsettled;
    case RunEnd::Interrupted:
      return kInterrupted;
    case RunEnd::Failed:
      return kRunFailed;
  }
  return kRunFailed;
}

}  // namespace qsohost::cli
