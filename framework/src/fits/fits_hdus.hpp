// Which HDUs of a file are tables, and which of them is meant.
#pragma once

#include <string_view>
#include <vector>

#include "fits/fits_cards.hpp"
#include "qsohost/io/cells.hpp"

namespace qsohost::inline io_v1 {

bool is_text_table(const FitsCards& cards);  // else, if it is a table, a binary one

// The first table of the file, or the HDU with this name (case does not count) or number (the
// primary is 0), which is stored in `number`. Throws RunError, which lists the HDUs, if it is not
// there or no table, and if the table is a compressed one.
FitsHdu find_table(const OpenedFile& file, std::string_view wanted, int& number);

// The other tables of the file than that in HDU `number`, as far as they can be read.
std::vector<OtherTable> tables_besides(const OpenedFile& file, int number);

}  // namespace qsohost::inline io_v1
