// Rows of epoch_photometry in responses of archives, in each form that has been served:
//
//   arrays        one row a source, the epochs of a column in one cell
//   transits      one row a transit, the three bands side by side
//   long          one row a transit and band (column `band`; until September 2024)
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "answer.hpp"
#include "table_columns.hpp"
#include "text_table.hpp"

namespace gaia {

// "true", "T", "1" and their opposites; none for a missing value. Throws BadObject for others.
std::optional<bool> parse_flag(std::string_view text);

// The rows, one of the block for each source, but for arrays: one for each row. A column that the
// table lacks, other than times, magnitudes, fluxes and their errors, becomes nulls. Without
// transit_id, epochs are sorted by time, for the order of rows in a response is not defined. Throws
// BadObject.
Block to_block(const TextTable& table, const std::vector<Wanted>& wanted);

}  // namespace gaia
