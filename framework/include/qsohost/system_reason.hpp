// What the operating system says of a call that failed, for messages.
#pragma once

#include <string>

#include "qsohost/api.hpp"

namespace qsohost::inline v1 {

// `error` is a value of errno, or of a std::error_code of the system:
// "No space left on device; free some space, or choose another place".
QSOHOST_API std::string system_reason(int error);

}  // namespace qsohost::inline v1
