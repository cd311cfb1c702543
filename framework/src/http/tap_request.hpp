// What is sent to a TAP service.
#pragma once

#include <string>

#include "qsohost/tap.hpp"

namespace qsohost::inline v1 {

// Creates the job, and has it run; or asks for an answer at once.
Request tap_request(const TapQuery& query);

// A form of one parameter, POSTed.
Request tap_form(std::string url, const std::string& name, const std::string& value);

}  // namespace qsohost::inline v1
