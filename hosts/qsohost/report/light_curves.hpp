// What the page needs once for the light curves, whose data and controls are markup of their
// section (light_curves_section in sections.hpp).
#pragma once

#include <string>

namespace qsohost::cli {

// uPlot and our own script, which starts each panel of the page. No eval, no request.
std::string light_curves_script();
std::string light_curves_style();
// Of what the script holds that is not ours: text, to be escaped.
std::string licences();

}  // namespace qsohost::cli
