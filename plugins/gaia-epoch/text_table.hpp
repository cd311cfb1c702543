// Tables of responses as texts, whatever their form.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gaia {

// Nulls are "", arrays "[1, 2]".
struct TextTable {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::map<std::string, std::string> keywords;  // release and source_id, if the table has them
};

// CSV, or any table that InputTable reads: VOTables, also binary; FITS; ECSV. Throws TryAgain if
// the text was cut or is an error message, BadObject if it is malformed.
TextTable read_table(std::string_view text);

}  // namespace gaia
