// Calling stages: creates what a stage declared, reports what it throws with its place, and detects
// what it must not do.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "data/working_on.hpp"
#include "qsohost/batch.hpp"
#include "qsohost/host/chain.hpp"
#include "qsohost/stage.hpp"

namespace qsohost::inline v1 {

// Runs body(i) for every i < n, in any order and on any threads; returns when all are done.
using ForEach = std::function<void(std::size_t n, const std::function<void(std::size_t)>& body)>;

void plain_loop(std::size_t n, const std::function<void(std::size_t)>& body);

// An object that a Fitter could not fit.
struct BadRow {
  std::size_t row = 0;
  std::string reason;
};

// Each throws RunError for anything that ends the run, with stage, plugin and batch in its text.
bool call_source(const ChainStage& stage, Batch& batch);
Outcomes call_fetcher(const ChainStage& stage, Batch& batch);
std::vector<NotDone> call_filter(const ChainStage& stage, Batch& batch, Counts& counts);
std::vector<BadRow> call_fitter(const ChainStage& stage, Batch& batch, const ForEach& for_each,
                                Counts& counts);
void call_sink(const ChainStage& stage, const Batch& batch, const Chunk& chunk);

// Any other call into a stage (open, finish): what it throws becomes a RunError that names the
// stage; a UsageError stays one.
void guarded(const ChainStage& stage, const Batch* batch, const std::function<void()>& call);

// A stage that was opened. Its close() throws nothing.
void close_stage(const ChainStage& stage) noexcept;

// The place reported for a crash in a call to this stage.
WorkingOn place_of(const ChainStage& stage, const Batch* batch);

std::uint64_t epochs_in(const Batch& batch);

}  // namespace qsohost::inline v1
