// What sources that cross-match two tables share: options, the names and order of columns, the
// order of rows. A quasar catalogue is on the left ("sdss"), a survey with the identifiers of the
// objects on the right ("gaia").
//
// Which rows: all pairs of a left row (of those that `where` selects) and a right row whose
// distance on the sky is at most radius_arcsec; distances as q3c and separation_arcsec() of
// sphere.hpp compute them. RA counts modulo 360: 370, 10 and -350 are the same. A row without a
// position matches nothing: one that is null, NaN or infinite, a dec beyond the poles, a RA beyond
// 1e15 (of which a double does not know the tenths of a degree). Both kinds of rows are counted and
// reported; so is what has a match, with a warning if nothing has.
//   match    "all": every pair; "nearest": of each left row's pairs the one with the smallest
//            separation, of equal ones the one with the smaller source_id.
//   unique   for a source_id in several pairs: "keep": all of them stay;
//            "nearest": the one with the smallest separation stays (of equal ones that which comes
//            first in the left table); "drop": none of them stays.
//   n_matches of a pair counts the right rows within the radius of its left row, before `match` and
//   `unique`.
//
// Order of rows: by source_id (integers by value, texts by bytes), then match_separation, then the
// left table's own order. A matched right row must have an identifier.
//
// Positions are in degrees; a file's column that declares another unit of angles is converted.
//
// In `where`, a null is NULL, as in SQL; the only null of floats in FITS is NaN.
//
// Columns: those of the left table in order, those of the right table in order, match_separation
// (f64, arcsec), n_matches (i32); then ra and dec (f64, deg: the right row's position), each only
// if no column has that name, so that later stages find a position. Types, units and descriptions
// are the tables'. A name that both tables have, without regard to case, gets its table's prefix on
// both sides ("sdss_ra" and "gaia_ra"); so does one that would then occur twice (DR16Q's own
// "gaia_ra" becomes "sdss_gaia_ra") or that the cross-match itself adds. Names do not depend on
// what is selected. The right table's identifier is always called "source_id" and always selected.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "qsohost/api.hpp"
#include "qsohost/column.hpp"
#include "qsohost/option.hpp"
#include "qsohost/port.hpp"

namespace qsohost::inline v1 {
class Context;
class Counts;
}  // namespace qsohost::inline v1

namespace qsohost::inline io_v1 {

enum class PairsKept : std::uint8_t { All, Nearest };          // of a left row
enum class RepeatsKept : std::uint8_t { All, Nearest, None };  // of a right row with several pairs

// What a source's right tables make different.
struct CrossmatchDefaults {
  std::string right_ra = "ra";
  std::string right_dec = "dec";
  std::string id = "source_id";
  double largest_radius = 36000;      // arcsec
  std::string help_of_right_names{};  // what the names default to, if they are empty
};

// The options besides `left` and `right`, to be a member of the source: CrossmatchOptions
// match{this}
struct QSOHOST_API CrossmatchOptions {
  explicit CrossmatchOptions(OptionOwner* owner, CrossmatchDefaults defaults = {})
      : owner_(owner), defaults_(std::move(defaults)) {}

 private:
  OptionOwner* owner_;
  CrossmatchDefaults defaults_;

