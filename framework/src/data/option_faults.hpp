// Mistakes of a plugin's author in declaring options.
#pragma once

#include <string>

#include "qsohost/option.hpp"

namespace qsohost::inline v1 {

// What is wrong with the options as they are declared, or "": two of one name, or a default that
// its own limits refuse. To be asked before any option is set.
std::string fault_in_options(const OptionOwner& owner);

}  // namespace qsohost::inline v1
