// Writes a table again with its rows in another order.
#pragma once

#include <filesystem>

#include "qsohost/io/fits.hpp"

namespace qsohost::inline io_v1 {

// `unsorted`: a table that we have written. See merge_fits_tables().
void sort_table(const std::filesystem::path& unsorted, const std::filesystem::path& destination,
                const FitsHeader& header, const FitsOrder& order);

}  // namespace qsohost::inline io_v1
