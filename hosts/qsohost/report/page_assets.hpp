// The page's own style sheet and script: report/assets/page.css and page.js.
#pragma once

#include <string>

namespace qsohost::cli {

std::string page_style();
std::string page_script();

}  // namespace qsohost::cli
