// Tells of fetchers inside of the batches in flight: notes it in run.db for `qsohost status`, and
// says after an interrupt what finishing these batches takes.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "qsohost/host/run.hpp"
#include "run/interrupts.hpp"
#include "run/run_db.hpp"

namespace qsohost::inline v1 {

class FetchNotes {
 public:
  using Log = std::function<void(LogLevel, const std::string&)>;
  FetchNotes(RunDb& db, const Interrupts& interrupts, Log log);

  void update(const Progress& progress) noexcept;

 private:
  using Time = std::chrono::steady_clock::time_point;
  void note(const Progress& progress, Time now);
  void say_drain(const Progress& progress, Time now);

  RunDb& db_;
  const Interrupts& interrupts_;
  Log log_;
  std::optional<Time> noted_, said_;
};

// As the note in run.db has it.
std::string fetching_as_text(const std::vector<FetchProgress>& fetching);
std::vector<FetchProgress> fetching_from_text(const std::string& text);

}  // namespace qsohost::inline v1
