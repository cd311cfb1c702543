#include "qsohost/examination.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>

#include "qsohost/error.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr std::size_t kMostNamed = 20;  // columns that nothing reads

}  // namespace

Examination::~Examination() = default;

std::string column_for(const ColumnRole& role, std::span<const std::string> served) {
  for (const std::string& candidate : role.candidates) {
    const auto same = std::ranges::find(served, lower_case(candidate), lower_case);
    if (same != served.end()) return *same;
  }
  return {};
}

std::string Examination::ask_tap(TapQuery query) {
  std::string body;
  TapExchange exchange(std::move(query), [&](const TapAnswer& answer) { body = answer.body; });
  std::optional<Request> next = exchange.begin();
  while (next) {
    const Response response = ask(*next);
    next = exchange.answer(*next, response);
  }
  if (!exchange.failure().empty()) throw TryAgain(exchange.failure());
  return body;
}

void Examination::check_columns(std::span<const std::string> served,
                                std::span<const ColumnRole> roles) {
  std::set<std::string> known;
  std::vector<std::string> spared;
  std::size_t found = 0;
  for (const ColumnRole& role : roles) {
    for (const std::string& candidate : role.candidates) known.insert(lower_case(candidate));
    if (!column_for(role, served).empty()) {
      ++found;
      continue;
    }
    if (!role.is_needed) {
      spared.push_back(role.role);
      continue;
    }
    change(fmt::format(
        "no column for {}: looked for {}; its new name has to be added to the plugin's list",
        role.role, fmt::join(role.candidates, ", ")));
  }
  std::vector<std::string> unread;
  for (const std::string& column : served) {
    if (!known.contains(lower_case(column))) unread.push_back(column);
  }
  note(fmt::format("columns: {} served; {} of the {} that are looked for are there", served.size(),
                   found, roles.size()));
  if (!spared.empty()) note(fmt::format("not served, and not needed: {}", fmt::join(spared, ", ")));
  if (unread.empty()) return;
  const std::size_t named = std::min(unread.size(), kMostNamed);
  note(fmt::format(
      "columns not read: {}{}",
      fmt::join(unread.begin(), unread.begin() + static_cast<std::ptrdiff_t>(named), ", "),
      named < unread.size() ? fmt::format(" and {} more", unread.size() - named) : ""));
}

}  // namespace qsohost::inline v1
