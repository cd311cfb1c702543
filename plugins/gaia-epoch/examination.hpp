// Asks a public archive which releases of Gaia it serves, and which columns its epochs have.
#pragma once

#include <qsohost/examination.hpp>

#include "remote.hpp"

namespace gaia {

// Some four requests; DataLink is asked for two sources.
void examine(const RemoteSettings& settings, qsohost::Examination& archive);

}  // namespace gaia
