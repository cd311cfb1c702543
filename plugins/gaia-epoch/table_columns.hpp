// The columns of Gaia's table epoch_photometry (DR3 data model, 48 columns), and their places in a
// batch.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <qsohost/column.hpp>
#include <qsohost/port.hpp>

namespace gaia {

// One column of the table and its place in a batch. Arrays have one element for each transit; nulls
// of floats become NaN.
struct TableColumn {
  std::string name;
  qsohost::DType dtype;  // in a batch; bool: a flag
  std::string unit;
  std::string help;
  bool is_array;
  std::string group;   // "" for one value per object
  std::string column;  // its name in the group
  bool in_product;     // see Port::in_product
};

// Names of the columns that are in a batch only on request.
std::vector<std::string> extra_columns();

// True for times, magnitudes, fluxes and their errors: without them there is no light curve.
bool is_measured(const TableColumn& column);

// A column of the table and its group in the batch: its own, or kNowhere.
struct Wanted {
  TableColumn table;
  std::string group;
};

// The columns of the product, in its order, and the extra ones. Merging rows needs transit_id to
// distinguish epochs: then it is last; unless it is also among the extra ones, its group is
// kNowhere.
std::vector<Wanted> wanted_columns(const std::vector<std::string>& extra, bool is_merging = true);
inline constexpr const char* kNowhere = "-";

// Declares groups and the columns of `wanted`, with mag_err and epoch_id in each group.
void declare_columns(const std::vector<Wanted>& wanted, qsohost::Ports& ports);

// A column as found in an archive.
struct Found {
  std::string name;
  qsohost::DType dtype;
  bool is_array;
  std::string problem;  // why it cannot be read; empty if it can
};

// Positions of source_id and of the wanted columns, in that order, by their names in any release
// (column_roles.hpp). Floats may be f32
// or f64, flags bool or integers, n_transits and n_obs integers. Throws RunError, beginning with
// `place`, that names what is missing or of a wrong type.
std::vector<std::size_t> match_columns(const std::string& place, std::span<const Found> found,
                                       const std::vector<Wanted>& wanted);

}  // namespace gaia
