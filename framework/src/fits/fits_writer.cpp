#include "fits/fits_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "fits/fits_block.hpp"
#include "fits/fits_cards.hpp"
#include "qsohost/error.hpp"
#include "qsohost/system_reason.hpp"

namespace qsohost::inline io_v1 {

FitsOutput::FitsOutput(const std::filesystem::path& file) : name_(file.string()) {
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  fd_ = ::open(name_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd_ < 0) fail("cannot be created");
  write_behind_.emplace(fd_);
}

FitsOutput::~FitsOutput() {
  write_behind_.reset();
  if (fd_ >= 0) ::close(fd_);
}

void FitsOutput::fail(std::string_view what) const {
  const int error = errno;
  throw RunError(fmt::format("{}: {}: {}", name_, what, system_reason(error)));
}

void FitsOutput::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(fmt::format("cannot be written at byte {}", offset));
    offset += static_cast<std::uint64_t>(n);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    write_behind_->wrote(static_cast<std::uint64_t>(n));
  }
}

void FitsOutput::close() {
  write_behind_.reset();
  if (::close(std::exchange(fd_, -1)) != 0) fail("cannot be written");
}

FitsWriter::FitsWriter(const std::filesystem::path& file, const FitsHeader& header,
                       const FitsLayout& layout)
    : file_(file),
      headers_(make_headers(file.string(), header, layout)),
      row_bytes_(layout.row_bytes),
      heap_start_(layout.heap_start),
      data_start_(headers_.primary.size() + headers_.table.size()),
      data_bytes_(layout.heap_start + layout.heap_bytes) {}

void FitsWriter::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  file_.write(data_start_ + offset, bytes);
  FitsSum sum;
  sum.add(bytes, offset);
  const std::lock_guard lock(sum_mutex_);
  sum_.add(sum.value());
}

void FitsWriter::write_rows(std::uint64_t first, std::span<const std::byte> bytes) {
  write(first * row_bytes_, bytes);
}

void FitsWriter::write_heap(std::uint64_t offset, std::span<const std::byte> bytes) {
  write(heap_start_ + offset, bytes);
}

// The headers are written last, so that an unfinished file is not mistaken for a finished one.
void FitsWriter::finish() {
  constexpr std::array<std::byte, kFitsBlock> zeros{};
  const std::uint64_t odd = data_bytes_ % kFitsBlock;
  if (odd > 0) write(data_bytes_, std::span(zeros).first(kFitsBlock - odd));
  seal_header(headers_.table, sum_.value());
  const std::string text = headers_.primary + headers_.table;
  file_.write(0, std::as_bytes(std::span(text)));
  file_.close();
}

namespace {

std::uint32_t sum_of(const OpenedFile& file, std::uint64_t begin, std::uint64_t end) {
  constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;
  FitsSum sum;
  std::vector<std::byte> buffer(std::min(kPiece, end - begin));
  for (std::uint64_t at = begin; at < end; at += buffer.size()) {
    const auto piece = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), end - at));
    file.read(at, piece);
    sum.add(piece, at - begin);
  }
  return sum.value();
}

}  // namespace

void verify_fits(const std::filesystem::path& path) {
  const OpenedFile file(path, require_fits);
  int number = 1;
  for (auto hdu = std::optional(first_hdu(file)); hdu; hdu = next_hdu(file, *hdu), ++number) {
    if (!hdu->cards.has("DATASUM") || !hdu->cards.has("CHECKSUM")) {
      file.fail(fmt::format(
          "HDU {} has no checksum to compare with; it must be one that qsohost wrote", number));
    }
    if (hdu->end > file.size())
      file.fail(fmt::format("is cut short in HDU {}; make it again", number));
    FitsSum whole;
    const std::uint32_t data = sum_of(file, hdu->data, hdu->end);
    whole.add(data);
    whole.add(sum_of(file, hdu->header, hdu->data));
    if (std::to_string(data) == hdu->cards.text("DATASUM") && whole.value() == 0xffffffffu) {
      continue;
    }
    file.fail(
        fmt::format("HDU {} does not have the checksum that its header gives: what is on the disk "
                    "is not what was written; remove the file and run again",
                    number));
  }
}

}  // namespace qsohost::inline io_v1
