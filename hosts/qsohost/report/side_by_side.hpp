// Sections of two runs on one page: ids that do not collide, and figures that can be compared.
#pragma once

#include <vector>

#include "report/section.hpp"

namespace qsohost::cli {

// Prefixes the ids of sections and figures by "a-", "b-", ... and gives figures of the same id,
// which show the same of each run, common ranges of their axes.
void set_side_by_side(std::vector<Section>& sections);

}  // namespace qsohost::cli
