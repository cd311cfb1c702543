// For hosts: what the stages of a run are doing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "qsohost/api.hpp"
#include "qsohost/stage.hpp"

namespace qsohost::inline v1 {

// A call of a stage that has not returned yet, or work of the host itself that may take long.
struct StageCall {
  std::string stage;                      // its label; empty: of the host itself
  std::string work;                       // of the host: what it does
  std::optional<std::uint64_t> batch;     // its ordinal; none: of no batch, such as open()
  std::uint64_t objects = 0;              // in the batch; 0: a source is about to fill it
  std::string first_object, last_object;  // their identifiers, cut if they are long
  double seconds = 0;                     // since it began
};

// "stage 'ztf', batch 12 (500 objects, 101 to 600)"
QSOHOST_API std::string describe(const StageCall& call);

struct StageProgress {
  std::string stage;
  Role role = Role::Source;
  std::uint64_t batches = 0;  // in flight that it works on, or was the last to work on
  std::uint64_t objects = 0;  // that it has done in this run
  double busy_seconds = 0;    // summed over threads, without the calls that go on
};

}  // namespace qsohost::inline v1
