// The handle of CFITSIO as an object, and its errors as ours; for files that we write.
#pragma once

#include <fitsio.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace qsohost::inline v1 {

class FitsFile {
 public:
  static FitsFile create(const std::filesystem::path& file);  // replaces a file of that name
  ~FitsFile();
  FitsFile(FitsFile&& other) noexcept;
  FitsFile& operator=(FitsFile&&) = delete;

  fitsfile* get() const { return handle_; }
  const std::string& name() const { return name_; }
  void close();  // what could not be written shows here

  // Throws ChainError with CFITSIO's own words unless `status` is 0.
  void check(int status, std::string_view doing) const;
  [[noreturn]] void fail(std::string_view what) const;

  // Byte addresses of the current HDU.
  struct Extent {
    std::int64_t header = 0;
    std::int64_t data = 0;
    std::int64_t end = 0;
  };
  Extent extent() const;

 private:
  FitsFile(fitsfile* handle, std::string name) : handle_(handle), name_(std::move(name)) {}
  fitsfile* handle_;
  std::string name_;
};

}  // namespace qsohost::inline v1
