// Text files that the program reads and writes.
#pragma once

#include <filesystem>
#include <string>

namespace qsohost::cli {

// Under a temporary name first, so that nobody meets half of it. Throws RunError that names it.
void write_text_file(const std::filesystem::path& file, const std::string& text);
// "" if there is none.
std::string read_text_file(const std::filesystem::path& file);

}  // namespace qsohost::cli
