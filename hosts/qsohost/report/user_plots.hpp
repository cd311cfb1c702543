// The plots that a user asks for by `qsohost report --plots FILE.toml`.
#pragma once

#include <vector>

#include "report/plots_file.hpp"
#include "report/run_products.hpp"
#include "report/section.hpp"

namespace qsohost::cli {

// Throws UsageError with the place in the file and the nearest names for a product or column that
// the run does not have.
Section user_plots_section(const RunProducts& run, const std::vector<UserPlot>& plots);

}  // namespace qsohost::cli
