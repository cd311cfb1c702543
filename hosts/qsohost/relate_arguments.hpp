// The command line of `qsohost relate`.
#pragma once

#include <filesystem>

#include "relate/relate.hpp"

namespace CLI {
class App;
}

namespace qsohost::cli {

struct RelateArguments {
  RelateOptions options;
  // Empty: not written.
  std::filesystem::path plot, table, json;
};

// Adds the command to the program's. Errors in options are CLI::ValidationErrors of its parsing.
CLI::App* add_relate(CLI::App& app, RelateArguments& arguments);

}  // namespace qsohost::cli
