// The columns of the tables of the simulated sky: columns/*.tsv, which are part of the program.
// Names, types and order are those of the archives (SDSS DR16Q data model; Gaia DR3 data model; ZTF
// objects and light curves at IRSA), names in lower case as in a database, units in FITS spelling.
//
// The last field of a line defines what a column holds: `code` (the program knows), the name of the
// axis for columns of arrays, or one of
//   constant V | text T | uniform A B | normal MEAN SIGMA | lognormal MEDIAN DEX | integer A B
//   chance P             true with this probability
//   redshift P           the row's redshift, measured again; with probability 1 - P unknown, -1
//   missing P ...        missing with this probability, else the rule that follows
//   sparse P ...         0 with this probability, else the rule that follows
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "qsohost/column.hpp"

namespace qsohost::skysim {

struct ColumnSpec {
  ColumnInfo info;
  std::string axis;  // of arrays: columns with the same axis have arrays of the same length
  std::string fill;  // of other columns
};

// Throws RunError if the table does not exist.
const std::vector<ColumnSpec>& columns_of(std::string_view table);

struct ColumnList {
  std::string_view name;
  std::string_view text;
};
std::vector<ColumnList> column_lists();

}  // namespace qsohost::skysim
