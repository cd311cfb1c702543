// VOTables as inputs.
#pragma once

#include <memory>
#include <string_view>

#include "files/opened_file.hpp"
#include "files/table_input.hpp"

namespace qsohost::inline io_v1 {

// `hdu`: name, ID or number (from 1) of the TABLE; empty: the first.
std::unique_ptr<TableInput> open_votable(OpenedFile file, std::string_view hdu);

}  // namespace qsohost::inline io_v1
