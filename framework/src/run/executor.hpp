// Moves batches through the stages of an open chain.
//
// The chain is cut into segments: each fetcher is a segment with its own I/O lanes, and so is a
// filter or fitter that limits how many batches may be in it; other consecutive filters and fitters
// are one segment, a task per batch in the compute pool; consecutive sinks are
// one segment on one thread that gets batches in source order, and so is the call of batch_done. A
// batch is in flight from the source until it is committed. The source waits while as many are in
// flight as there may be, so the queues between segments need no bounds.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/queue.hpp"
#include "qsohost/host/chain.hpp"
#include "qsohost/host/run.hpp"
#include "run/compute_pool.hpp"
#include "run/in_flight_limit.hpp"
#include "run/interrupts.hpp"
#include "run/run_db.hpp"
#include "run/source_reader.hpp"
#include "run/trace.hpp"

namespace qsohost::inline v1 {

struct StageClock {
  std::uint64_t objects = 0;
  double busy = 0;     // seconds, summed over threads
  double waiting = 0;  // seconds that batches waited for the stage
};

class Executor {
 public:
  struct Settings {
    int threads = 1;
    std::vector<int> lanes;  // threads of each stage's own; 0: none
    int in_flight = 4;
    std::int64_t batch_rows = 500;
    std::int64_t batch_bytes = 64 << 20;
    std::int64_t in_flight_bytes = 0;  // of all batches in flight, about; 0: no limit
    Part part;
    bool with_sinks = true;
    std::size_t stages = 0;  // only the first of the chain; 0: all
    const Interrupts* interrupts = nullptr;
    std::function<bool(std::size_t stage)> was_stopped;  // see OpenChain
    // Must not throw (see callback_guard.hpp).
    std::function<void(const BatchRecord&)> committed;
    // Called instead of a commit to the ledger. Any thread; an exception from it ends the run.
    std::function<void(const BatchRecord&)> fetched;
    // An exception from it ends the run.
    std::function<void(Batch&, const std::vector<FitterWork>&)> batch_done;
  };

  Executor(Chain& chain, Settings settings, RunDb& db, DoneBefore done, Trace* trace);
  ~Executor();

  // Returns when every batch is done, the run was interrupted, or it failed (see error()).
  void run();

  // Fills in what it knows of a run that goes on, but for times. Any thread.
  void fill(Progress& progress) const;

  const std::string& error() const { return error_; }
  std::uint64_t objects() const { return objects_; }  // committed
  // Number of objects in the source, if it was read to its end.
  std::optional<std::uint64_t> source_end() const { return reader_.end(); }
  // The source has been read to its end and everything read has been committed.
  bool is_complete() const { return source_done_ && !stopped_early_ && error_.empty(); }
  StageClock clock(std::size_t stage) const { return clocks_[stage]; }
  std::size_t workers(std::size_t stage) const;  // threads that a stage may use

 private:
  struct BatchInFlight;
  struct Segment;
  using BatchPtr = std::unique_ptr<BatchInFlight>;

  int interrupts() const;
  bool may_be_incomplete(const Segment& step) const;
  bool stopping() const;  // no more batches from the source
  void make_steps();
  void start_threads();
  void join();  // waits for all threads; batches still queued are skipped
  void run_source();
  void read_source();
  bool wait_for_room();  // false if no more batches are wanted
  // Ends the program if there is no memory to pass a batch on: the others would wait for it.
  void deliver(BatchPtr flight, std::size_t step) noexcept;
  void sink_loop(Segment& step, std::size_t index);
  void process(Segment& step, BatchInFlight& flight);
  void call(std::size_t stage, BatchInFlight& flight);
  void call_fitter_at(std::size_t stage, BatchInFlight& flight, Counts& counts);
  void complete(BatchPtr flight);
  void fail(const std::string& message);

  Chain& chain_;
  Settings settings_;
  RunDb& db_;
  SourceReader reader_;
  Trace* trace_;
  std::atomic<bool> has_failed_ = false;
  std::vector<std::unique_ptr<Segment>> steps_;
  std::unique_ptr<ComputePool> pool_;
  std::thread source_;

  mutable std::mutex mutex_;  // guards everything below
  std::condition_variable changed_;
  InFlightLimit limit_;
  int in_flight_ = 0;
  std::uint64_t objects_ = 0;
  bool source_done_ = false;
  bool stopped_early_ = false;
  std::string error_;
  std::vector<StageClock> clocks_;
  std::map<std::uint64_t, std::size_t> where_;  // sequence number -> stage it is at
};

}  // namespace qsohost::inline v1
