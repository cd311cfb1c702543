// Exposures of NEOWISE as IRSA's table neowiser_p1bs_psd has them, and how its answers are read. No
// network here.
//
// Columns: https://irsa.ipac.caltech.edu/data/WISE/docs/release/NEOWISE/expsup/sec2_1a.html
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace neowise {

inline constexpr std::string_view kTable = "neowiser_p1bs_psd";
inline constexpr std::array<std::string_view, 2> kBands{"w1", "w2"};

// The columns that parse_exposures() needs.
inline constexpr std::array<std::string_view, 21> kColumns{
    "ra",       "dec",     "mjd",     "w1mpro",     "w1sigmpro", "w2mpro",       "w2sigmpro",
    "cc_flags", "ph_qual", "qi_fact", "qual_frame", "saa_sep",   "moon_masked",  "nb",
    "na",       "w1sat",   "w2sat",   "w1rchi2",    "w2rchi2",   "allwise_cntr", "scan_id"};

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// What one band measured. NaN: null in the archive.
struct Measured {
  double mag = kNaN;      // Vega; a limit if mag_err is NaN
  double mag_err = kNaN;  // mag
  double rchi2 = kNaN;
  double sat = kNaN;  // part of saturated pixels
};

// One row: a detection in one exposure, which both bands share.
struct Exposure {
  double ra = kNaN;   // deg
  double dec = kNaN;  // deg
  double mjd = kNaN;  // UTC
  std::array<Measured, kBands.size()> bands{};
  double qi_fact = kNaN;
  double saa_sep = kNaN;  // deg
  std::optional<std::int64_t> qual_frame, nb, na, allwise_cntr;
  std::string cc_flags, ph_qual, moon_masked, scan_id;
};

// Rows by the number of the target that they are near.
using Exposures = std::map<std::size_t, std::vector<Exposure>>;
using RowCounts = std::map<std::size_t, std::int64_t>;

// The rows of an answer in any format of TableReader. `lone`: the number of the only target, whose
// answer has no column n. Throws TryAgain for anything that is not a table of exposures.
Exposures parse_exposures(std::string_view body, std::optional<std::size_t> lone);

// Numbers of rows, columns n and n_rows. With `lone` there must be one row.
RowCounts parse_counts(std::string_view body, std::optional<std::size_t> lone);

}  // namespace neowise
