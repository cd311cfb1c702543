// FITS tables with names that our writer refuses, but others write.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

// Names of at most 8 characters, which stand in a header in quotes and padded.
inline void rename_column(const std::filesystem::path& file, std::string from, std::string to) {
  const auto card = [](std::string& name) {
    name.resize(8, ' ');
    name = "'" + name + "'";
  };
  card(from);
  card(to);
  std::ifstream in(file, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  bytes.replace(bytes.find(from), from.size(), to);
  std::ofstream(file, std::ios::binary) << bytes;
}
