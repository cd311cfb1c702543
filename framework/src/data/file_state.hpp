// The state of a file, as a text to compare.
#pragma once

#include <filesystem>
#include <string>

namespace qsohost::inline v1 {

// Size and digest of the content; of a file larger than 256 MiB the digest is of its first and last
// MiB and, for kWithTime, its modification time is included. "not there" if it is not a file or
// cannot be read.
enum class FileTime : bool { kLeftOut, kWithTime };
std::string file_state(const std::filesystem::path& file, FileTime time);

}  // namespace qsohost::inline v1
