#include "neowise_answer.hpp"

#include <fmt/format.h>

#include <qsohost/error.hpp>
#include <qsohost/io/text.hpp>
#include <qsohost/sphere.hpp>
#include <qsohost/time_system.hpp>

#include <cmath>

namespace neowise {

namespace {

using qsohost::BadObject;
using qsohost::TableReader;
using qsohost::TableRow;
using qsohost::TryAgain;

// IRSA's TAP writes the word "null".
std::string text(const TableRow& row, std::string_view column) {
  const std::string_view cell = row.text(column);
  return qsohost::is_missing(cell) ? std::string() : std::string(cell);
}

std::optional<std::int64_t> integer(const TableRow& row, std::string_view column) {
  if (qsohost::is_missing(row.text(column))) return std::nullopt;
  return row.integer(column);
}

Exposure read_exposure(const TableRow& row) {
  Exposure exposure;
  exposure.ra = row.number("ra");
  exposure.dec = row.number("dec");
  exposure.mjd = row.number("mjd");
  exposure.bands[0] = {row.number("w1mpro"), row.number("w1sigmpro"), row.number("w1rchi2"),
                       row.number("w1sat")};
  exposure.bands[1] = {row.number("w2mpro"), row.number("w2sigmpro"), row.number("w2rchi2"),
                       row.number("w2sat")};
  exposure.qi_fact = row.number("qi_fact");
  exposure.saa_sep = row.number("saa_sep");
  exposure.qual_frame = integer(row, "qual_frame");
  exposure.nb = integer(row, "nb");
  exposure.na = integer(row, "na");
  exposure.allwise_cntr = integer(row, "allwise_cntr");
  exposure.cc_flags = text(row, "cc_flags");
  exposure.ph_qual = text(row, "ph_qual");
  exposure.moon_masked = text(row, "moon_masked");
  exposure.scan_id = text(row, "scan_id");
  return exposure;
}

std::string problem_of(const Exposure& exposure) {
  if (!qsohost::is_on_sky(exposure.ra, exposure.dec) || !std::isfinite(exposure.mjd)) {
    return fmt::format("position ({}, {}) or mjd ({}) is none", exposure.ra, exposure.dec,
                       exposure.mjd);
  }
  const std::string misplaced = qsohost::misplaced_time(qsohost::kMjdUtc, exposure.mjd);
  return misplaced.empty() ? "" : fmt::format("mjd {}: {}", exposure.mjd, misplaced);
}

std::size_t target_of(const TableRow& row, std::optional<std::size_t> lone) {
  if (lone) return *lone;
  const std::int64_t n = row.integer("n");
  if (n < 0)
    throw BadObject(fmt::format("n = {} was not asked for; only targets must be answered", n));
  return static_cast<std::size_t>(n);
}

// A malformed answer is as little to be trusted as a cut one: the host asks again, and in the end
// the positions are divided, so that one bad row does not cost the others their light curves.
template <class Read>
void read_rows(std::string_view body, const Read& read) {
  try {
    TableReader table(body);
    for (TableRow row(table); row.next();) {
      try {
        read(row);
      } catch (const BadObject& e) {
        throw TryAgain(fmt::format("{}, line {}: {}", kTable, table.line(), e.what()));
      }
    }
  } catch (const BadObject& e) {
    throw TryAgain(fmt::format("{}: {}", kTable, e.what()));
  }
}

}  // namespace

Exposures parse_exposures(std::string_view body, std::optional<std::size_t> lone) {
  Exposures exposures;
  read_rows(body, [&](const TableRow& row) {
    Exposure exposure = read_exposure(row);
    if (const std::string problem = problem_of(exposure); !problem.empty()) {
      throw BadObject(problem);
    }
    exposures[target_of(row, lone)].push_back(std::move(exposure));
  });
  return exposures;
}

RowCounts parse_counts(std::string_view body, std::optional<std::size_t> lone) {
  RowCounts counts;
  read_rows(body, [&](const TableRow& row) {
    const std::int64_t rows = row.integer("n_rows");
    if (!counts.emplace(target_of(row, lone), rows).second || rows < 0) {
      throw BadObject(
          "a target occurs twice, or its number of rows is negative; each must have one number");
    }
  });
  if (lone && counts.empty()) throw TryAgain("an answer without the number of rows");
  std::erase_if(counts, [](const auto& count) { return count.second == 0; });
  return counts;
}

}  // namespace neowise
