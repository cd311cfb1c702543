#include "service_log.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace qsohost::skysim {

ServiceLog::Visit::Visit(ServiceLog& log, const httplib::Request& request) : log_(log) {
  const std::lock_guard lock(log_.mutex_);
  ++log_.counts_["requests"];
  ++log_.agents_[request.get_header_value("User-Agent")];
  auto& most = log_.counts_["most in flight"];
  most = std::max(most, ++log_.in_flight_);
  if (request.method == "GET") {
    auto& longest = log_.counts_["longest GET"];
    longest = std::max<std::uint64_t>(longest, request.target.size());
  }
}

ServiceLog::Visit::~Visit() {
  const std::lock_guard lock(log_.mutex_);
  --log_.in_flight_;
}

void ServiceLog::add(const std::string& what, std::uint64_t n) {
  const std::lock_guard lock(mutex_);
  counts_[what] += n;
}

void ServiceLog::raise(const std::string& what, std::uint64_t value) {
  const std::lock_guard lock(mutex_);
  auto& now = counts_[what];
  now = std::max(now, value);
}

void ServiceLog::lower_to(const std::string& what, std::uint64_t value) {
  const std::lock_guard lock(mutex_);
  const auto [it, is_new] = counts_.emplace(what, value);
  if (!is_new) it->second = std::min(it->second, value);
}

std::uint64_t ServiceLog::count(const std::string& what) const {
  const std::lock_guard lock(mutex_);
  const auto it = counts_.find(what);
  return it == counts_.end() ? 0 : it->second;
}

std::string ServiceLog::json() const {
  const std::lock_guard lock(mutex_);
  std::string agents;
  for (const auto& [agent, n] : agents_) {
    agents += fmt::format("{}{}: {}", agents.empty() ? "" : ", ", json_text(agent), n);
  }
  std::string out = fmt::format("{{\"in flight\": {}, \"user agents\": {{{}}}", in_flight_, agents);
  for (const auto& [what, n] : counts_) out += fmt::format(", {}: {}", json_text(what), n);
  return out + "}";
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return out + '"';
}

}  // namespace qsohost::skysim
