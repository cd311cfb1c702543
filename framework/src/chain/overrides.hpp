// What the command line changes in a chain file: --set, --swap, and the fitters of `compare`.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "chain/chain_file.hpp"

namespace qsohost::inline v1 {

// --set LABEL.OPTION=VALUE
void apply_set(RawChain& raw, const std::string& where, const std::string& value,
               std::vector<Problem>& problems);

// --swap LABEL=STAGE
void apply_swap(RawChain& raw, const std::string& label, const std::string& use, Plugins& plugins,
                std::vector<Problem>& problems);

// Replaces one fitter by several, and drops the stages after it and all sinks. Entries of `set` for
// its label are removed, and their options passed to all these fitters.
void line_up_fitters(RawChain& raw, const FitterComparison& line_up,
                     std::vector<std::pair<std::string, std::string>>& set, Plugins& plugins,
                     std::vector<Problem>& problems);

}  // namespace qsohost::inline v1
