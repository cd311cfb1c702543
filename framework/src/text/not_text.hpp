// Files that are no text, or in another encoding than can be read.
#pragma once

#include "files/opened_file.hpp"

namespace qsohost::inline io_v1 {

// Throws RunError, which says what the file is and what to do.
void refuse_what_is_no_text(const OpenedFile& file);

}  // namespace qsohost::inline io_v1
