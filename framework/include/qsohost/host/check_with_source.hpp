// For hosts: a chain checked with the columns that its source has.
#pragma once

#include <functional>
#include <string>

#include "qsohost/context.hpp"
#include "qsohost/host/chain.hpp"

namespace qsohost::inline v1 {

// Opens the source, unless it sends requests, and checks the chain again; closes it. Throws
// UsageError, or what the source throws. `log` gets the source's warnings.
QSOHOST_API void check_with_source(Chain& chain,
                                   const std::function<void(LogLevel, const std::string&)>& log);

}  // namespace qsohost::inline v1
