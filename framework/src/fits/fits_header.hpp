// Headers of a file that we write. CFITSIO makes them, in memory, for a table without rows: it
// never sees the data, so it can neither zero-fill a heap that it does not know nor sum data that
// is not there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fits/fits_layout.hpp"
#include "qsohost/io/fits.hpp"

namespace qsohost::inline io_v1 {

struct FitsHeaderText {
  std::string primary;  // whole blocks, sealed: that of an HDU without data
  std::string table;    // to be sealed when the sum of its data is known
};

// Whether a FITS file can hold the text: printable ASCII.
bool is_fits_text(std::string_view text);
// The text with '?' for every other character, be it one of UTF-8 or a single byte.
std::string fits_text(std::string_view text);

// Throws RunError, which names `file`, for column names that a FITS file cannot distinguish, and
// for names and units that are too long for it.
FitsHeaderText make_headers(const std::string& file, const FitsHeader& header,
                            const FitsLayout& layout);

// Sets DATASUM and the matching CHECKSUM.
void seal_header(std::string& header, std::uint32_t data_sum);

}  // namespace qsohost::inline io_v1
