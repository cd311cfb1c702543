#include "gaia_columns.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <qsohost/adql.hpp>
#include <qsohost/error.hpp>
#include <qsohost/io/text.hpp>
#include <qsohost/names.hpp>

namespace xmatch {

namespace {

using qsohost::Request;
using qsohost::TryAgain;

constexpr std::size_t kIdsAtOnce = 1000;  // of the 2,000 rows that Gaia's archive sends
constexpr std::string_view kId = "source_id";

bool is_part_of_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Services spell names in their own case.
std::size_t place_of(const qsohost::TableReader& table, std::string_view name) {
  const auto& columns = table.columns();
  const auto it = std::ranges::find(columns, qsohost::lower_case(name),
                                    [](const auto& column) { return qsohost::lower_case(column); });
  if (it == columns.end()) throw TryAgain(fmt::format("the answer has no column '{}'", name));
  return static_cast<std::size_t>(it - columns.begin());
}

}  // namespace

void check_column_name(const std::string& name) {
  const bool is_name = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
                       std::ranges::all_of(name, is_part_of_name);
  if (is_name) return;
  throw qsohost::UsageError(fmt::format(
      "option 'tap_columns': '{}' is no name of a column, which must be letters, digits and '_'",
      name));
}

GaiaColumns::GaiaColumns(const GaiaTable& table, const std::set<std::int64_t>& ids)
    : table_(table), ids_(ids.begin(), ids.end()), unsettled_(ids_.size()) {}

Request GaiaColumns::look_up(std::vector<std::int64_t> ids, bool is_second) {
  const std::uint64_t tag = next_tag_++;
  qsohost::TapQuery query;
  query.url = table_.url;
  query.adql =
      fmt::format("SELECT {}, {} FROM {} WHERE {} IN ({})", kId, fmt::join(table_.columns, ", "),
                  qsohost::adql_name(table_.table), kId, fmt::join(ids, ","));
  query.format = "csv";
  query.turn = is_second ? 1 : 0;
  query.about = fmt::format("columns of {} sources", ids.size());
  const auto read_rows = [this, tag](const qsohost::TapAnswer& answer) {
    read(pending_.at(tag).ids, answer.body);
  };
  LookUp& look_up =
      pending_.try_emplace(tag, LookUp{std::move(ids), is_second, {std::move(query), read_rows}})
          .first->second;
  Request request = look_up.tap.begin();
  request.tag = tag;
  return request;
}

std::vector<Request> GaiaColumns::begin() {
  std::vector<Request> requests;
  for (std::size_t i = 0; i < ids_.size(); i += kIdsAtOnce) {
    const auto part = std::span(ids_).subspan(i, std::min(kIdsAtOnce, ids_.size() - i));
    requests.push_back(look_up({part.begin(), part.end()}, false));
  }
  return requests;
}

void GaiaColumns::read(const std::vector<std::int64_t>& ids, const std::string& body) {
  std::map<std::int64_t, std::vector<std::string>> rows;
  qsohost::TableReader table(body);
  const std::size_t id_place = place_of(table, kId);
  std::vector<std::size_t> places;
  for (const std::string& column : table_.columns) places.push_back(place_of(table, column));
  std::vector<std::string_view> cells;
  while (table.next(cells)) {
    const auto id = qsohost::parse_int(cells[id_place]);
    if (!id || !std::ranges::binary_search(ids, *id)) {
      throw TryAgain(
          fmt::format("line {}: source_id '{}' was not asked for", table.line(), cells[id_place]));
    }
    std::vector<std::string>& row = rows[*id];
    row.clear();
    for (const std::size_t place : places) row.emplace_back(cells[place]);
  }
  unsettled_ -= rows.size();
  rows_.merge(rows);
}

std::vector<Request> GaiaColumns::answer(const Request& request,
                                         const qsohost::Response& response) {
  return go_on(request.tag, pending_.at(request.tag).tap.answer(request, response));
}

std::vector<Request> GaiaColumns::failed(const Request& request, const std::string& reason) {
  return go_on(request.tag, pending_.at(request.tag).tap.failed(reason));
}

std::vector<Request> GaiaColumns::go_on(std::uint64_t tag, std::optional<Request> next) {
  if (next) {
    next->tag = tag;
    return {*next};
  }
  const LookUp done = std::move(pending_.extract(tag).mapped());
  if (!done.tap.failure().empty()) {
    throw qsohost::RunError(
        fmt::format("{}: no columns of {} (option 'tap_columns'): {}; go on with --resume",
                    table_.url, table_.table, done.tap.failure()));
  }
  std::vector<std::int64_t> missing;
  std::ranges::copy_if(done.ids, std::back_inserter(missing),
                       [&](std::int64_t id) { return !rows_.contains(id); });
  const bool has_brought_none = missing.size() == done.ids.size();
  if (missing.empty() || (has_brought_none && done.is_second)) {
    unsettled_ -= missing.size();
    return {};
  }
  return {look_up(std::move(missing), has_brought_none)};
}

}  // namespace xmatch
