#include "run/executor.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <ctime>
#include <span>
#include <system_error>
#include <utility>

#include "base/caught.hpp"
#include "base/interrupted.hpp"
#include "qsohost/error.hpp"
#include "run/segments.hpp"

namespace qsohost::inline v1 {

using Clock = Trace::Clock;

struct Executor::BatchInFlight {
  std::uint64_t sequence;  // 0, 1, 2, ... without the gaps that skipped batches leave in ordinals
  Batch batch;
  BatchRecord record;
  std::vector<FitterWork> fitted{};
  bool dead = false;  // passes through the segments without work, to keep the order
  std::size_t most_bytes = 0;
  Clock::time_point queued = Clock::now();
};

struct Executor::Segment : SegmentPlan {
  Queue<BatchPtr> queue;
  std::vector<std::thread> threads;
};

namespace {

double seconds(Clock::duration d) {
  return std::chrono::duration<double>(d).count();
}

double thread_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

std::vector<ObjectRecord> object_records(const Batch& batch, const Outcomes& outcomes) {
  std::vector<ObjectRecord> out;
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    const Outcomes::State& s = outcomes.states()[row];
    out.push_back({batch.id(row), *s.outcome, s.reason, s.epochs, s.detail});
  }
  return out;
}

// The allocator would keep what a large batch leaves free between blocks in use.
void trim_after(std::int64_t bytes) {
  constexpr std::int64_t large = 4 << 20;
  if (bytes > large) ::malloc_trim(0);
}

}  // namespace

Executor::Executor(Chain& chain, Settings settings, RunDb& db, DoneBefore done, Trace* trace)
    : chain_(chain),
      settings_(std::move(settings)),
      db_(db),
      reader_(chain.stages().front(),
              {settings_.batch_rows, settings_.batch_bytes, settings_.part,
               [this] { return stopping(); }},
              std::move(done)),
      trace_(trace),
      limit_(settings_.in_flight, settings_.in_flight_bytes, settings_.batch_rows),
      clocks_(chain.stages().size()) {
  make_steps();
}

Executor::~Executor() {
  if (source_.joinable()) fail("the run was left before its end");
  join();
}

int Executor::interrupts() const {
  return settings_.interrupts == nullptr ? 0 : settings_.interrupts->count();
}

bool Executor::stopping() const {
  return interrupts() > 0 || has_failed_;
}

std::size_t Executor::workers(std::size_t stage) const {
  switch (chain_.stages()[stage].offer.role) {
    case Role::Filter:
    case Role::Fitter:
      if (settings_.lanes[stage] == 0) return static_cast<std::size_t>(settings_.threads);
      [[fallthrough]];
    case Role::Fetcher:
      return static_cast<std::size_t>(settings_.lanes[stage]);
    case Role::Source:
    case Role::Sink:
      break;
  }
  return 1;
}

void Executor::make_steps() {
  const std::size_t count = settings_.stages > 0 ? settings_.stages : chain_.stages().size();
  std::vector<SegmentPlan> plans =
      plan_segments(chain_, std::span(settings_.lanes).first(count), settings_.with_sinks);
  if (settings_.batch_done) plans.push_back({Role::Sink, 0, {}});
  for (SegmentPlan& plan : plans) {
    steps_.push_back(std::make_unique<Segment>());
    static_cast<SegmentPlan&>(*steps_.back()) = std::move(plan);
  }
}

void Executor::start_threads() {
  pool_ = make_compute_pool(settings_.threads);
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    Segment& step = *steps_[i];
    if (step.role == Role::Sink) {
      step.threads.emplace_back([this, &step, i] { sink_loop(step, i); });
    } else {
      for (int lane = 0; lane < step.lanes; ++lane) {
        step.threads.emplace_back([this, &step, i] {
          while (auto flight = step.queue.pop()) {
            process(step, **flight);
            deliver(std::move(*flight), i + 1);
          }
        });
      }
    }
  }
  source_ = std::thread([this] { run_source(); });
}

void Executor::join() {
  if (source_.joinable()) source_.join();
  for (auto& step : steps_) {
    step->queue.close();
    for (std::thread& thread : step->threads) {
      if (thread.joinable()) thread.join();
    }
  }
  pool_.reset();
}

void Executor::run_source() {
  try {
    read_source();
  } catch (...) {
    fail(current_exception_message());
  }
  const std::lock_guard lock(mutex_);
  source_done_ = true;
  changed_.notify_all();
}

