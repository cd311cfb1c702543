// Maps columns of files to columns of a batch.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <qsohost/plugin.hpp>

#include "aligned_files.hpp"

namespace curves {

inline constexpr double kAb = std::numeric_limits<double>::infinity();
inline constexpr double kAbZeroPoint = 8.90;  // of 1 Jy; Oke & Gunn 1983, ApJ 266, 713

// A light curve defined by the names of its columns, for files of other surveys.
struct Band : qsohost::OptionOwner {
  qsohost::Option<std::string> group{this, "group", qsohost::required,
                                     "what the chain calls it: <survey>.<band>, e.g. \"ps1.g\""};
  qsohost::Option<std::string> time{this, "time", qsohost::required,
                                    "column of times; in days if it declares no unit"};
  qsohost::Option<std::string> mag{this, "mag", "", "column of magnitudes"};
  qsohost::Option<std::string> mag_err{this, "mag_err", "", "column of errors of the magnitudes"};
  qsohost::Option<std::string> flux{
      this, "flux", "", "column of fluxes, in place of mag: mag = zero_point - 2.5 log10(flux)"};
  qsohost::Option<std::string> flux_err{this, "flux_err", "",
                                        "column of errors of the fluxes, in place of mag_err"};
  qsohost::Option<double> zero_point{this, "zero_point", kAb,
                                     "magnitude of a source of flux 1 in the unit of the file; "
                                     "inf: AB magnitudes, for fluxes whose "
                                     "unit can be converted to Jy"};
  qsohost::Option<std::vector<std::string>> columns{this, "columns", std::vector<std::string>{},
                                                    "further columns of this light curve"};
  qsohost::Option<std::string> time_system{
      this, "time_system", "",
      "what the times are, e.g. \"MJD UTC\"; empty: as the file's header says"};
};

// Where a column comes from, and its unit in the batch.
struct Origin {
  std::size_t file = 0;
  std::size_t field = 0;
  std::string name;         // in the batch
  std::string unit{};       // converted to this one; "": as in the file
  std::string file_name{};  // of a column of epochs: see Port
  // Position of a column of epochs in the default product of its survey; none: not in it.
  std::optional<std::size_t> place{};
};

// Which magnitudes and errors are computed from which columns of the group.
struct FromFlux {
  std::string flux;
  std::string flux_err;
  std::optional<double> zero_point{};  // none: the file has magnitudes, only errors are computed
};

struct Curve {
  qsohost::GroupInfo info;
  std::vector<Origin> columns{};
  std::optional<FromFlux> from_flux{};
  bool numbers_epochs = false;  // has no epoch_id of its own
};

struct Layout {
  std::vector<Origin> objects;  // without the identifier
  std::vector<Curve> curves;
  std::vector<std::string> left_out;   // why columns are not read, for the log
  std::vector<std::string> elsewhere;  // columns of the objects that are in no file
};

// The columns of objects that the user lists; none listed: all.
using Chosen = std::optional<std::vector<std::string>>;

// The light curves that `bands` define, those of the files' headers, and those of ZTF and Gaia by
// their columns' names. Throws RunError for missing columns, for two columns of objects with one
// name, for arrays that are in two files, and if there is no light curve.
Layout lay_out(const std::vector<InputFile>& files, const qsohost::OptionTables<Band>& bands,
               const Chosen& chosen);

}  // namespace curves
