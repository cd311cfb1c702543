// Maps columns of files to columns of a batch.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <qsohost/plugin.hpp>

#include "band_options.hpp"
#include "input_files.hpp"

namespace curves {

// Where a column comes from, and its unit in the batch.
struct Origin {
  std::size_t file = 0;
  std::size_t field = 0;
  std::string name{};       // in the batch
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
  // With one row an epoch: what Layout::band_field holds in its rows; none: all rows are its own.
  std::optional<std::string> band_value{};
};

struct Layout {
  std::vector<Origin> objects;  // without the identifier
  std::vector<Curve> curves;
  std::vector<std::string> left_out;   // why columns are not read, for the log
  std::vector<std::string> elsewhere;  // columns of the objects that are in no file
  std::optional<std::size_t> band_field{};
};

// The columns of objects that the user lists; none listed: all.
using Chosen = std::optional<std::vector<std::string>>;

// Of files with arrays of epochs: the light curves that `bands` define, those of the files'
// headers, and those of ZTF and Gaia by their columns' names. Throws RunError for missing columns,
// for two columns of objects with one name, for arrays that are in two files, and if there is no
// light curve.
Layout lay_out_arrays(const std::vector<InputFile>& files, const qsohost::OptionTables<Band>& bands,
                      const Chosen& chosen);

// Whether `bands` name columns of a table with one row an epoch: their times are one value a row.
// Throws RunError if some are and others are not, and if there are several such files.
bool have_epoch_rows(const std::vector<InputFile>& files, const qsohost::OptionTables<Band>& bands);

// Of such a table: the light curves that `bands` define. Objects have the columns that the user
// lists. Throws RunError for missing columns, and for columns of arrays.
Layout lay_out_epoch_rows(const std::vector<InputFile>& files,
                          const qsohost::OptionTables<Band>& bands, const Chosen& chosen);

}  // namespace curves
