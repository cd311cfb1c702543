// Light curves recognised by the names of their columns, for files whose headers do not describe
// them (see fits_epochs.hpp): products of older versions, and tables of archives.
//
// ZTF   groups ztf.g, ztf.r, ztf.i; in files <column>_<band>: mjd_g, mag_g, magerr_g, ...
// Gaia  groups gaia.g, gaia.bp, gaia.rp; in files as in gaiadr3.epoch_photometry:
//       g_transit_<column>,
//       bp_obs_time, bp_<column>, ..., flags under their own names in the group of their band
//       (those of SM, AF and the whole transit in gaia.g). mag_err is g_transit_mag_error,
//       bp_mag_error, rp_mag_error in files.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <qsohost/batch.hpp>

namespace curves {

struct EpochColumn {
  std::string group;
  std::string column;
};

// "mjd_g" is column "mjd" of "ztf.g"; none if the name belongs to neither survey. FITS has no case,
// so MJD_G is the same.
std::optional<EpochColumn> known_column(std::string_view file_column);

// A group of ZTF or Gaia with the names of its roles; for any other name "<survey>.<band>" just
// these two.
qsohost::GroupInfo known_group(std::string_view group);

// The name of a column in files; "" if there is no convention for this survey.
std::string known_file_name(const qsohost::GroupInfo& group, std::string_view column);

// The position of a column in the default product of its survey; none if it is not in it.
std::optional<std::size_t> known_place(const qsohost::GroupInfo& group, std::string_view column);

}  // namespace curves
