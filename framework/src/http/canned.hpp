// HTTP without a network: answers come from a function. For --replay and for tests of plugins.
#pragma once

#include <functional>

#include "qsohost/http.hpp"

namespace qsohost::inline v1 {

class CannedHttp final : public Http {
 public:
  // Status 0 says that the connection broke. May throw RunError. Any thread.
  using Answerer = std::function<Response(const Request&)>;
  explicit CannedHttp(Answerer answer) : answer_(std::move(answer)) {}

  // As the real one, but that nothing waits: questions are asked one after another, those again
  // that failed after all others.
  void hold(Conversation& conversation, const HttpPolicy& policy, std::string_view stage,
            std::uint64_t ordinal, Counts& counts) override;

 private:
  Answerer answer_;
};

}  // namespace qsohost::inline v1
