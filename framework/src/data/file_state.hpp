// What a file holds, as a text to be compared.
#pragma once

#include <filesystem>
#include <string>

namespace qsohost::inline v1 {

// Size and digest of the content; of a file larger than 256 MiB the digest is of its first and last
// MiB and, for kWithTime, the time of its last change is told too. "not there" for what is no file
// or cannot be read.
enum class FileTime : bool { kLeftOut, kWithTime };
std::string file_state(const std::filesystem::path& file, FileTime time);

}  // namespace qsohost::inline v1
