// How the chain is cut into segments, each with threads of its own: see executor.hpp.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "qsohost/host/chain.hpp"

namespace qsohost::inline v1 {

struct SegmentPlan {
  Role role;                        // Fetcher, Fitter (for filters too) or Sink
  int lanes = 0;                    // threads of its own; 0: one for sinks, else the compute pool
  std::vector<std::size_t> stages;  // of the chain
};

// Of the stages behind the source. `lanes`: threads of each stage's own, of as many stages as take
// part, from the source on.
std::vector<SegmentPlan> plan_segments(const Chain& chain, std::span<const int> lanes,
                                       bool with_sinks);

}  // namespace qsohost::inline v1
