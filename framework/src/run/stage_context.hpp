// What an open stage is given: facts about the run, log and stop flag.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>

#include "qsohost/chain.hpp"
#include "qsohost/context.hpp"

namespace qsohost::inline v1 {

class StageContext final : public Context {
 public:
  using Log = std::function<void(LogLevel, const std::string&)>;
  // `stops_at`: so many interrupts mean that this stage shall stop; the first one drains the chain.
  StageContext(RunInfo info, std::string label, Log log, const std::atomic<int>* interrupts,
               int stops_at = 2)
      : info_(std::move(info)),
        label_(std::move(label)),
        log_(std::move(log)),
        interrupts_(interrupts),
        stops_at_(stops_at) {}

  const RunInfo& run() const override { return info_; }
  void log(LogLevel level, std::string_view message) override;
  bool stop_requested() const override {
    return interrupts_ != nullptr && interrupts_->load() >= stops_at_;
  }

 private:
  RunInfo info_;
  std::string label_;
  Log log_;
  const std::atomic<int>* interrupts_;
  int stops_at_;
};

// For stage `index` of the chain; without run_dir and chunk_dir.
RunInfo run_info(const Chain& chain, std::size_t index);

// A schema as text (JSON), to be kept in the ledger of a run.
std::string to_text(const Schema& schema);
Schema schema_from(const std::string& text);

}  // namespace qsohost::inline v1
