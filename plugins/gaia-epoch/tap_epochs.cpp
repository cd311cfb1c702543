#include "tap_epochs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include <qsohost/adql.hpp>
#include <qsohost/error.hpp>
#include <qsohost/io/text.hpp>

#include "column_roles.hpp"
#include "epoch_rows.hpp"
#include "text_table.hpp"

namespace gaia {

namespace {

using qsohost::BadObject;
using qsohost::TryAgain;

std::string where_in(const std::string& id, std::span<const std::int64_t> ids) {
  return fmt::format("WHERE {} IN ({})", id, list_of(ids, ","));
}

std::int64_t asked_id(const std::string& text, std::span<const std::int64_t> ids) {
  const auto id = qsohost::parse_int(text);
  if (id && std::ranges::find(ids, *id) != ids.end()) return *id;
  throw TryAgain(fmt::format("the answer has a row of source '{}', which was not asked for", text));
}

std::size_t column(const TextTable& table, std::span<const std::string_view> names) {
  if (const auto position = position_of(names, table.columns)) return *position;
  throw TryAgain(fmt::format("the answer has no column {}; there are {}", names[0],
                             fmt::join(table.columns, ", ")));
}

// Words that are no plain identifiers of ADQL need quotes.
std::string in_adql(const std::string& name) {
  const bool is_plain =
      std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
  return is_plain && std::isalpha(static_cast<unsigned char>(name[0])) != 0
             ? name
             : qsohost::adql_identifier(name);
}

}  // namespace

std::string columns_query(const RemoteSettings& settings) {
  return fmt::format("SELECT TOP 1 * FROM {}", qsohost::adql_name(settings.table));
}

std::string selection_of(std::string_view answer, const RemoteSettings& settings) {
  const std::vector<std::string> names = read_table(answer).columns;
  std::vector<std::string> selected{settings.id};
  std::vector<std::string> missing;
  for (const Wanted& wanted : settings.wanted) {
    if (const auto position = position_of(role_called(wanted.table.name), names)) {
      selected.push_back(in_adql(names[*position]));
    } else if (is_measured(wanted.table)) {
      missing.push_back(wanted.table.name);
    }
  }
  if (missing.empty()) return fmt::format("{}", fmt::join(selected, ", "));
  throw qsohost::RunError(
      fmt::format("{}: table {} has no column for {}; it has {}; look whether it is "
                  "epoch_photometry of {} (option table)",
                  settings.service, settings.table, fmt::join(missing, ", "),
                  fmt::join(names, ", "), settings.release));
}

std::string epochs_query(const RemoteSettings& settings, const std::string& selection,
                         std::span<const std::int64_t> ids) {
  return fmt::format("SELECT {} FROM {} {}", selection, qsohost::adql_name(settings.table),
                     where_in(settings.id, ids));
}

EpochAnswer read_epochs(std::string_view answer, std::span<const std::int64_t> ids,
                        const RemoteSettings& settings) {
  EpochAnswer epochs;
  const Block& block = epochs.blocks.emplace_back(to_block(read_table(answer), settings.wanted));
  for (const std::int64_t id : block.ids) asked_id(fmt::format("{}", id), ids);
  return epochs;
}

std::string counts_query(const RemoteSettings& settings, std::span<const std::int64_t> ids) {
  return fmt::format("SELECT {0}, COUNT(*) AS n_rows FROM {1} {2} GROUP BY {0}", settings.id,
                     qsohost::adql_name(settings.table), where_in(settings.id, ids));
}

std::map<std::int64_t, std::int64_t> read_counts(std::string_view answer,
                                                 std::span<const std::int64_t> ids) {
  constexpr std::array<std::string_view, 1> names{"n_rows"};
  const TextTable table = read_table(answer);
  const std::size_t id = column(table, kIdNames);
  const std::size_t count = column(table, names);
  std::map<std::int64_t, std::int64_t> counts;
  for (const auto& row : table.rows) {
    const auto number = qsohost::parse_int(row[count]);
    if (!number || *number < 1) throw TryAgain(fmt::format("'{}' is no count", row[count]));
    counts[asked_id(row[id], ids)] = *number;
  }
  return counts;
}

std::string flags_query(const RemoteSettings& settings, std::span<const std::int64_t> ids) {
  return fmt::format("SELECT {}, {} FROM {} {}", settings.source_id, settings.flag,
                     qsohost::adql_name(settings.source_table), where_in(settings.source_id, ids));
}

std::map<std::int64_t, bool> read_flags(std::string_view answer,
                                        std::span<const std::int64_t> ids) {
  const TextTable table = read_table(answer);
  const std::size_t id = column(table, kIdNames);
  const std::size_t flag = column(table, kEpochFlagNames);
  std::map<std::int64_t, bool> flags;
  for (const auto& row : table.rows) {
    if (const auto value = parse_flag(row[flag])) flags[asked_id(row[id], ids)] = *value;
  }
  return flags;
}

qsohost::TapQuery tap_query(const std::string& url, std::string adql, std::string about, int turn,
                            std::chrono::milliseconds delay) {
  qsohost::TapQuery query;
  query.url = url;
  query.adql = std::move(adql);
  query.format = "csv";
  query.about = std::move(about);
  query.turn = turn;
  query.delay = delay;
  return query;
}

}  // namespace gaia
