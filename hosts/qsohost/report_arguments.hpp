// The command line of `qsohost report`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "report/section.hpp"

namespace CLI {
class App;
}

namespace qsohost::cli {

struct ReportArguments {
  std::vector<std::filesystem::path> runs;  // one or two
  ReportOptions options;
  std::filesystem::path out;                    // may be empty: in the first run directory
  std::filesystem::path plots;                  // may be empty
  std::vector<std::filesystem::path> catalogs;  // none, one or two
  std::string title;                            // may be empty
};

// Adds the command to the program's.
CLI::App* add_report(CLI::App& app, ReportArguments& arguments);

}  // namespace qsohost::cli
