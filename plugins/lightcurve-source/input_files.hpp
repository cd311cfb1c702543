// The files of light curves.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <qsohost/io/input_table.hpp>

namespace curves {

struct InputFile {
  std::string name;
  qsohost::InputTable table;
  std::size_t id;  // position of its identifiers
};

// See InputTable for `hdu`.
std::vector<InputFile> open_files(const std::vector<std::filesystem::path>& paths,
                                  const std::string& hdu, const std::string& id);

// Throws RunError unless row i is the same object in each file, and every object is there once; it
// names file and row. `advice`: what to do with an object that is there twice.
void require_aligned(std::vector<InputFile>& files, std::string_view advice);

bool holds_epochs(const qsohost::InputColumn& column);  // arrays, or a fixed number of values a row

}  // namespace curves
