// What the IRSA ZTF light-curve service answers, from text to epochs. No file and no network here:
// irsa-ztf and ztf-files share this, so that a light curve is the same whichever way it came.
//
// The rule: the epochs of a target are those of the ZTF objects (oid) inside the radius, in the
// bands that were asked for; ordered by oid, then by mjd, then by expid. An epoch's epoch_id is its
// place in that order, from 0, counted over all bands, and also when only the nearest objects are
// kept (there are gaps, then). It depends on the radius and on the bands that were asked for, not
// on the order of the answer; (oid, expid) names an epoch whatever was asked.
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

// One row of an answer; units as in the columns that declare_columns() gives.
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
  std::uint32_t nulls = 0;  // bit k: column k of the table of columns has no value here
};

// All rows of one oid: one source as ZTF saw it in one field, quadrant and filter.
struct Curve {
  std::int64_t oid = 0;
  std::int32_t field = 0;
  std::int16_t ccdid = 0;
  std::int16_t qid = 0;
  std::uint8_t band = 0;
  double ra = kNaN;  // deg; the mean where an answer gives a position for each epoch
  double dec = kNaN;
  std::vector<Epoch> epochs{};  // by mjd, then by expid; one at least
};

enum class Columns : std::uint8_t { Required, All };

// The light curves of an answer, by oid. Reads any format that TableReader reads. Throws TryAgain
// for a refused, cut or foreign answer, BadObject for a malformed one or one without these columns;
// messages name the line. A header without rows gives none.
std::vector<Curve> parse_answer(std::string_view text, Columns needed = Columns::Required);

// How many epochs a VOTable has of each oid. It says where it ends: throws TryAgain when it was cut
// or is no VOTable, BadObject when it is malformed.
std::map<std::int64_t, std::size_t> rows_by_object(std::string_view votable);

// Which ZTF sources inside the radius: the option `objects` of the stages.
enum class Objects : std::uint8_t { All, Nearest };

struct Selection {
  double radius_arcsec = 2.0;
  // Of all sources of one band, field and quadrant only the one nearest the target (equally near:
  // the lower oid). Otherwise all inside the radius.
  bool nearest_only = false;
};

// A light curve as it is seen from a target.
struct Candidate {
  const Curve* curve = nullptr;
  double separation = kNaN;  // arcsec
  bool is_inside = false;    // the radius
  bool is_kept = false;
};

// By oid, as the curves must be. They must outlive what is made of them.
using Curves = std::span<const Curve* const>;
std::vector<const Curve*> pointers_to(std::span<const Curve> curves);

// Throws BadObject for a target that is nowhere.
std::vector<Candidate> candidates_of(Curves curves, double ra, double dec,
                                     const Selection& selection);
// Throws NotFound when none is kept: there are none, or all are outside the radius (the message
// says which).
void check_found(std::span<const Candidate> candidates, const Selection& selection);

// Appends the kept epochs, each with its epoch_id, to the groups ztf.g, ztf.r, ztf.i; those of a
// band whose group is not there are left out.
void append(std::span<const Candidate> candidates, qsohost::Batch& batch);

// Epochs per band: in the answer, outside the radius, of farther sources, added.
void count(std::span<const Candidate> candidates, qsohost::Counts& counts);

// All of these in a row; counted also when nothing is found.
std::vector<Candidate> add_curves(Curves curves, double ra, double dec, const Selection& selection,
                                  qsohost::Batch& batch, qsohost::Counts& counts);

// The groups and columns that append() fills. `bands`: indices in kBands.
void declare_columns(qsohost::Ports& ports, std::span<const std::uint8_t> bands);
inline constexpr std::array<std::uint8_t, 3> kAllBands{0, 1, 2};

}  // namespace ztf
