// Maps columns of files to columns of a batch.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <qsohost/plugin.hpp>

#include "aligned_files.hpp"

namespace curves {

// A light curve defined by the names of its columns, for files of other surveys.
struct Band : qsohost::OptionOwner {
  qsohost::Option<std::string> group{this, "group", qsohost::required,
                                     "what the chain calls it: <survey>.<band>, e.g. \"ps1.g\""};
  qsohost::Option<std::string> time{this, "time", qsohost::required, "column of times"};
  qsohost::Option<std::string> mag{this, "mag", qsohost::required, "column of magnitudes"};
  qsohost::Option<std::string> mag_err{this, "mag_err", qsohost::required,
                                       "column of errors of the magnitudes"};
  qsohost::Option<std::vector<std::string>> columns{this, "columns", std::vector<std::string>{},
                                                    "further columns of this light curve"};
  qsohost::Option<std::string> time_system{
      this, "time_system", "",
      "what the times are, e.g. \"MJD UTC\"; empty: as the file's header says"};
};

// Where a column comes from.
struct Origin {
  std::size_t file = 0;
  std::size_t field = 0;
  std::string name;         // in the batch
  std::string file_name{};  // of a column of epochs: see Port
  // Position of a column of epochs in the default product of its survey; none: not in it.
  std::optional<std::size_t> place{};
};

struct Curve {
  qsohost::GroupInfo info;
  std::vector<Origin> columns;
  bool derives_mag_err = false;  // from flux and flux_error
  bool numbers_epochs = false;   // has no epoch_id of its own
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
