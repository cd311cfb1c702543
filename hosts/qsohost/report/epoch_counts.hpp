// What became of epochs on their way through a chain, from the counts of its stages. Any stage that
// counts by these names, with a light curve as item, is understood:
//
//   "epochs in", "epochs kept" or "epochs dropped"
//   "failed RULE"      epochs that fail this rule, whatever other rules say
//   "removed by RULE"  those of them that no rule before it had removed
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "qsohost/host/run.hpp"

namespace qsohost::cli {

struct EpochCut {  // of one light curve by one stage
  std::string stage, group;
  std::int64_t in = 0, kept = 0;
};
std::vector<EpochCut> epoch_cuts(const RunReport& report);  // in the order of the chain

struct RuleCount {
  std::string stage, group, rule;
  std::int64_t in = 0;     // epochs that the stage judged
  std::int64_t alone = 0;  // that fail it
  std::optional<std::int64_t> in_order;
};
std::vector<RuleCount> rule_counts(const RunReport& report);

}  // namespace qsohost::cli
