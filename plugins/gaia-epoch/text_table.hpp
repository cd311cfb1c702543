// Tables of responses as texts, whatever their form.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <qsohost/io/input_table.hpp>

namespace gaia {

// Nulls are "", arrays "[1, 2]".
struct TextTable {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::map<std::string, std::string> keywords;  // release and source_id, if the table has them
};

// These rows of a table (counted from 0), of all columns that can be read.
TextTable rows_of(qsohost::InputTable& input, std::span<const std::uint64_t> rows);

// CSV, or any table that InputTable reads: VOTables, also binary; FITS; ECSV. Throws TryAgain if
// the text was cut or is an error message, BadObject if it is malformed.
TextTable read_table(std::string_view text);

}  // namespace gaia
