// The stages of a chain while they are open.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/interrupted.hpp"
#include "qsohost/host/chain.hpp"
#include "qsohost/host/run.hpp"
#include "run/interrupts.hpp"
#include "run/part.hpp"
#include "run/run_directory.hpp"
#include "run/stage_context.hpp"

namespace qsohost::inline v1 {

// External things that the stages and their plugins depend on.
std::vector<Input> inputs_of(const Chain& chain);

// Opens stages of a chain and closes those that were opened, whatever happens in between.
class OpenChain {
 public:
  // Opens the first `count` stages; `directory` is null in a dry run, whose sinks stay closed.
  OpenChain(Chain& chain, const RunOptions& options, RunDirectory* directory, std::size_t count);
  ~OpenChain() { close(); }
  OpenChain(const OpenChain&) = delete;
  OpenChain& operator=(const OpenChain&) = delete;

  const Interrupts& interrupts() const { return interrupts_; }
  const Part& part() const { return part_; }  // of the source, that the run is about
  // The stage has seen the stop flag.
  bool was_stopped(std::size_t index) const;

 private:
  RunInfo info(std::size_t index, RunDirectory* directory) const;
  void open(std::size_t index);
  void look_at(const Source& source);
  void check_again();
  void close() noexcept;
  std::function<bool()> stop_of(std::size_t index) const;

  Chain& chain_;
  Interrupts interrupts_;
  WatchedInterrupts watched_;
  const RunOptions& options_;
  Part part_;                               // once the source is open
  std::optional<std::uint64_t> objects_{};  // in it; likewise
  std::vector<std::unique_ptr<StageContext>> contexts_;
  std::vector<ChainStage*> opened_;
};

}  // namespace qsohost::inline v1
