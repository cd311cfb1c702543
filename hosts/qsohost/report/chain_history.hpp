// The chain of a run as the headers of its products tell it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/run_products.hpp"

namespace qsohost::cli {

struct ChainHistory {
  struct Stage {
    std::string label;
    std::string plugin;                                        // "ou-loo (ou 0.1.0)"
    std::vector<std::pair<std::string, std::string>> options;  // name and value
  };
  std::string program;                                        // "qsohost 0.1.0, chain hash ..."
  std::vector<std::pair<std::string, std::string>> settings;  // "chain.name" and value
  std::vector<Stage> stages;
};

// Of the product that was made last in the chain: its header tells all stages before it. Lines that
// are not understood are left out.
ChainHistory chain_history(const RunProducts& run);

}  // namespace qsohost::cli
