#include "examination.hpp"

#include <string>
#include <vector>

#include <qsohost/io/tap_tables.hpp>

#include "known_tables.hpp"
#include "match_answer.hpp"

namespace xmatch {

namespace {

using qsohost::ColumnRole;

// 3C 273, which every catalogue has.
constexpr qsohost::SkyPlace kQuasar{.ra = 187.277915, .dec = 2.052388};

void examine_job(const Service& service, const std::string& id, qsohost::Examination& archive) {
  const std::vector<qsohost::SkyPlace> places{kQuasar};
  RightColumns columns{service.right, id};
  RowLimit limit;
  MatchBlock block(service, places, columns, limit);
  const qsohost::Request request = block.begin().front();
  block.answer(request, archive.ask(request));
  archive.release(service.right);
  archive.check_columns(columns.names, std::vector<ColumnRole>{{"identifier", {id}}});
  if (!position_columns(columns.names)) {
    archive.change(
        "no columns of positions are recognised; name them by options right_ra and right_dec");
  }
}

}  // namespace

void examine(const Service& service, const std::string& id, const GaiaTable& gaia,
             qsohost::Examination& archive) {
  archive.about("cross-match service of the CDS", service.url,
                [&] { examine_job(service, id, archive); });
  if (gaia.columns.empty()) return;
  archive.about("Gaia's own table (TAP)", gaia.url, [&] {
    std::vector<ColumnRole> roles{{"identifier", {"source_id"}}};
    for (const std::string& column : gaia.columns) roles.push_back({column, {column}});
    qsohost::examine_tap_table(archive, gaia.url, gaia.table, roles);
  });
}

}  // namespace xmatch
