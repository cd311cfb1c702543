// A file of records, each with its length and a checksum of everything up to its end. After a power
// cut a file can be shorter than it was, or hold zeros where bytes had not reached the disk yet;
// here what was written is told from that.
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

  // Opened for reading and writing, and made if it is not there. "": a temporary file without a
  // name. All that fails throws RunError, which names the file.
  explicit RecordFile(const std::filesystem::path& path);
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  std::uint64_t size() const;
  // The record at `place`, which moves on. False if there is none that is as it was written.
  bool read(Place& place, std::string& bytes) const;
  void write(Place& place, std::string_view bytes);
  void cut(const Place& place);  // what follows is gone
  void sync();                   // what was written is on disk

 private:
  [[noreturn]] void throw_error(std::string_view what) const;
  bool read_at(std::uint64_t offset, void* to, std::size_t size) const;

  std::string name_ = "temporary file";
  int file_ = -1;
};

}  // namespace wsdb
