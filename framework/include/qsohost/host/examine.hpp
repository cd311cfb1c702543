// For hosts: asks the archives of a chain what they serve, for `qsohost doctor`.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "qsohost/context.hpp"
#include "qsohost/host/chain.hpp"

namespace qsohost::inline v1 {

// One archive as a stage of the chain uses it.
struct ExaminedArchive {
  std::string label;    // of the stage
  std::string use;      // the stage's kind
  std::string archive;  // in words
  std::string url;
  std::string release;               // "" if that is not known
  std::vector<std::string> notes;    // facts
  std::vector<std::string> changes;  // what is wrong, and what to change
  std::vector<double> seconds;       // each request took, retries included
};

struct ExamineOptions {
  std::vector<std::string> only;  // labels or kinds of stages; empty: all
  const std::atomic<int>* interrupts = nullptr;
  std::function<void(LogLevel, const std::string&)> log;  // any thread
};

// Stages in chain order; those that use no archive are left out. Nothing is opened or written.
// Throws UsageError for an entry of `only` that is no stage of the chain, RunError where the user
// interrupts or a plugin fails.
QSOHOST_API std::vector<ExaminedArchive> examine(Chain& chain, const ExamineOptions& options);

// The same for one stage without a chain. `set`: options as in a chain file, {"via", "\"aip\""}.
QSOHOST_API std::vector<ExaminedArchive> examine(
    Plugins& plugins, const std::string& stage,
    const std::vector<std::pair<std::string, std::string>>& set, const ExamineOptions& options);

}  // namespace qsohost::inline v1
