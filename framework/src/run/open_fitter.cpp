#include "qsohost/host/open_fitter.hpp"

#include <algorithm>
#include <future>
#include <thread>

#include "chain/port_check.hpp"
#include "chain/stage_call.hpp"
#include "qsohost/error.hpp"
#include "qsohost/host/chain.hpp"
#include "run/compute_pool.hpp"
#include "run/named_stage.hpp"
#include "run/stage_context.hpp"

namespace qsohost::inline v1 {

namespace {

// Calls `body` for each object, on threads of its own if more than one is wanted.
ForEach for_each_on(int threads) {
  if (threads == 1) return plain_loop;
  return [threads](std::size_t n, const std::function<void(std::size_t)>& body) {
    const auto pool = make_compute_pool(threads);
    std::promise<void> done;
    pool->submit([&] {
      try {
        pool->for_each(n, body);
        done.set_value();
      } catch (...) {
        done.set_exception(std::current_exception());
      }
    });
    done.get_future().get();
  };
}

}  // namespace

struct OpenFitter::State {
  ChainStage stage;
  std::unique_ptr<StageContext> context;
};

OpenFitter::OpenFitter(Plugins& plugins, const std::string& stage,
                       const std::vector<std::pair<std::string, std::string>>& options,
                       const Batch& like)
    : state_(std::make_unique<State>()) {
  ChainStage& s = state_->stage;
  s = create_named(plugins, stage, options, Role::Fitter);
  s.before = schema_of(like);
  s.ports = ports_of(*s.stage, s.before);
  const std::vector<std::string> wrong = misfits(s.offer.role, s.before, s.ports);
  if (!wrong.empty()) throw UsageError(stage + " " + lines_of(wrong));
  RunInfo info;
  info.schema = s.before;
  state_->context = std::make_unique<StageContext>(std::move(info), stage, StageContext::Log{},
                                                   [] { return false; });
  guarded(s, nullptr, [&] { s.stage->open(*state_->context); });
}

OpenFitter::~OpenFitter() {
  close_stage(state_->stage);
}

std::vector<std::string> OpenFitter::fit(Batch& batch, int threads,
                                         const std::atomic<int>* interrupts) const {
  if (threads == 0) threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  std::vector<std::string> reasons(batch.rows());
  const ForEach on_threads = for_each_on(threads);
  const ForEach for_each = [&](std::size_t n, const std::function<void(std::size_t)>& body) {
    on_threads(n, [&](std::size_t row) {
      if (interrupts != nullptr && *interrupts > 0) {
        reasons[row] = "interrupted";
      } else {
        body(row);
      }
    });
  };
  Counts counts;
  for (BadRow& bad : call_fitter(state_->stage, batch, for_each, counts)) {
    reasons[bad.row] = std::move(bad.reason);
  }
  return reasons;
}

}  // namespace qsohost::inline v1
