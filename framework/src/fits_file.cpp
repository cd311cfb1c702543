#include "fits_file.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "qsohost/error.hpp"
#include "qsohost/fits.hpp"

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

// CFITSIO unpacks a gzipped file into as much memory as its last four bytes ask for.
void check_gzip(const std::filesystem::path& file) {
  constexpr std::uint64_t kMostRatio = 1032;  // that deflate can reach
  std::ifstream in(file, std::ios::binary);
  std::array<char, 2> start{};
  in.read(start.data(), start.size());
  if (!in || start[0] != '\x1f' || start[1] != '\x8b') return;
  std::array<unsigned char, 4> end{};
  in.seekg(-4, std::ios::end);
  const auto packed = static_cast<std::uint64_t>(in.tellg()) + end.size();
  in.read(reinterpret_cast<char*>(end.data()), end.size());
  const std::uint64_t unpacked = end[0] | end[1] << 8 | end[2] << 16 | std::uint64_t{end[3]} << 24;
  if (in && unpacked <= kMostRatio * packed) return;
  throw ChainError(fmt::format("{}: is gzipped, but damaged or cut short: unpack it with gunzip",
                               file.string()));
}

}  // namespace

FitsFile FitsFile::open(const std::filesystem::path& file) {
  const std::string name = file.string();
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    throw ChainError(fmt::format("{}: there is no such file", name));
  }
  if (std::filesystem::is_directory(file, ignored)) {
    throw ChainError(fmt::format("{}: is a folder, not a FITS file", name));
  }
  check_gzip(file);
  fitsfile* handle = nullptr;
  int status = 0;
  errno = 0;
  fits_open_diskfile(&handle, name.c_str(), READONLY, &status);
  const int system_error = errno;
  if (status != 0) {
    throw ChainError(fmt::format("{}: cannot be opened as FITS: {}{}", name, error_text(status),
                                 advice(status, system_error)));
  }
  return {handle, name};
}

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

bool looks_like_fits(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::array<char, 9> start{};
  in.read(start.data(), start.size());
  const std::string_view text(start.data(), static_cast<std::size_t>(in.gcount()));
  return text == "SIMPLE  =" || text.starts_with("\x1f\x8b");
}

}  // namespace qsohost::inline v1
