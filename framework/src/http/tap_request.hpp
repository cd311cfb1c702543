// Requests to a TAP service.
#pragma once

#include <string>

#include "qsohost/tap.hpp"

namespace qsohost::inline v1 {

// Creates the job and starts it; or runs a synchronous query.
Request tap_request(const TapQuery& query);

// POSTs a form of one parameter.
Request tap_form(std::string url, const std::string& name, const std::string& value);

}  // namespace qsohost::inline v1
