// What keeps the shards of one submission together: a digest of the chain and of its stages' files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "qsohost/host/chain.hpp"

namespace qsohost::cli {

// Plugins and scripts of all stages, each once.
std::vector<std::filesystem::path> stage_files(const Chain& chain);

// Chain::hash() and a checksum of the stages' files: "5510aad2258ad3e4-0a1b2c3d". Throws RunError
// for a file that cannot be read.
std::string digest_of(const Chain& chain);

// Throws UsageError that says what has changed, unless the chain has this digest.
void require_digest(const Chain& chain, const std::filesystem::path& chain_file,
                    const std::string& digest);

}  // namespace qsohost::cli
