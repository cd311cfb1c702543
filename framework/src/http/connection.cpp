#include "http/connection.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "http/canned.hpp"
#include "http/url.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace {

namespace fs = std::filesystem;

constexpr const char* kRecording = "answers.db";

bool is_settled(const BatchRecord& batch) {
  return std::ranges::all_of(batch.stages, [](const StageRecord& stage) {
    return std::ranges::none_of(stage.objects, [](const ObjectRecord& object) {
      return object.outcome == Outcome::TryAgain || object.outcome == Outcome::BadObject;
    });
  });
}

}  // namespace

HttpConnection::HttpConnection(Chain& chain, const RunOptions& options, const fs::path& run_db,
                               const std::set<std::uint64_t>& settled) {
  std::vector<HttpFetcher*> fetchers;
  for (ChainStage& stage : chain.stages()) {
    if (auto* fetcher = dynamic_cast<HttpFetcher*>(stage.stage.get())) fetchers.push_back(fetcher);
  }
  if (fetchers.empty()) return;
  if (!options.replay.empty()) {
    connect_recording(options.replay);
  } else {
    connect_network(options, run_db, settled);
  }
  for (HttpFetcher* fetcher : fetchers) fetcher->connect(*http_);
}

void HttpConnection::connect_recording(const fs::path& folder) {
  const fs::path file = folder / kRecording;
  recording_.emplace(file, true);
  http_ = std::make_unique<CannedHttp>([this, file](const Request& request) {
    auto response = recording_->find({}, request);
    if (response) return std::move(*response);
    throw ChainError(fmt::format(
        "{}: holds no answer to {} {}{}; record it with --record, or ask the archive (without "
        "--replay)",
        file.string(), request.method, public_url(request.url),
        request.turn > 0 ? fmt::format(" (asked again, {})", request.turn) : ""));
  });
}

void HttpConnection::connect_network(const RunOptions& options, const fs::path& run_db,
                                     const std::set<std::uint64_t>& settled) {
  if (!run_db.empty()) {
    answers_.emplace(run_db);
    for (const std::uint64_t ordinal : answers_->ordinals()) {
      if (settled.contains(ordinal)) answers_->drop(ordinal);
    }
  }
  if (!options.record.empty()) {
    std::error_code error;
    fs::create_directories(options.record, error);
    recording_.emplace(options.record / kRecording);
  }
  const auto log = [log = options.log](LogLevel level, const std::string& text) {
    if (log) log(level, text);
  };
  auto client = std::make_unique<HttpClient>(
      HttpClient::Settings{log, options.interrupts, answers_ ? &*answers_ : nullptr,
                           recording_ ? &*recording_ : nullptr});
  client_ = client.get();
  http_ = std::move(client);
}

void HttpConnection::committed(const BatchRecord& batch) {
  if (answers_ && is_settled(batch)) answers_->drop(batch.ordinal);
}

std::string HttpConnection::waiting() const {
  return client_ == nullptr ? "" : client_->waiting();
}

std::vector<std::string> HttpConnection::notes() const {
  return client_ == nullptr ? std::vector<std::string>() : client_->notes();
}

}  // namespace qsohost::inline v1
