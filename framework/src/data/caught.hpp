// What an exception that a plugin threw says, copied at once: its class may be the plugin's own.
#pragma once

#include <string>

namespace qsohost::inline v1 {

// For use in a catch block, of std::exception or of anything at all.
std::string caught_words();

}  // namespace qsohost::inline v1
