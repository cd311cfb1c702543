// Two runs compared: which objects both have, what their chains do otherwise, and how their fits of
// the same light curves differ.
#pragma once

#include "report/run_products.hpp"
#include "report/section.hpp"

namespace qsohost::cli {

Section differences_section(const RunProducts& a, const RunProducts& b);

}  // namespace qsohost::cli
