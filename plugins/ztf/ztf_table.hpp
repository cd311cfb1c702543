// Responses of the archive that were saved as files, in any form that InputTable reads.
#pragma once

#include <filesystem>
#include <vector>

#include "ztf_answer.hpp"

namespace ztf {

// The light curves of all tables of the file, as parse_answer() gives them. Throws TryAgain if it
// cannot be read as a table, BadObject for malformed rows and missing columns.
std::vector<Curve> read_answer(const std::filesystem::path& file);

}  // namespace ztf
