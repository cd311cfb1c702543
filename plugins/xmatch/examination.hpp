// Asks the CDS for the columns of the right table, and a TAP service for those of Gaia.
#pragma once

#include <qsohost/examination.hpp>

#include "gaia_columns.hpp"
#include "match_block.hpp"

namespace xmatch {

// A job with one position; then one query about `gaia`, unless it has no columns. `id`: the right
// table's column of identifiers.
void examine(const Service& service, const std::string& id, const GaiaTable& gaia,
             qsohost::Examination& archive);

}  // namespace xmatch
