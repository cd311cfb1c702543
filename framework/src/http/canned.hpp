// HTTP without a network: a function provides the responses. For --replay and for tests of plugins.
#pragma once

#include <functional>

#include "qsohost/http.hpp"

namespace qsohost::inline v1 {

class CannedHttp final : public Http {
 public:
  // Status 0 means that the connection broke. May throw RunError. Any thread.
  using Answerer = std::function<Response(const Request&)>;
  explicit CannedHttp(Answerer answer) : answer_(std::move(answer)) {}

  // Like the real client, but nothing waits: requests run one after another, and retries after all
  // others.
  void hold(Conversation& conversation, const HttpPolicy& policy, std::string_view stage,
            std::uint64_t ordinal, Counts& counts) override;

 private:
  Answerer answer_;
};

}  // namespace qsohost::inline v1
