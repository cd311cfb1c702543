// CSV and its relatives, ECSV and IPAC tables as inputs.
#pragma once

#include <memory>

#include "files/opened_file.hpp"
#include "files/table_input.hpp"

namespace qsohost::inline io_v1 {

// A first pass finds the types that the header does not declare, and checks those that it does.
// Throws RunError, which names file and line, if the file is no table.
std::unique_ptr<TableInput> open_text(OpenedFile file);

}  // namespace qsohost::inline io_v1
