// For hosts: text that may be shown on a terminal or written to a log.
#pragma once

#include <string>
#include <string_view>

#include "qsohost/api.hpp"

namespace qsohost::inline v1 {

// Identifiers, file names and the words of servers may hold anything, such as escape sequences that
// change what a terminal shows or does. Here every control character but line end and tab, every
// character that changes the direction of text, and the line separators of Unicode become
// "\u001b"; a byte that is not UTF-8 becomes "\xff". JSON stays JSON of the same meaning. Any
// thread.
QSOHOST_API std::string printable(std::string_view text);

}  // namespace qsohost::inline v1