void Executor::run() {
  try {
    start_threads();
  } catch (const std::system_error& e) {
    fail(fmt::format("the system gives no more threads ({}); ask for fewer (-j, options of stages)",
                     e.what()));
    return join();
  }
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return source_done_ && in_flight_ == 0; });
  }
  join();
}

void Executor::fill(Progress& progress) const {
  progress.threads = settings_.threads;
  const std::lock_guard lock(mutex_);
  progress.objects_this_run = objects_;
  progress.objects_read = clocks_[0].objects;
  progress.in_flight = static_cast<std::uint64_t>(in_flight_);
  progress.most_in_flight = limit_.now();
  if (!where_.empty()) progress.stage = chain_.stages()[where_.begin()->second].label;
  for (std::size_t i = 0; i < clocks_.size(); ++i) {
    const ChainStage& stage = chain_.stages()[i];
    progress.stages.push_back(
        {stage.label, stage.offer.role, 0, clocks_[i].objects, clocks_[i].busy});
  }
  for (const auto& [sequence, stage] : where_) ++progress.stages[stage].batches;
}

bool Executor::wait_for_room() {
  std::unique_lock lock(mutex_);
  // Timed, because an interrupt comes from a signal handler, which cannot notify.
  while (in_flight_ >= limit_.now() && !stopping()) {
    changed_.wait_for(lock, std::chrono::milliseconds(50));
  }
  if (!stopping()) return true;
  stopped_early_ = true;
  return false;
}

void Executor::read_source() {
  const ChainStage& source = chain_.stages().front();
  for (std::uint64_t sequence = 0; wait_for_room(); ++sequence) {
    const auto begin = Clock::now();
    std::optional<SourceReader::Next> next = reader_.next();
    const auto end = Clock::now();
    if (!next) {
      const std::lock_guard lock(mutex_);
      // The source may have stopped waiting because of an interrupt.
      if (interrupts() > 0) stopped_early_ = true;
      return;
    }
    auto flight = std::make_unique<BatchInFlight>(
        BatchInFlight{sequence, std::move(next->batch), std::move(next->record), {}});
    const Batch& batch = flight->batch;
    if (trace_ != nullptr) trace_->add(source.label, batch.ordinal(), begin, end);
    flight->record.stages.resize(chain_.stages().size());
    StageRecord& numbers = flight->record.stages[0];
    numbers.objects_out = batch.rows();
    numbers.epochs_out = epochs_in(batch);
    {
      const std::lock_guard lock(mutex_);
      clocks_[0].busy += seconds(end - begin);
      clocks_[0].objects += batch.rows();
      ++in_flight_;
      where_[sequence] = 0;
    }
    deliver(std::move(flight), 0);
  }
}

void Executor::deliver(BatchPtr flight, std::size_t index) noexcept {
  if (index == steps_.size()) return complete(std::move(flight));
  Segment& step = *steps_[index];
  flight->queued = Clock::now();
  if (step.role != Role::Fitter || step.lanes > 0) return step.queue.push(std::move(flight));
  // std::function needs something copyable; the batch is moved out inside.
  pool_->submit([this, &step, index, shared = std::make_shared<BatchPtr>(std::move(flight))] {
    process(step, **shared);
    deliver(std::move(*shared), index + 1);
  });
}

void Executor::sink_loop(Segment& step, std::size_t index) {
  std::map<std::uint64_t, BatchPtr> early;  // at most as many as are in flight
  std::uint64_t next = 0;
  while (auto flight = step.queue.pop()) {
    const std::uint64_t sequence = (*flight)->sequence;
    early.emplace(sequence, std::move(*flight));
    for (auto it = early.find(next); it != early.end(); it = early.find(next)) {
      process(step, *it->second);
      deliver(std::move(it->second), index + 1);
      early.erase(it);
      ++next;
    }
  }
}

void Executor::process(Segment& step, BatchInFlight& flight) {
  if (step.stages.empty()) {
    if (interrupts() > 1) flight.dead = true;
    if (flight.dead) return;
    try {
      settings_.batch_done(flight.batch, flight.fitted);
    } catch (...) {
      flight.dead = true;
      fail(current_exception_message());
    }
    return;
  }
  const double waited = seconds(Clock::now() - flight.queued);
  {
    const std::lock_guard lock(mutex_);
    clocks_[step.stages.front()].waiting += waited;
  }
  for (const std::size_t stage : step.stages) {
    if (interrupts() > 1) flight.dead = true;
    if (flight.dead) return;
    try {
      call(stage, flight);
    } catch (const Interrupted&) {
      flight.dead = true;
    } catch (...) {
      flight.dead = true;
      fail(current_exception_message());
    }
  }
  if (may_be_incomplete(step)) flight.dead = true;
}

