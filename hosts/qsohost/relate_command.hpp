// `qsohost relate`: fits, and what it shows and writes of them.
#pragma once

#include <string>

#include "relate_arguments.hpp"

namespace qsohost::cli {

std::string relation_text(const Relation& relation);

int relate_fits(const RelateArguments& arguments);

}  // namespace qsohost::cli
