#include "remote_archive.hpp"

#include <utility>

#include "epoch_conversation.hpp"

namespace gaia {

RemoteArchive::RemoteArchive(RemoteSettings settings, qsohost::HttpPolicy policy,
                             qsohost::Http& http, qsohost::Context& context)
    : settings_(std::move(settings)), policy_(std::move(policy)), http_(http) {
  // No warning about what is missing if the user stopped the run.
  state_.warn = [&context](const std::string& text) {
    if (!context.stop_requested()) context.warn(text);
  };
}

LookUp RemoteArchive::look_up(std::span<const std::int64_t> ids, const BatchInfo& batch) {
  EpochConversation conversation(settings_, state_, ids, batch.counts);
  http_.hold(conversation, policy_, settings_.label, batch.ordinal, batch.counts);
  return conversation.take_found();
}

}  // namespace gaia
