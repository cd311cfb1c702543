// What the archives that are asked over HTTP have in common.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "answer.hpp"

namespace gaia {

enum class Road : std::uint8_t { DataLink, Aip, Vizier };

struct RemoteSettings {
  Road road = Road::DataLink;
  std::string label;    // of the stage
  std::string service;  // for messages: "Gaia's DataLink"
  std::string url;
  std::string release;  // "Gaia DR3"
  std::string table;    // of TAP, and its column of identifiers
  std::string id;
  // Where has_epoch_photometry is; an empty tap_url: it is not asked for.
  std::string tap_url;
  std::string source_table;
  std::string source_id;
  std::string flag;
  std::size_t ids_per_request = 25;
  std::chrono::milliseconds confirm_after{0};
  std::vector<Wanted> wanted;
};

// What batches share.
struct RemoteState {
  std::function<void(const std::string&)> warn;
  std::atomic<bool> has_answered = false;      // rows of any source
  std::atomic<bool> has_warned_flags = false;  // that has_epoch_photometry cannot be asked for
  std::atomic<std::size_t> structure = 0;      // of DataLink: which name for it works
  std::mutex mutex;
  std::optional<std::string> selection;  // of TAP: the columns to ask for
};

// What an answer has of the sources that were asked for.
struct EpochAnswer {
  std::vector<Block> blocks;
  std::map<std::int64_t, std::string> doubts;  // sources whose part cannot be trusted, and why
};

// "1, 2"; for messages and requests.
std::string list_of(std::span<const std::int64_t> ids, std::string_view separator);

}  // namespace gaia
