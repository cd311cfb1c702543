#include "qsohost/http.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "base/percent.hpp"
#include "qsohost/error.hpp"
#include "qsohost/names.hpp"

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
Http::~Http() = default;
HttpFetcher::~HttpFetcher() = default;
ObjectFetcher::~ObjectFetcher() = default;

void HttpFetcher::fetch(Batch& batch, Outcomes& outcomes) {
  if (http_ == nullptr) throw RunError("it asks over HTTP, but nobody connected it");
  const std::unique_ptr<Conversation> conversation = converse(batch, outcomes.counts());
  http_->hold(*conversation, policy(), label(), batch.ordinal(), outcomes.counts());
  conversation->finish(batch, outcomes);
}

}  // namespace qsohost::inline v1
