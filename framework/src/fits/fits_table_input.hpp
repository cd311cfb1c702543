// FITS tables as inputs.
#pragma once

#include <memory>
#include <string_view>

#include "files/opened_file.hpp"
#include "files/table_input.hpp"

namespace qsohost::inline io_v1 {

std::unique_ptr<TableInput> open_fits(OpenedFile file, std::string_view hdu);

}  // namespace qsohost::inline io_v1
