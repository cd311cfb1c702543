// Asks IRSA which releases of ZTF it serves, and which columns.
#pragma once

#include <qsohost/examination.hpp>

#include "irsa_request.hpp"

namespace ztf {

// Three requests: the tables of objects, the columns of the chain's one, a light curve.
void examine_irsa(const IrsaSettings& settings, qsohost::Examination& archive);

}  // namespace ztf
