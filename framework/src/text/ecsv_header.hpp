// The header of an ECSV table: YAML behind '#', which declares the separator and the columns.
// https://github.com/astropy/astropy-APEs/blob/main/APE6.rst
#pragma once

#include <memory>
#include <string_view>

#include "text/text_rows.hpp"

namespace qsohost::inline io_v1 {

// Throws BadObject for a malformed header, and if the line of names does not agree with it.
std::unique_ptr<LineReader> read_ecsv(std::string_view text, char line_end);

}  // namespace qsohost::inline io_v1
