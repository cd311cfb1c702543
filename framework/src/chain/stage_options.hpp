// Setting a stage's options from a chain file or the command line.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "chain/chain_file.hpp"
#include "qsohost/stage.hpp"

namespace qsohost::inline v1 {

// Sets every option, checks that required ones are given, and validates the stage. Relative paths
// of the chain file are resolved against `folder`. True without errors.
bool apply_options(Stage& stage, const RawStage& raw, const std::filesystem::path& folder,
                   std::vector<Problem>& problems);

// Whether one of its options says where a secret is.
bool uses_secret(const Stage& stage);

}  // namespace qsohost::inline v1
