// Giving a stage the options of a chain file or of the command line.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "chain/chain_file.hpp"
#include "qsohost/stage.hpp"

namespace qsohost::inline v1 {

// Sets every option, checks that required ones are there, and asks the stage to validate. Relative
// paths of the chain file count from `folder`. True if all is well.
bool apply_options(Stage& stage, const RawStage& raw, const std::filesystem::path& folder,
                   std::vector<Problem>& problems);

}  // namespace qsohost::inline v1
