// Where in some files the rows of a source are. Made once and kept in a file, since reading every
// source_id of a large table takes minutes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <qsohost/io/fits.hpp>

namespace gaia {

// A file of the table: what it is called, and the position of its column of identifiers.
struct IndexedFile {
  std::string name;
  qsohost::FitsTable table;
  std::size_t id;
};

struct Place {
  std::size_t file;
  std::uint64_t row;  // counted from 0
  auto operator<=>(const Place&) const = default;
};

// 16 bytes a row of the files in memory.
class RowIndex {
 public:
  // Takes the index from the file `kept` if that was made of the same files (names, sizes, times of
  // change, rows), else makes it and keeps it there; an empty `kept` keeps nothing. Throws
  // RunError for a row without identifier, naming file and row.
  RowIndex(std::span<IndexedFile> files, const std::filesystem::path& kept);

  bool was_kept() const { return was_kept_; }
  std::size_t rows() const { return entries_.size(); }
  // Appends the places of a source, in the order of files and rows.
  void find(std::int64_t source_id, std::vector<Place>& out) const;

 private:
  struct Entry {
    std::int64_t id;
    std::uint64_t place;  // file in the upper 16 bits, row in the others
    auto operator<=>(const Entry&) const = default;
  };

  bool load(const std::filesystem::path& kept, const std::string& stamp, std::uint64_t rows);
  void make(std::span<IndexedFile> files);
  void keep(const std::filesystem::path& kept, const std::string& stamp) const;

  std::vector<Entry> entries_;  // sorted
  bool was_kept_ = false;
};

}  // namespace gaia
