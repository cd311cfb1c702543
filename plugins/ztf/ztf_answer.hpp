// Parses responses of the IRSA ZTF light-curve service into epochs. No files and no network here:
// irsa-ztf and ztf-files share this code, so that both give the same light curves.
//
// The rule: the epochs of a target are those of the ZTF objects (oid) inside the radius, in the
// requested bands; ordered by oid, then by mjd, then by expid. A row without mjd, mag or magerr is
// no epoch, and of rows with equal oid, mjd and expid only the first is one (unless duplicates are
// kept). An epoch's epoch_id is its position in that order, from 0, counted over all bands, even if
// only the nearest objects are kept (then with gaps). It depends on the radius, on the requested
// bands and on duplicates, not on the order of the response; (oid, expid) identifies an epoch for
// any request. Which objects are the nearest, and which epoch of an exposure is taken then:
// ztf_sources.hpp.
//
// Columns: https://irsa.ipac.caltech.edu/docs/program_interface/ztf_lightcurve_api.html (output),
// ZTF Science Data System Explanatory Supplement (meaning).
#pragma once

#include <qsohost/batch.hpp>
#include <qsohost/port.hpp>
#include <qsohost/stage.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ztf {

inline constexpr std::array<std::string_view, 3> kBands{"g", "r", "i"};

inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// One row of a response; units as in the columns of declare_columns().
struct Epoch {
  std::int64_t oid = 0;
  std::int64_t expid = 0;
  std::int64_t filefracday = 0;
  double hjd = kNaN;
  double mjd = kNaN;
  double ra = kNaN;
  double dec = kNaN;
  float mag = kNaN;
  float magerr = kNaN;
  float chi = kNaN;
  float sharp = kNaN;
  float limitmag = kNaN;
  float magzp = kNaN;
  float magzprms = kNaN;
  float clrcoeff = kNaN;
  float clrcounc = kNaN;
  float exptime = kNaN;
  float airmass = kNaN;
  std::int32_t catflags = 0;
  std::int32_t field = 0;
  std::int32_t programid = 0;
  std::int16_t ccdid = 0;
  std::int16_t qid = 0;
  std::uint8_t band = 0;    // index in kBands
  std::uint32_t nulls = 0;  // bit k: column k of column_rules() has no value
};

// All rows of one oid: one source in one field, quadrant and filter of ZTF.
struct Curve {
  std::int64_t oid = 0;
  std::int32_t field = 0;
  std::int16_t ccdid = 0;
  std::int16_t qid = 0;
  std::uint8_t band = 0;
  double ra = kNaN;  // deg; the mean if the response has a position for each epoch
  double dec = kNaN;
  // Its rows, at least one: by mjd, then by expid; those without mjd last.
  std::vector<Epoch> epochs{};
};

enum class Columns : std::uint8_t { Required, All };

// The light curves of a response, by oid, in any format of TableReader. Throws TryAgain for a
// refusal, a truncated or a foreign response, BadObject for a malformed one or one without these
// columns; messages name the line. A header without rows gives none.
std::vector<Curve> parse_answer(std::string_view text, Columns needed = Columns::Required);

// Number of epochs of each oid in a VOTable. Throws TryAgain if it was truncated (it has an end
// mark) or is not a VOTable, BadObject if it is malformed.
std::map<std::int64_t, std::size_t> rows_by_object(std::string_view votable);

// Which ZTF sources inside the radius to use: of all sources of one band, field and quadrant only
// the nearest to the target (equally near: the lower oid), where that is the same source as in the
// others, and one epoch an exposure; or all.
enum class Objects : std::uint8_t { Nearest, All };

// Of rows with equal oid, mjd and expid the first in the response, or all.
enum class Duplicates : std::uint8_t { Drop, Keep };

// Whether to shift the magnitudes of each source by its offset.
enum class Align : std::uint8_t { None, Median };

struct Selection {
  double radius_arcsec = 2.0;
  Objects objects = Objects::Nearest;
  Duplicates duplicates = Duplicates::Drop;
  Align align = Align::None;
};

// By how much one source (oid) is fainter than another that is the same star in the sky.
struct Offset {
  float value = kNaN;      // mag, the median; NaN if not enough epochs are near in time
  float error = kNaN;      // mag
  std::int32_t pairs = 0;  // epochs compared
};

// A light curve relative to a target.
struct Candidate {
  const Curve* curve = nullptr;
  double separation = kNaN;  // arcsec
  bool is_inside = false;    // inside the radius
  bool is_kept = false;
  bool is_target = false;     // the source nearest to the target, perhaps in another quadrant
  bool is_reference = false;  // offsets in its band are relative to it
  std::vector<const Epoch*> epochs{};  // in order
  std::vector<bool> is_second{};       // of these: left out, see keep_one_per_exposure(); or empty
  Offset offset{};
  float shift = 0;  // mag, taken off the magnitudes
  bool is_taken(std::size_t epoch) const { return is_second.empty() || !is_second[epoch]; }
  std::int64_t taken() const;  // epochs
  // The other rows.
  std::int64_t incomplete = 0;   // without mjd, mag or magerr
  std::int64_t repeated = 0;     // equal to one of the epochs
  std::int64_t conflicting = 0;  // of the same exposure as one of the epochs, with other values
};

// Sorted by oid. Must outlive everything derived from them.
using Curves = std::span<const Curve* const>;
std::vector<const Curve*> pointers_to(std::span<const Curve> curves);

// Throws BadObject for an invalid position of the target, and where the nearest object of a
// quadrant is wanted but the response does not say which quadrants they are in.
std::vector<Candidate> candidates_of(Curves curves, double ra, double dec,
                                     const Selection& selection);
// Throws NotFound if nothing is kept: there are no objects, all are outside the radius, or no row
// is an epoch (the message says which).
void check_found(std::span<const Candidate> candidates, const Selection& selection);

// Where the light curves of a target go, and what the stage is called.
struct Destination {
  qsohost::Batch& batch;
  qsohost::Counts& counts;
  std::string_view label;
};

// The light curves of a target: selects, counts (also if nothing is found), and appends to the
// groups of declare_columns() for the row that is being filled; bands without a group are skipped.
// Returns what was found in a few words, for the ledger. Throws as candidates_of() and
// check_found().
std::string add_curves(Curves curves, double ra, double dec, const Selection& selection,
                       const Destination& to);

// The groups and columns that add_curves() fills: the light curves ztf.g, ztf.r, ztf.i, and results
// LABEL.sources.ztf.g, ... on the sources in them. `bands`: indices in kBands.
void declare_columns(qsohost::Ports& ports, std::string_view label,
                     std::span<const std::uint8_t> bands);
inline constexpr std::array<std::uint8_t, 3> kAllBands{0, 1, 2};

}  // namespace ztf
