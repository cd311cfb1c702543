// Batches of a chain one after the other, for whoever asks for the next one. The run waits while
// nobody does, so memory is bounded by the batches in flight.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "qsohost/host/chain.hpp"
#include "qsohost/host/run.hpp"

namespace qsohost::python {

class BatchStream {
 public:
  // Begins a dry run (sinks are not called) on a thread of its own. `options` without interrupts
  // and batch_done. `plugins`: what the chain was loaded with.
  BatchStream(std::shared_ptr<Plugins> plugins, Chain chain, RunOptions options);
  ~BatchStream() { close(); }
  BatchStream(const BatchStream&) = delete;
  BatchStream& operator=(const BatchStream&) = delete;

  enum class State { Batch, NotYet, End };
  // Waits for a batch, at most so long. Throws what ended the run.
  State next(std::chrono::milliseconds wait, std::shared_ptr<const Batch>& batch);
  // Stops the run and waits for its end. May be called again.
  void close();

 private:
  void work();
  void give(Batch& batch);

  std::shared_ptr<Plugins> plugins_;
  Chain chain_;
  RunOptions options_;
  std::atomic<int> interrupts_ = 0;
  std::mutex mutex_;  // guards everything below
  std::condition_variable changed_;
  std::shared_ptr<const Batch> batch_;
  bool has_ended_ = false;
  bool is_closed_ = false;
  std::exception_ptr error_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace qsohost::python
