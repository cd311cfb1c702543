#include "watched.hpp"

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <stdexcept>
#include <thread>

namespace py = pybind11;

namespace qsohost::python {
namespace {

const pid_t imported_in = ::getpid();
constexpr auto kWakeUp = std::chrono::milliseconds(100);

// As in Python's logging.
int number_of(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return 10;
    case LogLevel::Info:
      return 20;
    case LogLevel::Warning:
      return 30;
    case LogLevel::Error:
      return 40;
  }
  return 20;
}

// The thread of run(), and how it tells that it has ended.
class Worker {
 public:
  explicit Worker(const std::function<void()>& work)
      : thread_([this, &work] {
          try {
            work();
          } catch (...) {
            error_ = std::current_exception();
          }
          const std::lock_guard lock(mutex_);
          has_ended_ = true;
          ended_.notify_all();
        }) {}

  // True once the work has ended. Without the GIL.
  bool wait() {
    std::unique_lock lock(mutex_);
    return ended_.wait_for(lock, kWakeUp, [this] { return has_ended_; });
  }
  void join() { thread_.join(); }
  const std::exception_ptr& error() const { return error_; }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool has_ended_ = false;
  std::exception_ptr error_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace

bool is_forked_child() {
  return ::getpid() != imported_in;
}

void refuse_in_forked_child() {
  if (!is_forked_child()) return;
  throw std::runtime_error(
      "qsohost cannot work in a process that was forked after `import qsohost`: its threads are "
      "not there; use multiprocessing.get_context('spawn'), or fit_many, which uses all cores by "
      "itself");
}

void Watched::log(LogLevel level, const std::string& text) {
  const std::lock_guard lock(mutex_);
  lines_.emplace_back(level, text);
}

void Watched::progress(const Progress& progress) {
  if (progress.stages.empty()) return;  // the stages are not open yet: no total is known
  const std::lock_guard lock(mutex_);
  last_ = progress;
}

void Watched::wake_up() {
  std::vector<std::pair<LogLevel, std::string>> lines;
  std::optional<Progress> last;
  {
    const py::gil_scoped_release released;
    const std::lock_guard lock(mutex_);
    lines.swap(lines_);
    last.swap(last_);
  }
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  if (!on_log_.is_none()) {
    for (const auto& [level, text] : lines) on_log_(number_of(level), text);
  }
  if (last && !on_progress_.is_none()) {
    on_progress_(last->objects_done,
                 last->objects_total ? py::cast(*last->objects_total) : py::none(),
                 last->objects_this_run, last->seconds, last->stage);
  }
}

void Watched::run(const std::function<void()>& work) {
  refuse_in_forked_child();
  Worker worker(work);
  std::exception_ptr from_python;
  const auto look = [&] {
    try {
      wake_up();
    } catch (...) {
      if (!from_python) from_python = std::current_exception();
      ++interrupts_;
    }
  };
  for (bool has_ended = false; !has_ended;) {
    {
      const py::gil_scoped_release released;
      has_ended = worker.wait();
    }
    look();
  }
  {
    const py::gil_scoped_release released;
    worker.join();
  }
  if (from_python) std::rethrow_exception(from_python);
  if (worker.error()) std::rethrow_exception(worker.error());
}

}  // namespace qsohost::python
