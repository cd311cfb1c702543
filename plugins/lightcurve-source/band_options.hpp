// Light curves defined by the names of their columns, for files of other surveys: [[stage.band]].
#pragma once

#include <limits>
#include <string>
#include <vector>

#include <qsohost/plugin.hpp>

namespace curves {

inline constexpr double kAb = std::numeric_limits<double>::infinity();

struct Band : qsohost::OptionOwner {
  qsohost::Option<std::string> group{this, "group", qsohost::required,
                                     "what the chain calls it: <survey>.<band>, e.g. \"ps1.g\""};
  qsohost::Option<std::string> time{
      this, "time", qsohost::required,
      "column of times; in days if it declares no unit. If it holds arrays, the table has one row "
      "per object; if it holds one value a row, one row per epoch"};
  qsohost::Option<std::string> mag{this, "mag", "mag", "column of magnitudes"};
  qsohost::Option<std::string> mag_err{this, "mag_err", "mag_err",
                                       "column of errors of the magnitudes"};
  qsohost::Option<std::string> flux{
      this, "flux", "", "column of fluxes, in place of mag: mag = zero_point - 2.5 log10(flux)"};
  qsohost::Option<std::string> flux_err{this, "flux_err", "",
                                        "column of errors of the fluxes, in place of mag_err"};
  qsohost::Option<double> zero_point{this, "zero_point", kAb,
                                     "magnitude of a source of flux 1 in the unit of the file; "
                                     "inf: AB magnitudes, for fluxes whose "
                                     "unit can be converted to Jy"};
  qsohost::Option<std::string> band_column{
      this, "band_column", "",
      "with one row per epoch: column of texts or integers that says which band a row is of; "
      "empty: all rows belong to this light curve"};
  qsohost::Option<std::string> band_value{
      this, "band_value", "", "what band_column holds in the rows of this light curve, such as g"};
  qsohost::Option<std::vector<std::string>> columns{this, "columns", std::vector<std::string>{},
                                                    "further columns of this light curve"};
  qsohost::Option<std::string> time_system{
      this, "time_system", "",
      "what the times are, e.g. \"MJD UTC\"; empty: as the file's header says"};
};

// Throws UsageError for what is wrong whatever the files hold.
void check_bands(const qsohost::OptionTables<Band>& bands);

}  // namespace curves
