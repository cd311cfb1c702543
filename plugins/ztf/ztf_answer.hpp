// What the IRSA ZTF light-curve service answers, from text to epochs. No file and no network here:
// every way to get at an answer shares this.
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
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ztf {

inline constexpr std::array<std::string_view, 3> kBands{"g", "r", "i"};

inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// One row of an answer; units as in the columns that declare_columns() gives.
struct Epoch {
  std::int64_t epoch_id = 0;  // its place in the answer, from 0
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
  std::uint8_t band = 0;     // index in kBands
  std::uint32_t nulls = 0;   // bit k: column k of the table of columns has no value here
  std::uint32_t source = 0;  // index in Answer::sources
};

// All rows of one oid: one source as ZTF saw it in one field, quadrant and filter.
struct Source {
  std::int64_t oid = 0;
  std::int32_t field = 0;
  std::int16_t ccdid = 0;
  std::int16_t qid = 0;
  std::uint8_t band = 0;
  std::size_t epochs = 0;
  double ra = kNaN;  // deg; the mean where an answer gives a position for each epoch
  double dec = kNaN;
  double separation = kNaN;  // arcsec from the target
  bool is_inside = false;    // the radius
  bool is_kept = false;
};

struct Answer {
  std::vector<Epoch> epochs;  // in the answer's order
  std::vector<Source> sources;
  bool has_quadrants = false;  // there are columns field, ccdid and qid
  bool has_all = false;        // there are all 24 columns
};

// Which ZTF sources inside the radius: the option `objects` of the stages.
enum class Objects : std::uint8_t { All, Nearest };

struct Selection {
  double radius_arcsec = 2.0;
  // Of all sources of one band, field and quadrant only the one nearest the target (equally near:
  // the lower oid). Otherwise all inside the radius.
  bool nearest_only = false;
};

// Reads any format that TableReader reads. Throws TryAgain for a refused, cut or foreign answer,
// BadObject for a malformed one; messages name the line. A header without rows gives no epochs.
Answer parse_answer(std::string_view text);

// Marks the sources that are kept. Throws NotFound when there are none: the answer has no rows, or
// all are outside the radius (the message says which).
void select(Answer& answer, double ra, double dec, const Selection& selection);

// Appends the kept epochs to the groups ztf.g, ztf.r, ztf.i, in the answer's order; those of a band
// whose group is not there are left out.
void append(const Answer& answer, qsohost::Batch& batch);

// Epochs per band: in the answer, outside the radius, of farther sources, added.
void count(const Answer& answer, qsohost::Counts& counts);

// The three in a row; counted also when nothing is found.
void add_answer(std::string_view text, double ra, double dec, const Selection& selection,
                qsohost::Batch& batch, qsohost::Counts& counts);

// The groups and columns that append() fills. `bands`: indices in kBands.
void declare_columns(qsohost::Ports& ports, std::span<const std::uint8_t> bands);
inline constexpr std::array<std::uint8_t, 3> kAllBands{0, 1, 2};

}  // namespace ztf
