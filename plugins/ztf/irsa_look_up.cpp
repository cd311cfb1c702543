#include "irsa_look_up.hpp"

#include <fmt/format.h>

#include <qsohost/error.hpp>
#include <qsohost/io/text.hpp>

#include <set>
#include <utility>

namespace ztf {

namespace {

using qsohost::BadObject;
using qsohost::TryAgain;

std::size_t column(const qsohost::TableReader& table, std::string_view name) {
  if (const auto at = table.column(name)) return *at;
  throw TryAgain(fmt::format("the table of objects has no column {}", name));
}

std::int64_t integer(std::string_view cell, std::string_view name) {
  if (const auto value = qsohost::parse_int(cell); value && *value >= 0) return *value;
  throw TryAgain(fmt::format("table of objects: {} is '{}'", name, cell));
}

Listing read_rows(qsohost::TableReader table, const std::set<std::size_t>& asked) {
  const std::size_t n = column(table, "n");
  const std::size_t oid = column(table, "oid");
  const std::size_t fid = column(table, "fid");
  const std::size_t nobs = column(table, "nobs");
  Listing listing;
  std::vector<std::string_view> cells;
  while (table.next(cells)) {
    const auto number = static_cast<std::size_t>(integer(cells[n], "n"));
    const std::int64_t filter = integer(cells[fid], "fid");
    if (!asked.contains(number) || filter < 1 || filter > 3) {
      throw TryAgain(
          fmt::format("table of objects: n = {} and fid = {} were not asked for", number, filter));
    }
    listing[number].push_back({integer(cells[oid], "oid"), static_cast<std::uint8_t>(filter - 1),
                               integer(cells[nobs], "nobs")});
  }
  return listing;
}

// As a VOTable, which has an end mark and shows whether the archive truncated it.
Listing read_listing(const qsohost::TapAnswer& answer,
                     const std::vector<UploadedPosition>& positions) {
  if (answer.is_overflow) {
    throw BadObject(
        fmt::format("there are more objects near {} positions than the archive sends; look whether "
                    "radius_arcsec is too large",
                    positions.size()));
  }
  std::set<std::size_t> asked;
  for (const UploadedPosition& p : positions) asked.insert(p.n);
  try {
    qsohost::TableReader table(answer.body);
    if (table.format() == qsohost::TableFormat::VoTable) {
      return read_rows(std::move(table), asked);
    }
  } catch (const BadObject& e) {
    throw TryAgain(fmt::format("table of objects: {}", e.what()));
  }
  throw TryAgain("the answer is no VOTable of objects");
}

}  // namespace

LookUp::LookUp(const IrsaSettings& settings, std::vector<UploadedPosition> positions, int round,
               std::chrono::milliseconds delay)
    : positions_(std::move(positions)),
      round_(round),
      tap_(look_up(settings, positions_, round, delay), [this](const qsohost::TapAnswer& answer) {
        found_ = read_listing(answer, positions_);
      }) {}

}  // namespace ztf
