#include "irsa_examination.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <qsohost/io/tap_tables.hpp>
#include <qsohost/io/text.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "ztf_columns.hpp"

namespace ztf {

namespace {

using qsohost::ColumnRole;
using qsohost::Examination;

// A field that ZTF observes a thousand times.
constexpr Position kObserved{.ra = 255.9302, .dec = 11.8654};

// The number of "ztf_objects_dr24"; 0 if it has none.
int release_of(const std::string& table) {
  const std::size_t at = table.find_last_not_of("0123456789");
  const std::string digits = at == std::string::npos ? table : table.substr(at + 1);
  return digits.empty() || digits.size() > 4 ? 0 : std::stoi(digits);
}

// Whether the chain's table of objects is there.
bool examine_releases(const IrsaSettings& settings, Examination& archive) {
  std::vector<std::string> tables =
      qsohost::tap_column(archive, settings.tap_url,
                          "SELECT table_name FROM TAP_SCHEMA.tables WHERE table_name LIKE "
                          "'ztf_objects_dr%'");
  std::ranges::sort(tables, {}, release_of);
  archive.release(fmt::format("{} is requested; tables of objects: {}", settings.collection,
                              fmt::join(tables, ", ")));
  const bool is_there = std::ranges::count(tables, settings.objects_table) > 0;
  if (!settings.objects_table.empty() && !is_there && !tables.empty()) {
    archive.change(fmt::format("{} is not served any more; set collection = \"ztf_dr{}\"",
                               settings.objects_table, release_of(tables.back())));
  } else if (!tables.empty() && release_of(tables.back()) > release_of(settings.objects_table)) {
    archive.note(fmt::format("a newer release is there: collection = \"ztf_dr{}\"",
                             release_of(tables.back())));
  }
  return is_there;
}

void examine_objects(const IrsaSettings& settings, Examination& archive) {
  static const std::vector<ColumnRole> kRoles{{"object", {"oid"}},
                                              {"right ascension", {"ra"}},
                                              {"declination", {"dec"}},
                                              {"filter", {"fid"}},
                                              {"number of epochs", {"nobs"}}};
  qsohost::examine_tap_table(archive, settings.tap_url, settings.objects_table, kRoles);
}

void examine_curves(const IrsaSettings& settings, Examination& archive) {
  const qsohost::Response response = archive.ask(curves_at(settings, kObserved));
  std::vector<ColumnRole> roles;
  for (const ColumnRule& rule : column_rules()) {
    roles.push_back({std::string(rule.name), {std::string(rule.name)}, rule.is_required});
  }
  roles.push_back({"band", {"filtercode"}});
  archive.check_columns(qsohost::TableReader(response.body).columns(), roles);
}

}  // namespace

void examine_irsa(const IrsaSettings& settings, Examination& archive) {
  archive.about("objects of ZTF (TAP)", settings.tap_url, [&] {
    if (examine_releases(settings, archive)) examine_objects(settings, archive);
  });
  archive.about("light curves of ZTF", settings.curves_url,
                [&] { examine_curves(settings, archive); });
}

}  // namespace ztf
