// Asks IRSA for the columns of NEOWISE's table.
#pragma once

#include <string>

#include <qsohost/examination.hpp>

namespace neowise {

// One request. `url`: of the TAP service.
void examine(const std::string& url, qsohost::Examination& archive);

}  // namespace neowise
