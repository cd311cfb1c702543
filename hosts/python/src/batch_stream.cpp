#include "batch_stream.hpp"

#include <utility>

#include "qsohost/error.hpp"

namespace qsohost::python {

BatchStream::BatchStream(std::shared_ptr<Plugins> plugins, Chain chain, RunOptions options)
    : plugins_(std::move(plugins)), chain_(std::move(chain)), options_(std::move(options)) {
  options_.dry_run = true;
  options_.interrupts = &interrupts_;
  options_.batch_done = [this](Batch& batch, const std::vector<FitterWork>&) { give(batch); };
  thread_ = std::thread([this] { work(); });
}

void BatchStream::work() {
  std::exception_ptr error;
  try {
    const RunReport report = run(chain_, options_);
    if (report.end == RunEnd::Failed) throw RunError(report.error);
  } catch (...) {
    error = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  error_ = error;
  has_ended_ = true;
  changed_.notify_all();
}

void BatchStream::give(Batch& batch) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return batch_ == nullptr || is_closed_; });
  if (is_closed_) return;
  batch_ = std::make_shared<const Batch>(std::move(batch));
  changed_.notify_all();
}

BatchStream::State BatchStream::next(std::chrono::milliseconds wait,
                                     std::shared_ptr<const Batch>& batch) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, wait, [this] { return batch_ != nullptr || has_ended_; });
  if (batch_ != nullptr) {
    batch = std::exchange(batch_, nullptr);
    changed_.notify_all();
    return State::Batch;
  }
  if (!has_ended_) return State::NotYet;
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  return State::End;
}

void BatchStream::close() {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    batch_.reset();
    interrupts_ = 2;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace qsohost::python
