#include "run/segments.hpp"

namespace qsohost::inline v1 {

std::vector<SegmentPlan> plan_segments(const Chain& chain, std::span<const int> lanes,
                                       bool with_sinks) {
  std::vector<SegmentPlan> plans;
  for (std::size_t i = 1; i < lanes.size(); ++i) {
    const Role own = chain.stages()[i].offer.role;
    const Role role = own == Role::Filter ? Role::Fitter : own;
    if (role == Role::Sink && !with_sinks) continue;
    const bool joins =
        !plans.empty() && plans.back().role == role && lanes[i] == 0 && plans.back().lanes == 0;
    if (!joins) plans.push_back({role, lanes[i], {}});
    plans.back().stages.push_back(i);
  }
  return plans;
}

}  // namespace qsohost::inline v1
