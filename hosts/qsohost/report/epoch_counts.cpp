#include "report/epoch_counts.hpp"

#include <string_view>

namespace qsohost::cli {
namespace {

constexpr std::string_view kFailed = "failed ";
constexpr std::string_view kRemoved = "removed by ";

std::optional<std::int64_t> count_of(const StageReport& stage, std::string_view item,
                                     std::string_view what) {
  for (const Counts::Entry& entry : stage.counts) {
    if (entry.item == item && entry.what == what) return entry.n;
  }
  return std::nullopt;
}

}  // namespace

std::vector<EpochCut> epoch_cuts(const RunReport& report) {
  std::vector<EpochCut> out;
  for (const StageReport& stage : report.stages) {
    for (const Counts::Entry& entry : stage.counts) {
      if (entry.what != "epochs in") continue;
      const auto kept = count_of(stage, entry.item, "epochs kept");
      const auto dropped = count_of(stage, entry.item, "epochs dropped");
      if (!kept && !dropped) continue;
      out.push_back({stage.label, entry.item, entry.n, kept ? *kept : entry.n - *dropped});
    }
  }
  return out;
}

std::vector<RuleCount> rule_counts(const RunReport& report) {
  std::vector<RuleCount> out;
  for (const StageReport& stage : report.stages) {
    for (const Counts::Entry& entry : stage.counts) {
      if (!entry.what.starts_with(kFailed)) continue;
      const std::string rule = entry.what.substr(kFailed.size());
      out.push_back({stage.label, entry.item, rule,
                     count_of(stage, entry.item, "epochs in").value_or(0), entry.n,
                     count_of(stage, entry.item, std::string(kRemoved) + rule)});
    }
  }
  return out;
}

}  // namespace qsohost::cli
