// The page's own style sheet and script.
#pragma once

#include <string_view>

namespace qsohost::cli {

extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;

}  // namespace qsohost::cli
