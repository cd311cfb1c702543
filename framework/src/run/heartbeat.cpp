#include "run/heartbeat.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>

#include "base/this_process.hpp"
#include "qsohost/error.hpp"
#include "qsohost/system_reason.hpp"

namespace qsohost::inline v1 {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kEvery{10};
constexpr std::chrono::seconds kWatch{25};  // two beats and more
constexpr double kDead = 120;               // s; more than clocks of hosts differ

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Opened for each beat: on NFS others see what was written before a close().
void write_holder(const fs::path& file) {
  const std::string text =
      fmt::format("{}\n{}\n{}\n{:.3f}\n", this_host(), this_job(), ::getpid(), now());
  const int out = ::open(file.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
  // In place, and of equal length, so that no reader meets half of it.
  const bool is_written =
      out >= 0 && ::pwrite(out, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()) &&
      ::ftruncate(out, static_cast<off_t>(text.size())) == 0;
  const int error = errno;
  if (out >= 0) ::close(out);
  if (!is_written)
    throw RunError(fmt::format("{}: cannot be written: {}", file.string(), system_reason(error)));
}

void wait_for_death(const fs::path& work, const RunHolder& before) {
  const auto end = std::chrono::steady_clock::now() + kWatch;
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    const auto holder = read_holder(work);
    if (!holder) return;
    if (holder->last_sign == before.last_sign) continue;
    throw UsageError(fmt::format(
        "run directory {} is in use by another qsohost ({}), which was alive {:.0f} s ago; wait "
        "for it, or take another directory (--run-dir)",
        work.parent_path().string(), name_of(*holder), std::max(0.0, now() - holder->last_sign)));
  }
}

}  // namespace

std::optional<RunHolder> read_holder(const fs::path& work) {
  std::ifstream in(work / kHolderFile);
  RunHolder holder;
  if (!std::getline(in, holder.host) || !std::getline(in, holder.job)) return std::nullopt;
  if (!(in >> holder.pid >> holder.last_sign)) return std::nullopt;
  holder.seconds_silent = std::max(0.0, now() - holder.last_sign);
  return holder;
}

bool is_alive_elsewhere(const RunHolder& holder) {
  return holder.host != this_host() && holder.seconds_silent < kDead;
}

std::string name_of(const RunHolder& holder) {
  const std::string job = holder.job.empty() ? "" : fmt::format("job {}, ", holder.job);
  return fmt::format("{}host {}, process {}", job, holder.host, holder.pid);
}

Heartbeat::Heartbeat(const fs::path& work) : file_(work / kHolderFile) {
  // On this host the lock has told already that no process is left.
  const auto before = read_holder(work);
  if (before && is_alive_elsewhere(*before)) wait_for_death(work, *before);
  write_holder(file_);
  thread_ = std::jthread([this](const std::stop_token& stop) { beat(stop); });
}

Heartbeat::~Heartbeat() {
  thread_.request_stop();
  thread_.join();
  std::error_code ignored;
  fs::remove(file_, ignored);
}

void Heartbeat::beat(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!waiting_.wait_for(lock, stop, kEvery, [&] { return stop.stop_requested(); })) {
    try {
      write_holder(file_);
    } catch (const RunError&) {  // NOLINT(bugprone-empty-catch): the run itself reports a full disk
    }
  }
}

}  // namespace qsohost::inline v1
