#include "chain/calls_under_way.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

namespace qsohost::inline v1 {

namespace {

// One for the program, as there is one stack of calls for each thread: a stage does not know which
// run it belongs to.
struct Register {
  std::mutex mutex;
  std::list<CallUnderWay::Entry> entries;
};

Register& all_calls() {
  static Register calls;
  return calls;
}

}  // namespace

CallUnderWay::CallUnderWay(const ChainStage& stage, const WorkingOn& place, std::size_t objects)
    : CallUnderWay(Entry{.stage = &stage, .place = place, .objects = objects}) {}

CallUnderWay::CallUnderWay(const Chain& chain, std::string_view what)
    : CallUnderWay(Entry{.chain = &chain, .what = what}) {}

CallUnderWay::CallUnderWay(const Entry& entry) {
  std::list<Entry> own{entry};
  entry_ = own.begin();
  Register& calls = all_calls();
  const std::lock_guard lock(calls.mutex);
  calls.entries.splice(calls.entries.end(), own);
}

CallUnderWay::~CallUnderWay() {
  Register& calls = all_calls();
  const std::lock_guard lock(calls.mutex);
  calls.entries.erase(entry_);
}

std::vector<StageCall> calls_under_way(const Chain& chain,
                                       std::chrono::steady_clock::time_point now) {
  std::vector<StageCall> out;
  Register& calls = all_calls();
  const std::lock_guard lock(calls.mutex);
  for (const CallUnderWay::Entry& entry : calls.entries) {
    const auto is_this = [&](const ChainStage& stage) { return &stage == entry.stage; };
    if (entry.chain != &chain && std::ranges::none_of(chain.stages(), is_this)) continue;
    StageCall& call = out.emplace_back();
    if (entry.stage != nullptr) call.stage = entry.stage->label;
    call.work = entry.what;
    if (entry.place.has_batch) call.batch = entry.place.batch;
    call.objects = entry.objects;
    call.first_object = entry.place.first_object.view();
    call.last_object = entry.place.last_object.view();
    call.seconds = std::chrono::duration<double>(now - entry.begin).count();
  }
  std::ranges::stable_sort(out, std::ranges::greater{}, &StageCall::seconds);
  return out;
}

std::string describe(const StageCall& call) {
  if (call.stage.empty()) return call.work;
  std::string out = fmt::format("stage '{}'", call.stage);
  if (call.batch) out += fmt::format(", batch {}", *call.batch);
  if (call.first_object.empty()) return out;
  return out +
         fmt::format(" ({} objects, {} to {})", call.objects, call.first_object, call.last_object);
}

}  // namespace qsohost::inline v1
