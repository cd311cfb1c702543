// The light curves neowise.w1 and neowise.w2 in a batch.
#pragma once

#include <qsohost/batch.hpp>
#include <qsohost/port.hpp>

#include <string>
#include <vector>

#include "neowise_answer.hpp"

namespace neowise {

void declare_columns(qsohost::Ports& ports);

// Appends the exposures inside the radius (arcsec) of a target for the row that is being filled, by
// time. A band that is null in an exposure has no epoch there. Returns what was found in a few
// words; throws NotFound if that is nothing.
std::string add_curves(const std::vector<Exposure>& exposures, double ra, double dec,
                       double radius_arcsec, qsohost::Batch& batch);

}  // namespace neowise
