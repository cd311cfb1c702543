// How epochs of the surveys that the products promise are called: in a batch (group and column) and
// in files. Sources, fetchers and sinks of these surveys share the names through this.
//
// ZTF   groups ztf.g, ztf.r, ztf.i; columns mjd, mag, magerr, catflags, sharp, chi, limitmag,
//       airmass and others; in files <column>_<band>. (IRSA ZTF light-curve service.)
// Gaia  groups gaia.g, gaia.bp, gaia.rp; columns time, mag, flux, flux_error, mag_err and others;
// in
//       files as in gaiadr3.epoch_photometry: g_transit_<column>, bp_obs_time, bp_<column>, ...,
//       flags under their own names in the group of their band (those of SM, AF and the whole
//       transit in gaia.g). mag_err is 2.5/ln10 x flux_error/flux; in files g_transit_mag_error,
//       bp_mag_error, rp_mag_error. All arrays of a row have one element for each transit until a
//       filter removes epochs, which it does band by band.
// Others: groups <survey>.<band>; in files <column>_<band>.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/batch.hpp"

namespace qsohost::inline v1 {

struct EpochColumn {
  std::string group;
  std::string column;
};

// What a file's array column is by its name: "mjd_g" is column "mjd" of "ztf.g". None if the name
// is of neither survey.
QSOHOST_API std::optional<EpochColumn> epoch_column_of(std::string_view file_column);

// The other way round, for any group.
QSOHOST_API std::string file_column_of(const GroupInfo& group, std::string_view column);

// A group of ZTF or Gaia ("ztf.g") with the names of its roles; for any other name only survey and
// band, from before and behind the last dot.
QSOHOST_API GroupInfo group_info_of(std::string_view group);

// The epoch columns of the promised product of a survey, in its order; none for other surveys.
QSOHOST_API std::vector<EpochColumn> product_columns(std::string_view survey);

// Gaia's flags of single epochs, 28, in the order of the table: photometry_flag_noisy_data, of SM,
// AF1 to AF9, BP and RP _unavailable and _reject, variability_flag_{g,bp,rp}_reject.
QSOHOST_API std::vector<std::string> gaia_flags();

// 2.5 / ln 10: magnitudes for a relative error of the flux.
inline constexpr double kMagPerRelativeFlux = 1.0857362047581294;

}  // namespace qsohost::inline v1
