#include "qsohost/http.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "base/percent.hpp"
#include "qsohost/error.hpp"
#include "qsohost/names.hpp"
#include "qsohost/own_client.hpp"

namespace qsohost::inline v1 {

std::string_view Response::header(std::string_view name) const {
  const std::string wanted = lower_case(name);
  for (const auto& [key, value] : headers) {
    if (lower_case(key) == wanted) return value;
  }
  return {};
}

std::string escape(std::string_view text) {
  return percent_encoded(text);
}

Conversation::~Conversation() = default;
void Conversation::finish(Batch& /*batch*/, Outcomes& /*outcomes*/) {}

Http::~Http() = default;
HttpStage::~HttpStage() = default;
OwnClient::~OwnClient() = default;
HttpFetcher::~HttpFetcher() = default;
ObjectFetcher::~ObjectFetcher() = default;

Http& HttpStage::http() const {
  if (http_ == nullptr)
    throw RunError(
        "it sends requests, but the host did not connect it; run it by the host or by the Harness");
  return *http_;
}

void HttpFetcher::fetch(Batch& batch, Outcomes& outcomes) {
  const std::unique_ptr<Conversation> conversation = converse(batch, outcomes.counts());
  http().hold(*conversation, policy(), label(), batch.ordinal(), outcomes.counts());
  conversation->finish(batch, outcomes);
}

}  // namespace qsohost::inline v1
