#include "run/http_connection.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "http/canned.hpp"
#include "http/connection_lease.hpp"
#include "http/url.hpp"
#include "qsohost/error.hpp"
#include "qsohost/system_reason.hpp"

namespace qsohost::inline v1 {

namespace {

namespace fs = std::filesystem;

constexpr const char* kRecording = "answers.db";

}  // namespace

bool is_settled(const BatchRecord& batch, const Chain& chain) {
  for (std::size_t i = 0; i < batch.stages.size(); ++i) {
    if (chain.stages().at(i).offer.role != Role::Fetcher) continue;
    const bool is_open = std::ranges::any_of(batch.stages[i].objects, [](const ObjectRecord& o) {
      return o.outcome == Outcome::Failed || o.outcome == Outcome::BadObject;
    });
    if (is_open) return false;
  }
  return true;
}

HttpConnection::HttpConnection(Chain& chain, const RunOptions& options, const fs::path& run_db,
                               const std::set<std::uint64_t>& settled)
    : chain_(chain) {
  std::vector<HttpStage*> stages;
  for (ChainStage& stage : chain.stages()) {
    if (auto* asking = dynamic_cast<HttpStage*>(stage.stage.get())) stages.push_back(asking);
  }
  if (stages.empty()) return;
  if (!options.replay.empty()) {
    connect_recording(options);
  } else {
    connect_network(options, run_db, settled);
  }
  for (HttpStage* stage : stages) stage->connect(*http_);
}

void HttpConnection::connect_recording(const RunOptions& options) {
  const fs::path file = options.replay / kRecording;
  recording_ = AnswerStore::look_at(file, options.log);
  http_ = std::make_unique<CannedHttp>([this, file](const Request& request) {
    auto response = recording_->find({}, request);
    if (response) return std::move(*response);
    throw RunError(fmt::format(
        "{}: holds no answer to {} {}{}; record it with --record, or ask the archive (without "
        "--replay)",
        file.string(), request.method, public_url(request.url),
        request.turn > 0 ? fmt::format(" (asked again, {})", request.turn) : ""));
  });
}

void HttpConnection::connect_network(const RunOptions& options, const fs::path& run_db,
                                     const std::set<std::uint64_t>& settled) {
  if (!run_db.empty()) {
    answers_ = std::make_unique<AnswerStore>(run_db, options.log);
    for (const std::uint64_t ordinal : answers_->ordinals()) {
      if (settled.contains(ordinal)) answers_->drop(ordinal);
    }
  }
  const StoreUse use = options.fetch_only ? StoreUse::Fetch
                       : options.offline  ? StoreUse::Offline
                                          : StoreUse::Resume;
  if (!options.record.empty()) {
    std::error_code error;
    fs::create_directories(options.record, error);
    if (error) {
      throw UsageError(fmt::format("{}: the folder of a recording cannot be made: {} (--record)",
                                   options.record.string(), system_reason(error.value())));
    }
    recording_ = AnswerStore::record(options.record / kRecording, options.log);
  }
  if (!options.share_connections.empty()) {
    ConnectionLease::require_usable(options.share_connections);
  }
  auto client = std::make_unique<HttpClient>(
      HttpClient::Settings{.log = options.log,
                           .interrupts = options.interrupts,
                           .stores = {answers_.get(), recording_.get(), use},
                           .has_settled = !settled.empty(),
                           .share_connections = options.share_connections});
  client_ = client.get();
  http_ = std::move(client);
}

void HttpConnection::committed(const BatchRecord& batch) {
  if (answers_ && is_settled(batch, chain_)) answers_->drop(batch.ordinal);
}

void HttpConnection::drop_answers() {
  if (answers_) answers_->drop_all();
}

std::string HttpConnection::waiting() const {
  return client_ == nullptr ? "" : client_->waiting();
}

std::vector<FetchProgress> HttpConnection::fetching() const {
  return client_ == nullptr ? std::vector<FetchProgress>() : client_->fetching();
}

std::vector<std::string> HttpConnection::notes() const {
  return client_ == nullptr ? std::vector<std::string>() : client_->notes();
}

}  // namespace qsohost::inline v1
