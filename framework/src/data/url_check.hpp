// What an option of type Url takes.
#pragma once

#include <string>

namespace qsohost::inline v1 {

// Throws UsageError with what is wrong. A user name or a password is never in its message.
void check_url(const std::string& text);

}  // namespace qsohost::inline v1
