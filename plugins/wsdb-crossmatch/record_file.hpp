// A file of records, each with its length and a checksum of everything up to its end. After a power
// cut a file can be shorter than it was, or have zeros where bytes had not reached the disk; the
// checksums detect both.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace wsdb {

class RecordFile {
 public:
  // Where a record begins.
  struct Place {
    std::uint64_t offset = 0;
    std::uint64_t checksum = 0;  // of all records before it
  };

  // Opens the file for reading and writing, and creates it if missing. "": a temporary file without
  // a name. All failures throw RunError, which names the file.
  explicit RecordFile(const std::filesystem::path& path);
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  std::uint64_t size() const;
  // Reads the record at `place` and advances it. False if there is no intact record.
  bool read(Place& place, std::string& bytes) const;
  void write(Place& place, std::string_view bytes);
  void cut(const Place& place);  // discards the rest
  void sync();                   // flushes to disk

 private:
  [[noreturn]] void throw_error(std::string_view what) const;
  bool read_at(std::uint64_t offset, void* to, std::size_t size) const;

  std::string name_ = "temporary file";
  int file_ = -1;
};

}  // namespace wsdb
