// CSV and its relatives, IPAC tables and ECSV as inputs.
#pragma once

#include <memory>

#include "files/opened_file.hpp"
#include "files/table_input.hpp"

namespace qsohost::inline io_v1 {

std::unique_ptr<TableInput> open_text(OpenedFile file);

}  // namespace qsohost::inline io_v1
