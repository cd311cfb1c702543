#include "run/open_chain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "chain/stage_call.hpp"
#include "data/file_state.hpp"
#include "qsohost/error.hpp"
#include "qsohost/host/check_with_source.hpp"
#include "qsohost/http.hpp"
#include "qsohost/own_client.hpp"

namespace qsohost::inline v1 {

std::vector<Input> inputs_of(const Chain& chain) {
  std::vector<Input> inputs;
  std::set<std::string> names;
  const auto add = [&](Input input) {
    if (names.insert(input.name).second) inputs.push_back(std::move(input));
  };
  for (const ChainStage& stage : chain.stages()) {
    // A rebuilt plugin may still have the same version.
    add({"plugin " + stage.offer.plugin, file_state(stage.offer.file, FileTime::kLeftOut)});
    guarded(stage, nullptr, [&] {
      for (Input& input : stage.stage->fingerprint()) add(std::move(input));
    });
  }
  return inputs;
}

namespace {

// Whether a stage could not yet say all of its columns and their types.
bool learns_columns(const Ports& ports) {
  return ports.has_unknown() ||
         std::ranges::any_of(ports.added(), [](const Port& port) { return !port.dtype; });
}

}  // namespace

OpenChain::OpenChain(Chain& chain, const RunOptions& options, RunDirectory* directory,
                     std::size_t count)
    : chain_(chain),
      interrupts_(options.interrupts),
      watched_(options.interrupts),
      options_(options) {
  try {
    for (std::size_t i = 0; i < count; ++i) {
      const bool skip = options.dry_run && chain.stages()[i].offer.role == Role::Sink;
      contexts_.push_back(skip ? nullptr
                               : std::make_unique<StageContext>(info(i, directory),
                                                                chain.stages()[i].label,
                                                                options.log, stop_of(i)));
      if (skip) continue;
      open(i);
      // It knows its columns only now: check what could not be checked before.
      if (i == 0 || learns_columns(chain.stages()[i].ports)) check_again();
    }
  } catch (...) {
    close();
    throw;
  }
}

// The first interrupt drains the chain: no new batches, those in flight are finished. But an
// archive is waited for only a few seconds.
std::function<bool()> OpenChain::stop_of(std::size_t index) const {
  switch (chain_.stages()[index].offer.role) {
    case Role::Source:
      return [this] { return interrupts_.count() > 0; };
    case Role::Fetcher:
      return [this] { return interrupts_.is_drain_over(); };
    case Role::Filter:
    case Role::Fitter:
    case Role::Sink:
      break;
  }
  return [this] { return interrupts_.count() > 1; };
}

bool OpenChain::was_stopped(std::size_t index) const {
  return contexts_[index] != nullptr && contexts_[index]->was_stopped();
}

RunInfo OpenChain::info(std::size_t index, RunDirectory* directory) const {
  const ChainStage& stage = chain_.stages()[index];
  RunInfo info = run_info(chain_, index);
  info.objects = objects_;
  if (directory == nullptr) return info;
  info.run_dir = directory->folder();
  info.work_dir = directory->work_folder();
  if (stage.offer.role == Role::Sink) {
    info.chunk_dir = directory->make_chunk_folder(stage.label);
    directory->db().set_meta("schema of " + stage.label, to_text(info.schema));
  }
  return info;
}

void OpenChain::open(std::size_t index) {
  ChainStage& stage = chain_.stages()[index];
  guarded(stage, nullptr, [&] { stage.stage->open(*contexts_[index]); });
  opened_.push_back(&stage);
  if (const auto* source = dynamic_cast<const Source*>(stage.stage.get())) {
    guarded(stage, nullptr, [&] { look_at(*source); });
  }
}

// Those of a whole run, whatever an earlier attempt has done of it.
void OpenChain::look_at(const Source& source) {
  const auto size = source.size();
  part_ = part_of(options_, size);
  objects_ = objects_in(part_, size);
}

void OpenChain::check_again() {
  std::vector<Problem> problems;
  chain_.check_ports(problems);
  std::string message;
  for (const Problem& p : problems) message += (message.empty() ? "" : "\n") + p.text();
  if (!message.empty()) throw UsageError(message);
}

void OpenChain::close() noexcept {
  for (auto it = opened_.rbegin(); it != opened_.rend(); ++it) {
    close_stage(**it);
  }
  opened_.clear();
}

void check_with_source(Chain& chain, const std::function<void(LogLevel, const std::string&)>& log) {
  const Stage* const source = chain.stages().front().stage.get();
  const auto* const own = dynamic_cast<const OwnClient*>(source);
  if (dynamic_cast<const HttpStage*>(source) != nullptr ||
      (own != nullptr && own->sends_requests()))
    return;
  RunOptions options;
  options.dry_run = true;
  options.log = log;
  const OpenChain opened(chain, options, nullptr, 1);
}

}  // namespace qsohost::inline v1
