// Mistakes of a plugin's author in declaring options.
#pragma once

#include <string>

#include "qsohost/option.hpp"

namespace qsohost::inline v1 {

// The error in the options as declared, or "": two of one name, or a default outside its own
// limits. Call before any option is set.
std::string fault_in_options(const OptionOwner& owner);

}  // namespace qsohost::inline v1
