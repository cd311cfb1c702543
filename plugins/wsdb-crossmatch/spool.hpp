// What the server has sent, on disk: written by one thread as it comes, read by another behind it.
// The server is done with us as soon as it has sent everything, however long the rest of the chain
// takes, and memory does not grow.
//
//   <label>.plan   what was asked: options, query, columns
//   <label>.part   its answer so far
//   <label>.copy   the whole of it
//
// A query that is asked again, after a lost connection or by a resumed run, must give the same rows
// in the same order: what has been received before is compared with what comes now.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "match_plan.hpp"

namespace wsdb {

class Spool {
 public:
  // `folder` empty: a temporary file without a name. `options`: of the stage, as text.
  Spool(std::filesystem::path folder, std::string label, std::string options);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // The plan whose whole answer is there, for these options.
  bool is_complete() const { return done_; }
  const MatchPlan& plan() const { return plan_; }

  // For the thread that receives. Throws ChainError: disk full, or other rows than before.
  void begin(MatchPlan plan);        // keeps what is there of the same plan
  void start_over();                 // what is added next is the beginning of the answer
  bool add(std::string_view bytes);  // false if that had been received before
  void complete();
  void fail(std::exception_ptr error);

  // For the thread that reads: appends what comes next; false at the end. Throws what fail() was
  // given, and TryAgain when stop() while waiting.
  bool read(std::string& buffer, const std::function<bool()>& stop);

 private:
  std::filesystem::path file(std::string_view extension) const;
  void open_file(const std::filesystem::path& path, int flags);
  bool load_complete();
  std::string plan_text(const MatchPlan& plan) const;
  void compare(std::string_view bytes);
  [[noreturn]] void throw_error(std::string_view what) const;

  std::filesystem::path folder_;
  std::string label_;
  std::string options_;
  MatchPlan plan_;
  int file_ = -1;
  std::uint64_t at_ = 0;       // where the receiver is
  std::uint64_t read_at_ = 0;  // where the reader is

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t size_ = 0;
  bool done_ = false;
  std::exception_ptr error_;
};

}  // namespace wsdb
