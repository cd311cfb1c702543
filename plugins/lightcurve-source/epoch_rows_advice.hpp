// What to write into a chain for a table that turns out to have one row an epoch.
#pragma once

#include <string>

#include "input_files.hpp"

namespace curves {

// For an identifier that is there twice: an example of [[stage.band]] made of the table's columns.
// A table with arrays has no rows of epochs, and other advice.
std::string repeated_id_advice(InputFile& file);

}  // namespace curves
