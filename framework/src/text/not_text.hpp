// Files that are no text, or in another encoding than can be read.
#pragma once

#include "files/opened_file.hpp"

namespace qsohost::inline io_v1 {

// Looks at the first bytes. Throws RunError, which says what the file is and what to do.
void refuse_what_is_no_text(const OpenedFile& file);
// The same if there is a zero byte in `text`, the file's, behind the byte `begin`.
void refuse_zero_byte(const OpenedFile& file, std::string_view text, std::size_t begin = 0);

}  // namespace qsohost::inline io_v1
