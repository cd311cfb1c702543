// What cross-matches say of their rows and pairs.
#include <fmt/format.h>

#include "qsohost/io/crossmatch.hpp"
#include "qsohost/stage.hpp"

namespace qsohost::inline io_v1 {

namespace {

// "1,000 rows of gaia" or, if they were not counted, "the rows of gaia".
std::string rows_of(const CrossmatchRows& rows) {
  return rows.rows ? fmt::format("{} rows of {}", *rows.rows, rows.table)
                   : fmt::format("the rows of {}", rows.table);
}

}  // namespace

void report_positions(Context& context, const CrossmatchRows& rows, std::string_view first) {
  if (rows.off_sky > 0) {
    context.warn(
        fmt::format("{}: {} of {} rows have no position on the sky (null, not a number, infinite, "
                    "or dec beyond 90 degrees) and match nothing{}{}",
                    rows.table, rows.off_sky, rows.rows.value_or(0),
                    first.empty() ? "" : "; the first is ", first));
  }
  if (rows.wrapped > 0) {
    context.info(fmt::format("{}: {} of {} rows have RA outside [0, 360), taken modulo 360",
                             rows.table, rows.wrapped, rows.rows.value_or(0)));
  }
}

void report_pairs(Context& context, const CrossmatchRows& left, const CrossmatchRows& right,
                  const CrossmatchPairs& pairs, const CrossmatchOptions& options) {
  std::string text = fmt::format("{} of {} have a match within {} arcsec among {}", pairs.left_rows,
                                 rows_of(left), *options.radius_arcsec, rows_of(right));
  if (pairs.found == 0 && *options.unique == RepeatsKept::None) {
    text += " that no other row shares (unique = \"drop\")";
  }
  if (pairs.found > 0) {
    text += fmt::format(
        ": {} pairs, of which {} are taken; {} identifiers are in several pairs (unique = {})",
        pairs.found, pairs.kept, pairs.contested, to_toml(options.unique.value()));
  }
  context.log(pairs.kept > 0 ? LogLevel::Info : LogLevel::Warning, text);
}

Counts crossmatch_counts(const CrossmatchRows& left, const CrossmatchRows& right,
                         const CrossmatchPairs* pairs) {
  Counts counts;
  const auto add = [&](const std::string& item, const char* what, std::uint64_t n) {
    counts.add(item, what, static_cast<std::int64_t>(n));
  };
  for (const CrossmatchRows* rows : {&left, &right}) {
    if (!rows->rows) continue;
    const std::string item = (rows == &left ? "left: " : "right: ") + rows->table;
    add(item, "rows", *rows->rows);
    add(item, "no position", rows->off_sky);
    add(item, "RA wrapped", rows->wrapped);
  }
  if (pairs == nullptr) return counts;
  add("left: " + left.table, "matched", pairs->left_rows);
  if (left.rows) add("left: " + left.table, "no match", *left.rows - pairs->left_rows);
  add("pairs", "found", pairs->found);
  add("pairs", "taken", pairs->kept);
  return counts;
}

}  // namespace qsohost::inline io_v1
