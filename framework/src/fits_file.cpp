#include "fits_file.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace {

std::string error_text(int status) {
  std::array<char, FLEN_ERRMSG> text{};
  fits_get_errstatus(status, text.data());
  std::string all = fmt::format("{} (CFITSIO {})", text.data(), status);
  while (fits_read_errmsg(text.data()) != 0) all += fmt::format("; {}", text.data());
  return all;
}

// What the system says when CFITSIO only says that it could not.
std::string advice(int status, int system_error) {
  if (status != WRITE_ERROR && status != FILE_NOT_OPENED && status != FILE_NOT_CREATED &&
      status != FILE_NOT_CLOSED) {
    return "";
  }
  return system_error == 0 ? "" : fmt::format("; the system says: {}", std::strerror(system_error));
}

}  // namespace

FitsFile FitsFile::create(const std::filesystem::path& file) {
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  fitsfile* handle = nullptr;
  int status = 0;
  errno = 0;
  fits_create_diskfile(&handle, file.c_str(), &status);
  const int system_error = errno;
  if (status != 0) {
    throw ChainError(fmt::format("{}: cannot be created: {}{}", file.string(), error_text(status),
                                 advice(status, system_error)));
  }
  return {handle, file.string()};
}

FitsFile::FitsFile(FitsFile&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), name_(std::move(other.name_)) {}

FitsFile::~FitsFile() {
  if (handle_ == nullptr) return;
  int status = 0;
  fits_close_file(handle_, &status);
  if (status != 0) fits_clear_errmsg();
}

void FitsFile::close() {
  int status = 0;
  errno = 0;
  fits_close_file(std::exchange(handle_, nullptr), &status);
  check(status, "closing it");
}

void FitsFile::check(int status, std::string_view doing) const {
  const int system_error = errno;
  if (status == 0) return;
  throw ChainError(fmt::format("{}: {} failed: {}{}", name_, doing, error_text(status),
                               advice(status, system_error)));
}

void FitsFile::fail(std::string_view what) const {
  throw ChainError(fmt::format("{}: {}", name_, what));
}

FitsFile::Extent FitsFile::extent() const {
  LONGLONG header = 0;
  LONGLONG data = 0;
  LONGLONG end = 0;
  int status = 0;
  fits_get_hduaddrll(handle_, &header, &data, &end, &status);
  check(status, "finding the table's place in the file");
  return {header, data, end};
}

}  // namespace qsohost::inline v1
