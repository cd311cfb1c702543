// What the columns of a table may be, judged by names, units and types; a suggestion for the user.
#pragma once

#include <string>
#include <vector>

#include "describe/table_summary.hpp"

namespace qsohost::cli {

// The columns of a light curve, by name.
struct SuspectedBand {
  std::string band;  // "g"; "" if it is not known
  std::string time;
  std::string mag;
  std::string mag_err;
  std::string flux;  // where there is no magnitude
  std::string flux_err;
};

struct Suspected {
  std::string id;
  std::string ra;
  std::string dec;
  std::vector<SuspectedBand> bands;
  std::string band_column;  // of a table with one row an epoch
  bool is_row_per_epoch = false;
};

Suspected suspect(const TableSummary& table);

// The role of one column: "id", "time of g", ...; "" if there is none.
std::string role_of(const Suspected& suspected, const std::string& column);

// An entry for a chain file that reads the table; "" if it has no identifiers.
std::string chain_entry(const TableSummary& table, const Suspected& suspected);

}  // namespace qsohost::cli
