// Which calls of stages have not returned yet, in all threads of the program.
#pragma once

#include <chrono>
#include <list>
#include <vector>

#include "data/working_on.hpp"
#include "qsohost/host/chain.hpp"
#include "qsohost/host/stage_progress.hpp"

namespace qsohost::inline v1 {

// The call goes on for its lifetime.
class CallUnderWay {
 public:
  CallUnderWay(const ChainStage& stage, const WorkingOn& place, std::size_t objects);
  ~CallUnderWay();
  CallUnderWay(const CallUnderWay&) = delete;
  CallUnderWay& operator=(const CallUnderWay&) = delete;

  struct Entry {
    const ChainStage* stage;
    WorkingOn place;
    std::size_t objects;
    std::chrono::steady_clock::time_point begin;
  };

 private:
  std::list<Entry>::iterator entry_;
};

// Those of this chain's stages, the longest first.
std::vector<StageCall> calls_under_way(const Chain& chain,
                                       std::chrono::steady_clock::time_point now);

}  // namespace qsohost::inline v1
