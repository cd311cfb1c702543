// A chain of faux stages in a temporary folder, and runs of it.
#pragma once

#include <unistd.h>
#include <algorithm>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "qsohost/error.hpp"
#include "qsohost/host/chain.hpp"
#include "qsohost/host/run.hpp"

// Text of a chain file: a stage, with lines of options, and the whole.
inline std::string stage(const std::string& use, const std::string& options = {}) {
  return "[[stage]]\nuse = \"" + use + "\"\n" + options;
}
inline std::string chain_of(const std::string& stages) {
  return "[chain]\nname = \"faux\"\n" + stages;
}

class FauxRun {
 public:
  FauxRun() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "qsohost-executor-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    options.run_dir = folder / "run";
    options.threads = 2;
    options.log = [this](qsohost::LogLevel, const std::string& text) {
      const std::lock_guard lock(log_mutex);  // stages and the watchdog may log at a time
      log += text + "\n";
    };
  }
  ~FauxRun() { std::filesystem::remove_all(folder); }
  FauxRun(const FauxRun&) = delete;
  FauxRun& operator=(const FauxRun&) = delete;

  static constexpr const char* standard = R"(
[chain]
name = "faux"
batch_rows = 10
[[stage]]
use = "faux-source"
label = "source"
[[stage]]
use = "faux-fetch"
label = "fetch"
[[stage]]
use = "faux-sink"
label = "raw"
[[stage]]
use = "faux-filter"
label = "filter"
[[stage]]
use = "faux-fit"
label = "fit"
[[stage]]
use = "faux-sink"
label = "out"
last = true
)";

  // Loads the chain; problems are in `problems`.
  std::optional<qsohost::Chain> load(
      const std::vector<std::pair<std::string, std::string>>& set = {},
      const std::vector<std::pair<std::string, std::string>>& swap = {}) {
    std::ofstream(folder / "chain.toml") << text;
    problems.clear();
    return qsohost::Chain::load(folder / "chain.toml", {set, swap}, plugins, problems);
  }

  qsohost::RunReport run(const std::vector<std::pair<std::string, std::string>>& set = {}) {
    auto chain = load(set);
    for (const auto& p : problems) UNSCOPED_INFO(p.text());
    REQUIRE(chain);
    return qsohost::run(*chain, options);
  }

  std::string product(const std::string& label) const {
    std::ifstream in(options.run_dir / (label + ".txt"));
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string text = standard;
  std::filesystem::path folder;
  qsohost::Plugins plugins;
  std::vector<qsohost::Problem> problems;
  qsohost::RunOptions options;
  std::mutex log_mutex;
  std::string log;
};

inline const qsohost::StageReport& stage(const qsohost::RunReport& report,
                                         const std::string& label) {
  const auto it = std::ranges::find(report.stages, label, &qsohost::StageReport::label);
  REQUIRE(it != report.stages.end());
  return *it;
}

// A product of the standard chain.
inline std::string undisturbed(const char* label) {
  static FauxRun* reference = [] {
    auto* r = new FauxRun;
    r->options.threads = 1;
    r->options.in_flight = 1;
    REQUIRE(r->run().end == qsohost::RunEnd::Done);
    return r;
  }();
  return reference->product(label);
}
