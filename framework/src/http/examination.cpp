#include "qsohost/examination.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>

#include "qsohost/error.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline v1 {

Examination::~Examination() = default;

std::string column_for(const ColumnRole& role, std::span<const std::string> served) {
  for (const std::string& candidate : role.candidates) {
    const auto same = std::ranges::find(served, lower_case(candidate), lower_case);
    if (same != served.end()) return *same;
  }
  return {};
}

std::string Examination::ask(TapQuery query) {
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
  std::size_t found = 0;
  for (const ColumnRole& role : roles) {
    for (const std::string& candidate : role.candidates) known.insert(lower_case(candidate));
    if (!column_for(role, served).empty()) {
      ++found;
      continue;
    }
    const std::string text = fmt::format("no column for the {}: looked for {}", role.role,
                                         fmt::join(role.candidates, ", "));
    if (role.is_needed) {
      change(text + "; its new name has to be added to the plugin's list");
    } else {
      note(text + "; not needed");
    }
  }
  std::vector<std::string> unread;
  for (const std::string& column : served) {
    if (!known.contains(lower_case(column))) unread.push_back(column);
  }
  note(fmt::format("columns: {} served; {} of the {} that are looked for are there", served.size(),
                   found, roles.size()));
  if (!unread.empty()) note(fmt::format("columns not read: {}", fmt::join(unread, ", ")));
}

}  // namespace qsohost::inline v1
