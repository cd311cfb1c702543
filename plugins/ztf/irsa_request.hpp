// Builds the requests to IRSA, but does not send them.
//
// Light curves: https://irsa.ipac.caltech.edu/docs/program_interface/ztf_lightcurve_api.html Table
// of objects: https://irsa.ipac.caltech.edu/docs/program_interface/TAP.html
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
  std::string label;          // of the stage
  std::string curves_url;     // of the light-curve service
  std::string tap_url;        // of TAP, without /sync or /async
  std::string collection;     // "ztf_dr24"
  std::string objects_table;  // "ztf_objects_dr24"; "": not known, so by ids is not possible
  Selection selection;
  std::vector<std::uint8_t> bands;     // indices in kBands, ascending
  std::int64_t bad_catflags_mask = 0;  // 0: off
  std::int64_t ids_per_request = 0;
  int confirmations = 0;                       // responses without rows needed to accept "not
                                               // found"
  std::chrono::milliseconds confirm_after{0};  // before the second; doubles each time
  QueryBy query_by = QueryBy::Auto;

  bool has_row_filter() const { return bad_catflags_mask != 0; }
  // Pause before the n-th retry, n from 1.
  std::chrono::milliseconds pause(int n) const { return confirm_after * (1 << std::min(n - 1, 6)); }
};

// Requested circles are a little larger than the radius, so that only select() decides what is
// inside. The margin exceeds the differences of an object's position between tables.
inline constexpr double kMarginArcsec = 0.1;

struct Position {
  double ra = 0;  // deg
  double dec = 0;
};

// Throws BadObject for an invalid position.
void check_position(const Position& position);

// As a VOTable, which has an end mark, or as CSV, which is a third as long.
qsohost::Request curves_at(const IrsaSettings& settings, const Position& position,
                           bool as_votable = false);
qsohost::Request curves_of(const IrsaSettings& settings, std::span<const std::int64_t> oids,
                           bool as_votable = false);

// Splits ascending oids into lots, one per request: at most ids_per_request, and URLs of at most
// 8,000 characters.
std::vector<std::vector<std::int64_t>> in_lots(const IrsaSettings& settings,
                                               std::span<const std::int64_t> oids);

// An uploaded position with a number, which the response repeats for its objects.
struct UploadedPosition {
  std::size_t n = 0;
  Position position;
};

// Queries the table of objects near these positions: columns n, oid, fid, nobs. Many positions are
// sent as a job. `round` distinguishes queries about the same positions.
qsohost::TapQuery look_up(const IrsaSettings& settings, std::span<const UploadedPosition> positions,
                          int round, std::chrono::milliseconds delay);

}  // namespace ztf
