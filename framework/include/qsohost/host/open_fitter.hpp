// For hosts: a fitter outside of a run, for light curves in memory.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "qsohost/batch.hpp"
#include "qsohost/host/loader.hpp"

namespace qsohost::inline v1 {

class QSOHOST_API OpenFitter {
 public:
  // `options` as in a chain file: {"mean", "\"profiled\""}. `like` has the columns of the batches
  // to come; its rows do not matter. Throws UsageError for what a check of a chain would refuse.
  OpenFitter(Plugins& plugins, const std::string& stage,
             const std::vector<std::pair<std::string, std::string>>& options, const Batch& like);
  ~OpenFitter();
  OpenFitter(const OpenFitter&) = delete;
  OpenFitter& operator=(const OpenFitter&) = delete;

  // Adds the results, labelled with the stage's name, to the batch; `threads`: 0 is all of the
  // machine. Returns why an object could not be fitted, or "", one entry a row. Once `*interrupts`
  // is not 0, the objects left get the reason "interrupted". Several calls may be made at once.
  // Throws RunError.
  std::vector<std::string> fit(Batch& batch, int threads = 1,
                               const std::atomic<int>* interrupts = nullptr) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qsohost::inline v1
