// What the server has sent, on disk: written by one thread as it comes, read by another behind it.
// The server is done with us as soon as it has sent everything, however long the rest of the chain
// takes, and memory does not grow.
//
//   <label>.plan   what was asked: options, query, columns
//   <label>.part   its answer so far, in records
//   <label>.copy   the whole of it; the last record is empty
//
// A query that is asked again, after a lost connection or by a resumed run, must give the same rows
// in the same order: what has been received before is compared with what comes now. So that this
// holds after a power cut too, rows are on disk before they are handed on; what is not as it was
// written does not count as received.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "match_plan.hpp"
#include "record_file.hpp"

namespace wsdb {

class Spool {
 public:
  struct Settings {
    std::filesystem::path folder;  // empty: a temporary file without a name
    std::string label;
    std::string options;  // of the stage, as text
    std::function<bool()> stop;
    std::function<void(const std::string&)> warn;
  };

  // Throws TryAgain when stop() while it checks what is there.
  explicit Spool(Settings settings);

  // The plan whose whole answer is there, for these options.
  bool is_complete() const { return is_complete_; }
  const MatchPlan& plan() const { return plan_; }

  // For the thread that receives. Throws RunError: disk full, or other rows than before.
  void begin(MatchPlan plan);        // keeps what is there of the same plan
  void start_over();                 // what is added next is the beginning of the answer
  bool add(std::string_view bytes);  // false if that had been received before
  void complete();
  void fail(std::exception_ptr error);

  // For the thread that reads: appends what comes next; false at the end. Throws what fail() was
  // given, and TryAgain when stop() while waiting.
  bool read(std::string& buffer);

 private:
  using Place = RecordFile::Place;

  std::filesystem::path file(std::string_view extension) const;
  bool load_complete();
  bool find_end(Place& end) const;
  void keep_good();
  std::string plan_text(const MatchPlan& plan) const;
  void sync();
  [[noreturn]] void throw_changed() const;
  [[noreturn]] void throw_damaged() const;

  Settings settings_;
  MatchPlan plan_;
  bool is_complete_ = false;
  std::optional<RecordFile> file_;
  Place at_;                  // where the receiver is
  std::string known_;         // the record before it, received earlier
  std::size_t known_at_ = 0;  // how much of that has come again
  Place read_at_;             // where the reader is

  std::mutex mutex_;
  std::condition_variable changed_;
  Place end_;                 // behind the last record
  std::uint64_t synced_ = 0;  // so much is on disk
  std::exception_ptr error_;
};

}  // namespace wsdb
