// Which calls of stages have not returned yet, in all threads of the program, and which work of the
// host that waits for disks.
#pragma once

#include <chrono>
#include <list>
#include <string_view>
#include <vector>

#include "data/working_on.hpp"
#include "qsohost/host/chain.hpp"
#include "qsohost/host/stage_progress.hpp"

namespace qsohost::inline v1 {

// The call goes on for its lifetime.
class CallUnderWay {
 public:
  CallUnderWay(const ChainStage& stage, const WorkingOn& place, std::size_t objects);
  // Work of the host for this chain; `what` is a literal.
  CallUnderWay(const Chain& chain, std::string_view what);
  ~CallUnderWay();
  CallUnderWay(const CallUnderWay&) = delete;
  CallUnderWay& operator=(const CallUnderWay&) = delete;

  struct Entry {
    const ChainStage* stage = nullptr;
    WorkingOn place{};
    std::size_t objects = 0;
    const Chain* chain = nullptr;  // of work of the host
    std::string_view what{};       // likewise
    std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  };

 private:
  explicit CallUnderWay(const Entry& entry);
  std::list<Entry>::iterator entry_;
};

// Those of this chain, the longest first.
std::vector<StageCall> calls_under_way(const Chain& chain,
                                       std::chrono::steady_clock::time_point now);

}  // namespace qsohost::inline v1