 public:
  Option<std::string> left_ra{owner_, "left_ra", "ra",
                              "left table's column of right ascensions, ICRS, degrees"};
  Option<std::string> left_dec{owner_, "left_dec", "dec",
                               "left table's column of declinations, ICRS, degrees"};
  Option<std::string> right_ra{
      owner_, "right_ra", defaults_.right_ra,
      "right table's column of right ascensions, ICRS, degrees" + defaults_.help_of_right_names};
  Option<std::string> right_dec{
      owner_, "right_dec", defaults_.right_dec,
      "right table's column of declinations, ICRS, degrees" + defaults_.help_of_right_names};
  Option<std::string> id{
      owner_, "id", defaults_.id,
      "right table's column of identifiers; it becomes source_id" + defaults_.help_of_right_names};
  Option<double> radius_arcsec{owner_,
                               "radius_arcsec",
                               1.0,
                               "largest separation of a pair",
                               {.unit = "arcsec", .min = 0, .max = defaults_.largest_radius}};
  Option<std::string> where{owner_, "where", "",
                            "SQL condition on the left table's columns; \"\" takes every row"};
  Option<std::vector<std::string>> prefixes{
      owner_,
      "prefixes",
      std::vector<std::string>{"sdss", "gaia"},
      "put, with a \"_\", before names that both tables have: left, right",
      {.length = 2}};
  Option<std::vector<std::string>> columns{
      owner_, "columns", std::vector<std::string>{"all"},
      "\"all\", or names (\"z\"; \"gaia.ra\" or \"gaia.*\" for one table, by its prefix); with "
      "\"-\" before it a name is left out"};
  Choice<PairsKept> match{owner_,
                          "match",
                          PairsKept::All,
                          {{"all", PairsKept::All}, {"nearest", PairsKept::Nearest}},
                          "every pair, or each left row's nearest"};
  Choice<RepeatsKept> unique{
      owner_,
      "unique",
      RepeatsKept::All,
      {{"keep", RepeatsKept::All}, {"nearest", RepeatsKept::Nearest}, {"drop", RepeatsKept::None}},
      "right rows matched by several left rows: keep all pairs, the nearest "
      "of them, or drop them"};

  // Rules between options, for Stage::validate(): prefixes must differ and be fit for names.
  void validate() const;
};

// A table as far as naming needs it.
struct CrossmatchTable {
  std::string name;                  // file or table, for messages
  std::vector<std::string> columns;  // in order
  // Of a right table:
  std::string id{};  // column of identifiers; empty: as option `id` says
  // ra and dec are always added, as if they were columns of this table, which calls them otherwise.
  bool is_position_added = false;
};

// Of the right table's identifiers. Throws RunError if there is no such column.
QSOHOST_API std::size_t crossmatch_id(const CrossmatchTable& right,
                                      const CrossmatchOptions& options);

struct CrossmatchColumn {
  bool is_right = false;
  std::size_t position = 0;  // in the table's columns
  std::string name;          // in the batch
};

// What a batch of pairs holds, in order: `columns`, match_separation, n_matches, and ra and dec if
// they are added.
struct CrossmatchLayout {
  std::vector<CrossmatchColumn> columns;
  bool adds_ra = false;
  bool adds_dec = false;
};

// Selects and names. Throws RunError: an entry of option `columns` that matches nothing; two
// columns of the result whose names no prefix can distinguish (in one table, differing only in
// case).
QSOHOST_API CrossmatchLayout crossmatch_layout(const CrossmatchTable& left,
                                               const CrossmatchTable& right,
                                               const CrossmatchOptions& options);

// The ports of the columns that a cross-match adds: match_separation, n_matches, then (as the
// layout says) ra and dec.
QSOHOST_API std::vector<Port> crossmatch_ports(const CrossmatchLayout& layout);

// Rows of one table: of the left one those that `where` selects.
struct CrossmatchRows {
  std::string table;
  std::optional<std::uint64_t> rows{};  // none: they were not counted
  std::uint64_t off_sky = 0;            // of these, without a position
  std::uint64_t wrapped = 0;            // with a position whose RA is outside [0, 360)
};

struct CrossmatchPairs {
  std::uint64_t left_rows = 0;  // that have a match
  std::uint64_t found = 0;
  std::uint64_t kept = 0;       // of these, by `match` and `unique`
  std::uint64_t contested = 0;  // identifiers in several pairs, before `unique`
};

// Warns of rows without a position, and says how many were wrapped. `first`: which row without a
// position is the first, if that is known.
QSOHOST_API void report_positions(Context& context, const CrossmatchRows& rows,
                                  std::string_view first = {});
// Says how many have a match; a warning if no pair is kept.
QSOHOST_API void report_pairs(Context& context, const CrossmatchRows& left,
                              const CrossmatchRows& right, const CrossmatchPairs& pairs,
                              const CrossmatchOptions& options);
// The same numbers for Source::counts(); `pairs`: nullptr while they are not known.
QSOHOST_API Counts crossmatch_counts(const CrossmatchRows& left, const CrossmatchRows& right,
                                     const CrossmatchPairs* pairs);

}  // namespace qsohost::inline io_v1
