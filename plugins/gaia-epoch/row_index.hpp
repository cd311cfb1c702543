// Maps a source to the rows of files. Built once and saved in a file, since reading every source_id
// of a large table takes minutes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <qsohost/io/input_table.hpp>

namespace gaia {

// A file of the table: its name, and the position of its column of identifiers.
struct IndexedFile {
  std::string name;
  qsohost::InputTable table;
  std::size_t id;
};

struct Place {
  std::size_t file;
  std::uint64_t row;  // counted from 0
  auto operator<=>(const Place&) const = default;
};

// Uses 16 bytes of memory for each row of the files.
class RowIndex {
 public:
  // Loads the index from the file `kept` if that was built from the same files (names, sizes,
  // modification times, rows), else builds and saves it; an empty `kept` saves nothing. Throws
  // RunError for a row without identifier, naming file and row.
  RowIndex(std::span<IndexedFile> files, const std::filesystem::path& kept);

  bool was_kept() const { return was_kept_; }
  std::size_t rows() const { return entries_.size(); }
  // Appends the places of a source, in the order of files and rows.
  void find(std::int64_t source_id, std::vector<Place>& out) const;

 private:
  struct Entry {
    std::int64_t id;
    std::uint64_t place;  // file in the upper 16 bits, row in the rest
    auto operator<=>(const Entry&) const = default;
  };

  bool load(const std::filesystem::path& kept, const std::string& stamp, std::uint64_t rows);
  void make(std::span<IndexedFile> files);
  void keep(const std::filesystem::path& kept, const std::string& stamp) const;

  std::vector<Entry> entries_;  // sorted
  bool was_kept_ = false;
};

}  // namespace gaia
