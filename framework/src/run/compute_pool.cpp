#include "run/compute_pool.hpp"

#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

#include "base/queue.hpp"

namespace qsohost::inline v1 {

namespace {

class PlainPool final : public ComputePool {
 public:
  PlainPool()
      : thread_([this] {
          while (auto task = tasks_.pop()) (*task)();
        }) {}
  ~PlainPool() override {
    tasks_.close();
    thread_.join();
  }
  void submit(std::function<void()> task) override { tasks_.push(std::move(task)); }
  void for_each(std::size_t n, const std::function<void(std::size_t)>& body) override {
    plain_loop(n, body);
  }

 private:
  Queue<std::function<void()>> tasks_;
  std::thread thread_;
};

// If several objects end the run, the first one is reported, as in a plain loop.
class FirstFailure {
 public:
  void watch(std::size_t i, const std::function<void(std::size_t)>& body) {
    if (i > at_) return;
    try {
      body(i);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (i > at_) return;
      at_ = i;
      error_ = std::current_exception();
    }
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::atomic<std::size_t> at_ = std::numeric_limits<std::size_t>::max();
  std::mutex mutex_;
  std::exception_ptr error_;
};

class TbbPool final : public ComputePool {
 public:
  // One more than requested: TBB counts the calling thread, which never computes here.
  explicit TbbPool(int threads)
      : limit_(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads) + 1),
        arena_(threads, 0) {}
  ~TbbPool() override {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [&] { return running_ == 0; });
  }
  void submit(std::function<void()> task) override {
    {
      const std::lock_guard lock(mutex_);
      ++running_;
    }
    // Through our own queue, where the thread sanitizer sees batches change threads.
    tasks_.push(std::move(task));
    arena_.enqueue([this] {
      (*tasks_.pop())();
      const std::lock_guard lock(mutex_);
      if (--running_ == 0) idle_.notify_all();
    });
  }
  void for_each(std::size_t n, const std::function<void(std::size_t)>& body) override {
    // Isolated: a thread that waits for the last objects of its batch must not begin another one.
    FirstFailure failure;
    tbb::this_task_arena::isolate([&] {
      tbb::parallel_for(std::size_t{0}, n, [&](std::size_t i) { failure.watch(i, body); });
    });
    failure.rethrow();
  }

 private:
  tbb::global_control limit_;
  tbb::task_arena arena_;
  Queue<std::function<void()>> tasks_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t running_ = 0;
};

}  // namespace

std::unique_ptr<ComputePool> make_compute_pool(int threads) {
  if (threads == 1) return std::make_unique<PlainPool>();
  return std::make_unique<TbbPool>(threads);
}

}  // namespace qsohost::inline v1
