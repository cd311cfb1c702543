// Values that an option of type Url accepts.
#pragma once

#include <string>

namespace qsohost::inline v1 {

// Throws UsageError, whose message never contains a user name or a password.
void check_url(const std::string& text);

}  // namespace qsohost::inline v1