// A stage that was asked to stop may have left objects undone: the batch is left for --resume and
// not recorded.
bool Executor::may_be_incomplete(const Segment& step) const {
  if (interrupts() > 1) return true;
  return step.role == Role::Fetcher && settings_.was_stopped &&
         settings_.was_stopped(step.stages.front());
}

void Executor::call(std::size_t index, BatchInFlight& flight) {
  const ChainStage& stage = chain_.stages()[index];
  Batch& batch = flight.batch;
  StageRecord& record = flight.record.stages[index];
  {
    const std::lock_guard lock(mutex_);
    where_[flight.sequence] = index;
  }
  record.objects_in = batch.rows();
  record.epochs_in = epochs_in(batch);
  const auto begin = Clock::now();
  Counts counts;
  switch (stage.offer.role) {
    case Role::Source:
      break;
    case Role::Fetcher: {
      Outcomes outcomes = call_fetcher(stage, batch);
      record.objects = object_records(batch, outcomes);
      counts.add(outcomes.counts());
      break;
    }
    case Role::Filter:
      for (NotDone& object : call_filter(stage, batch, counts)) {
        record.objects.push_back(
            {std::move(object.id), Outcome::BadObject, std::move(object.reason), 0, {}});
      }
      break;
    case Role::Fitter:
      call_fitter_at(index, flight, counts);
      break;
    case Role::Sink:
      call_sink(stage, batch, {batch.ordinal(), flight.record.attempt, batch.rows()});
      break;
  }
  const auto end = Clock::now();
  record.objects_out = batch.rows();
  record.epochs_out = epochs_in(batch);
  record.counts = counts.entries();
  flight.most_bytes = std::max(flight.most_bytes, batch.bytes());
  if (trace_ != nullptr) trace_->add(stage.label, batch.ordinal(), begin, end);
  const std::lock_guard lock(mutex_);
  clocks_[index].busy += seconds(end - begin);
  clocks_[index].objects += record.objects_in;
}

void Executor::call_fitter_at(std::size_t index, BatchInFlight& flight, Counts& counts) {
  Batch& batch = flight.batch;
  FitterWork work{index, {}, {}};
  if (settings_.batch_done) {
    work.seconds.resize(batch.rows());
    work.reasons.resize(batch.rows());
  }
  const double start = thread_seconds();
  // After a second Ctrl-C the remaining objects are skipped, and the batch is dead.
  const ForEach for_each = [&](std::size_t n, const auto& body) {
    // Time spent on the batch as a whole.
    const double shared = (thread_seconds() - start) / static_cast<double>(n);
    const auto timed = [&](std::size_t i) {
      if (interrupts() > 1) return;
      if (work.seconds.empty()) return body(i);
      const double begin = thread_seconds();
      body(i);
      work.seconds[i] = shared + thread_seconds() - begin;
    };
    if (settings_.lanes[index] > 0) return plain_loop(n, timed);
    pool_->for_each(n, timed);
  };
  std::vector<ObjectRecord>& records = flight.record.stages[index].objects;
  for (const BadRow& bad : call_fitter(chain_.stages()[index], batch, for_each, counts)) {
    records.push_back({batch.id(bad.row), Outcome::BadObject, bad.reason, 0, {}});
    if (!work.reasons.empty()) work.reasons[bad.row] = bad.reason;
  }
  if (settings_.batch_done) flight.fitted.push_back(std::move(work));
}

void Executor::complete(BatchPtr flight) {
  if (!flight->dead) {
    try {
      settings_.fetched ? settings_.fetched(flight->record) : db_.commit(flight->record);
    } catch (...) {
      flight->dead = true;
      fail(current_exception_message());
    }
  }
  if (!flight->dead && settings_.committed) settings_.committed(flight->record);
  const std::uint64_t sequence = flight->sequence;
  const std::uint64_t objects = flight->dead ? 0 : flight->record.objects;
  const bool dead = flight->dead;
  const auto bytes = static_cast<std::int64_t>(flight->most_bytes);
  flight.reset();  // frees its memory before another may be read
  trim_after(bytes);
  const std::lock_guard lock(mutex_);
  objects_ += objects;
  if (dead) stopped_early_ = true;
  where_.erase(sequence);
  limit_.note(bytes);
  --in_flight_;
  changed_.notify_all();
}

void Executor::fail(const std::string& message) {
  const std::lock_guard lock(mutex_);
  if (error_.empty()) error_ = message;  // the first one is the cause
  has_failed_ = true;
  changed_.notify_all();
}

}  // namespace qsohost::inline v1
