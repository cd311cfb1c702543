// The message of an exception that a plugin threw, copied at once: its class may be the plugin's
// own.
#pragma once

#include <string>

namespace qsohost::inline v1 {

// For use in a catch block, for std::exception or any other type.
std::string current_exception_message();

// "spline(double)" for "_Z6splined".
std::string readable_name(const char* symbol);

}  // namespace qsohost::inline v1
