// A stage by its name, without a chain.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "qsohost/host/chain.hpp"

namespace qsohost::inline v1 {

// With its options set: {"mean", "\"profiled\""}. Throws UsageError for what a check of a chain
// would refuse, and if it has another role than `role`.
ChainStage create_named(Plugins& plugins, const std::string& stage,
                        const std::vector<std::pair<std::string, std::string>>& options,
                        std::optional<Role> role = std::nullopt);

// One entry a line.
std::string lines_of(const std::vector<std::string>& lines);

}  // namespace qsohost::inline v1
