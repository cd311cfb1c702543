#include "live_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "progress.hpp"
#include "table.hpp"

namespace qsohost::cli {
namespace {

constexpr std::size_t kMostCalls = 20;  // shown

std::string stage_table(const Progress& progress) {
  constexpr Align kRight = Align::Right;
  Table table({{"stage"},
               {"role"},
               {"batches", kRight},
               {"objects", kRight},
               {"objects/s", kRight},
               {"busy s", kRight}});
  for (const StageProgress& stage : progress.stages) {
    const double rate =
        progress.seconds > 0 ? static_cast<double>(stage.objects) / progress.seconds : 0;
    table.add({stage.stage, std::string(name_of(stage.role)), fmt::format("{}", stage.batches),
               grouped(static_cast<std::int64_t>(stage.objects)), rate_text(rate),
               fmt::format("{:.2f}", stage.busy_seconds)});
  }
  return table.empty() ? "" : table.text(2);
}

}  // namespace

std::string live_table(const Progress& progress) {
  std::string out = plain_line(progress) + "\n";
  if (progress.most_in_flight > 0) {
    out += fmt::format("{} batches in flight (limit {}), {} compute threads\n", progress.in_flight,
                       progress.most_in_flight, progress.threads);
  }
  out += stage_table(progress);
  if (!progress.calls.empty()) out += "Calls that have not returned\n";
  const std::size_t shown = std::min(progress.calls.size(), kMostCalls);
  for (std::size_t i = 0; i < shown; ++i) {
    const StageCall& call = progress.calls[i];
    out += fmt::format("  {}, for {}\n", describe(call), duration(call.seconds));
  }
  if (shown < progress.calls.size()) {
    out += fmt::format("  and {} more\n", progress.calls.size() - shown);
  }
  if (!progress.fetching.empty()) out += "Fetchers\n";
  for (const FetchProgress& f : progress.fetching) out += "  " + fetching_text(f) + "\n";
  if (!progress.archives.empty()) out += "Archives\n";
  for (const std::string& archive : progress.archives) out += "  " + archive + "\n";
  return out;
}

}  // namespace qsohost::cli
