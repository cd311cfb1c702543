// Headers of a file that we write. CFITSIO makes them, in memory, of a table without rows: it
// never sees the data, and so can neither zero-fill a heap that it does not know of nor sum what is
// not there.
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

// As headers have it: '?' for every character that is not plain ASCII.
std::string fits_header_text(std::string_view text);

// Throws RunError, which names `file`, for column names that are the same in a FITS file, and for
// names and units that are too long for it.
FitsHeaderText make_headers(const std::string& file, const FitsHeader& header,
                            const FitsLayout& layout);

// Puts in DATASUM and the CHECKSUM that goes with it.
void seal_header(std::string& header, std::uint32_t data_sum);

}  // namespace qsohost::inline io_v1
