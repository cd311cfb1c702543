#include "examination.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <qsohost/adql.hpp>
#include <qsohost/error.hpp>
#include <qsohost/io/tap_tables.hpp>
#include <qsohost/io/text.hpp>
#include <qsohost/io/zip.hpp>
#include <qsohost/names.hpp>

#include "column_roles.hpp"
#include "datalink_exchange.hpp"
#include "tap_epochs.hpp"
#include "text_table.hpp"

namespace gaia {

namespace {

using qsohost::Examination;

// Without times, magnitudes and fluxes there is no light curve; flags may be missing.
std::vector<qsohost::ColumnRole> epoch_roles(const RemoteSettings& settings) {
  std::vector<qsohost::ColumnRole> roles;
  for (const Wanted& wanted : settings.wanted) {
    const ColumnRole& names = role_called(wanted.table.name);
    qsohost::ColumnRole& role = roles.emplace_back();
    role.role = names.dr3;
    for (const std::string& name : {names.dr3, names.dr4, names.vizier}) {
      if (!name.empty()) role.candidates.push_back(name);
    }
    role.is_needed = is_measured(wanted.table);
  }
  qsohost::ColumnRole id{"identifier", {}};
  for (const std::string_view name : kIdNames) id.candidates.emplace_back(name);
  roles.push_back(std::move(id));
  return roles;
}

// "gaiadr3" of "gaiadr3.gaia_source"; "" of VizieR's names.
std::string schema_of(const std::string& table) {
  return table.starts_with('"') ? "" : table.substr(0, table.find('.'));
}

// Which releases are there. Whether the chain's one is.
bool examine_releases(const RemoteSettings& settings, Examination& archive) {
  const std::string wanted = schema_of(settings.source_table);
  if (wanted.empty()) {
    archive.release("Gaia DR3, the release of " + settings.source_table);
    return true;
  }
  std::vector<std::string> schemas =
      qsohost::tap_column(archive, settings.tap_url, "SELECT schema_name FROM TAP_SCHEMA.schemas");
  std::erase_if(schemas, [](const std::string& name) { return !name.starts_with("gaia"); });
  std::ranges::sort(schemas);
  archive.release(
      fmt::format("{} is requested; schemas: {}", settings.release, fmt::join(schemas, ", ")));
  const auto is_there = [&](const std::string& name) {
    return std::ranges::count(schemas, name) > 0;
  };
  if (!is_there(wanted)) {
    archive.change(fmt::format(
        "{} has no schema {} (yet): set release to one that it serves, or use another archive",
        settings.tap_url, wanted));
    return false;
  }
  if (wanted != "gaiadr4" && is_there("gaiadr4")) {
    archive.note(
        "Gaia DR4 is open here. It has epochs of nearly all sources: release = \"Gaia DR4\", with "
        "source_ids from a cross-match with gaiadr4.gaia_source; those of DR3 mean other sources "
        "there (gaiadr4.dr3_neighbourhood links them)");
  }
  return true;
}

void examine_sources(const RemoteSettings& settings, Examination& archive) {
  const std::vector<qsohost::ColumnRole> roles{{"identifier", {settings.source_id}},
                                               {"flag of epochs", {settings.flag}, false}};
  qsohost::examine_tap_table(archive, settings.tap_url, settings.source_table, roles);
}

// Some sources that have epochs. Services spell truth in different ways.
std::vector<std::int64_t> sources_with_epochs(const RemoteSettings& settings,
                                              Examination& archive) {
  std::vector<std::int64_t> ids;
  for (const std::string& text : qsohost::tap_column(
           archive, settings.tap_url,
           fmt::format("SELECT TOP 2 {} FROM {} WHERE {} = 'true'", settings.source_id,
                       qsohost::adql_name(settings.source_table), settings.flag))) {
    if (const auto id = qsohost::parse_int(text)) ids.push_back(*id);
  }
  return ids;
}

void check_datalink_table(std::string_view body, const RemoteSettings& settings,
                          Examination& archive) {
  if (qsohost::is_zip(body)) {
    const qsohost::ZipArchive zip(body);
    if (zip.members().empty()) throw qsohost::TryAgain("the zip is empty");
    const std::string member = zip.read(zip.members().front());
    archive.note(fmt::format("{} tables in a zip, the first: {}", zip.members().size(),
                             zip.members().front().name));
    return archive.check_columns(read_table(member).columns, epoch_roles(settings));
  }
  archive.check_columns(read_table(body).columns, epoch_roles(settings));
}

void examine_datalink(const RemoteSettings& settings, const std::vector<std::int64_t>& ids,
                      Examination& archive) {
  RemoteState state;
  DataLinkExchange exchange(settings, state, ids, 0, {}, [](const EpochAnswer&) {});
  const auto begin = std::chrono::steady_clock::now();
  std::optional<qsohost::Request> next = exchange.begin();
  std::string body;
  while (next) {
    const qsohost::Response response = archive.ask(*next);
    body = response.body;
    next = exchange.answer(*next, response);
  }
  if (!exchange.failure().empty()) throw qsohost::TryAgain(exchange.failure());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  archive.note(fmt::format("{} sources in {:.1f} s", ids.size(), took.count()));
  check_datalink_table(body, settings, archive);
}

void examine_table(const RemoteSettings& settings, Examination& archive) {
  const std::string body =
      archive.ask_tap(tap_query(settings.url, columns_query(settings), "one row", 0, {}));
  archive.check_columns(read_table(body).columns, epoch_roles(settings));
}

}  // namespace

void examine(const RemoteSettings& settings, Examination& archive) {
  bool is_there = true;
  std::vector<std::int64_t> ids;
  if (!settings.tap_url.empty()) {
    archive.about("Gaia's sources (TAP)", settings.tap_url, [&] {
      is_there = examine_releases(settings, archive);
      if (!is_there) return;
      examine_sources(settings, archive);
      if (settings.road == Road::DataLink) ids = sources_with_epochs(settings, archive);
    });
  }
  if (!is_there) return;
  archive.about(settings.service, settings.url, [&] {
    archive.release(settings.release);
    if (settings.road != Road::DataLink) return examine_table(settings, archive);
    if (!ids.empty()) return examine_datalink(settings, ids, archive);
    archive.note("no source with epochs is known, so that nothing was asked");
  });
}

}  // namespace gaia
