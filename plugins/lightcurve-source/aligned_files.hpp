// FITS tables in which row i is the same object in each.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <qsohost/io/input_table.hpp>

namespace curves {

struct InputFile {
  std::string name;
  qsohost::InputTable table;
  std::size_t id;  // position of its identifiers
};

// Opens the files (see FitsTable for `hdu`) and compares their identifiers row by row: a difference
// is a RunError that names file and row. Objects must be unique.
std::vector<InputFile> open_aligned(const std::vector<std::filesystem::path>& paths,
                                    const std::string& hdu, const std::string& id);

}  // namespace curves
