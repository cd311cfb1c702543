// What `qsohost doctor` finds out about IRSA's table of exposures.
#pragma once

#include <qsohost/examination.hpp>

#include <string>

namespace neowise {

// `url`: of the TAP service.
void examine_archive(const std::string& url, qsohost::Examination& archive);

}  // namespace neowise
