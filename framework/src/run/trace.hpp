// A trace of which thread worked on what and when, for chrome://tracing and Perfetto.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

namespace qsohost::inline v1 {

class Trace {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Trace(const std::filesystem::path& file);  // throws UsageError that names the file
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  // One call of a stage for a batch on the calling thread.
  void add(const std::string& stage, std::uint64_t batch, Clock::time_point begin,
           Clock::time_point end);

 private:
  std::ofstream out_;
  Clock::time_point zero_ = Clock::now();
  std::mutex mutex_;
  std::unordered_map<std::thread::id, int> threads_;
};

}  // namespace qsohost::inline v1
