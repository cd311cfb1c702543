// What an open stage gets: facts about the run, log and stop flag.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>

#include "qsohost/context.hpp"
#include "qsohost/host/chain.hpp"
#include "run/run_db.hpp"

namespace qsohost::inline v1 {

class StageContext final : public Context {
 public:
  using Log = std::function<void(LogLevel, const std::string&)>;
  StageContext(RunInfo info, std::string label, Log log, std::function<bool()> stop)
      : info_(std::move(info)),
        label_(std::move(label)),
        log_(std::move(log)),
        stop_(std::move(stop)) {}

  const RunInfo& run() const override { return info_; }
  void log(LogLevel level, std::string_view message) override;
  bool stop_requested() const override;
  // The stage has seen the stop flag, so its work since then may be incomplete.
  bool was_stopped() const { return was_stopped_; }

 private:
  RunInfo info_;
  std::string label_;
  Log log_;
  std::function<bool()> stop_;
  mutable std::atomic<bool> was_stopped_ = false;
};

// For stage `index` of the chain; without run_dir and chunk_dir.
RunInfo run_info(const Chain& chain, std::size_t index);

// A schema as text (JSON), to be stored in the ledger of a run, and from there, by its key.
std::string to_text(const Schema& schema);
Schema schema_from(const RunDb& db, const std::string& key);

}  // namespace qsohost::inline v1
