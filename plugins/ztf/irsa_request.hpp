// What is asked of IRSA, as requests. Nothing is sent here.
//
// Light curves: https://irsa.ipac.caltech.edu/docs/program_interface/ztf_lightcurve_api.html
// Table of objects: https://irsa.ipac.caltech.edu/docs/program_interface/TAP.html
#pragma once

#include <qsohost/http.hpp>
#include <qsohost/tap.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ztf_answer.hpp"

namespace ztf {

enum class QueryBy : std::uint8_t { Position, Ids, Auto };

// The settings of the stage.
struct IrsaSettings {
  std::string curves_url;     // of the light-curve service
  std::string tap_url;        // of TAP, without /sync or /async
  std::string collection;     // "ztf_dr24"
  std::string objects_table;  // "ztf_objects_dr24"; "": not known, so nothing can be asked by ids
  Selection selection;
  std::vector<std::uint8_t> bands;     // indices in kBands, ascending
  std::int64_t bad_catflags_mask = 0;  // 0: off
  std::int64_t ids_per_request = 0;
  int confirmations = 0;                       // answers without rows that are believed together
  std::chrono::milliseconds confirm_after{0};  // before the second; then twice as long each time
  QueryBy query_by = QueryBy::Auto;

  bool has_row_filter() const { return bad_catflags_mask != 0; }
  // Before the question is asked for the n-th further time, n from 1.
  std::chrono::milliseconds pause(int n) const { return confirm_after * (1 << std::min(n - 1, 6)); }
};

// Circles are asked a little larger than the radius, so that it is select() alone that decides what
// is inside; this is more than positions of one object differ from table to table.
inline constexpr double kMarginArcsec = 0.1;

struct Position {
  double ra = 0;  // deg
  double dec = 0;
};

// Throws BadObject for what is no position.
void check_position(const Position& position);

// As a VOTable, which says where it ends, or as CSV, which is a third as long.
qsohost::Request curves_at(const IrsaSettings& settings, const Position& position,
                           bool as_votable = false);
qsohost::Request curves_of(const IrsaSettings& settings, std::span<const std::int64_t> oids,
                           bool as_votable = false);

// Cuts ascending oids into lots for one request each: no more than ids_per_request, and no URL of
// more than 8,000 characters.
std::vector<std::vector<std::int64_t>> in_lots(const IrsaSettings& settings,
                                               std::span<const std::int64_t> oids);

// A position that is uploaded, under a number that comes back with its objects.
struct UploadedPosition {
  std::size_t n = 0;
  Position position;
};

// Asks the table of objects what is near these positions: columns n, oid, fid, nobs. Many go as a
// job. `round` tells questions about the same positions apart.
qsohost::TapQuery look_up(const IrsaSettings& settings, std::span<const UploadedPosition> positions,
                          int round, std::chrono::milliseconds delay);

}  // namespace ztf
