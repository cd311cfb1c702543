// The server's result on disk: one thread writes it as it arrives, another reads it. So the query
// ends when everything is sent, however long the rest of the chain takes, and memory does not grow.
//
//   <label>.plan   the request: options, query, columns
//   <label>.part   the result so far, in records
//   <label>.copy   the complete result; the last record is empty
//
// A retried query, after a lost connection or in a resumed run, must return the same rows in the
// same order: they are compared with those received before. So that this holds after a power cut
// too, rows are on disk before they are passed on; damaged records do not count as received.
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

  // Throws TryAgain if stop() while it checks the files.
  explicit Spool(Settings settings);

  // True if the complete result for these options is stored.
  bool is_complete() const { return is_complete_; }
  const MatchPlan& plan() const { return plan_; }

  // For the thread that receives. Throws RunError: disk full, or other rows than before.
  void begin(MatchPlan plan);        // keeps the stored part of an equal plan
  void start_over();                 // the next add() is the beginning of the result
  bool add(std::string_view bytes);  // false if that had been received before
  void complete();
  void fail(std::exception_ptr error);

  // For the thread that reads: appends the next bytes; false at the end. Throws the error passed to
  // fail(), and TryAgain if stop() while waiting.
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
  Place at_;                  // the receiver's position
  std::string known_;         // the record that begins there, received earlier
  std::size_t known_at_ = 0;  // bytes of it received again
  Place read_at_;             // the reader's position

  std::mutex mutex_;
  std::condition_variable changed_;
  Place end_;                 // after the last record
  std::uint64_t synced_ = 0;  // bytes on disk
  std::exception_ptr error_;
};

}  // namespace wsdb
