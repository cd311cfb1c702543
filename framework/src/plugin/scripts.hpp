// Scripts: files with stages in another language, see qsohost/script_reader.hpp.
#pragma once

#include <filesystem>
#include <vector>

#include "qsohost/script_reader.hpp"

namespace qsohost::inline v1 {

// A file that is named as a plugin and is no shared object.
bool is_script(const std::filesystem::path& file);

// The reader of scripts with this file's extension, from the first of `folders` that has one.
// Throws UsageError with the reason alone. `allows_insecure`: also one that others can change.
ScriptReader& script_reader_for(const std::filesystem::path& file,
                                const std::vector<std::filesystem::path>& folders,
                                bool allows_insecure);

}  // namespace qsohost::inline v1
