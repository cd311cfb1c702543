// `qsohost list`: all usable stages, and the refused plugins with the reasons.
#pragma once

#include <string>

#include "qsohost/host/loader.hpp"

namespace qsohost::cli {

std::string list_as_text(const Plugins& plugins);
std::string list_as_json(const Plugins& plugins);

// "FILE: refused: reason", with further lines of the reason indented.
std::string refusal_text(const Refusal& refusal);

}  // namespace qsohost::cli
