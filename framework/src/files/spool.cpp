#include "files/spool.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "files/opened_file.hpp"
#include "qsohost/error.hpp"
#include "qsohost/system_reason.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr std::size_t kBuffer = std::size_t{1} << 20;

// Calls f(T{}) with the type of a column's values; not for strings.
template <class F>
void with_type(DType dtype, const F& f) {
  switch (dtype) {
    case DType::Bool:
      return f(bool{});
    case DType::I16:
      return f(std::int16_t{});
    case DType::I32:
      return f(std::int32_t{});
    case DType::I64:
      return f(std::int64_t{});
    case DType::F32:
      return f(float{});
    case DType::F64:
      return f(double{});
    case DType::String:
      break;
  }
}

std::vector<std::uint8_t> mask_of(const Column& column) {
  std::vector<std::uint8_t> mask;
  if (!column.has_nulls()) return mask;
  mask.resize(column.size() * column.width());
  for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = column.is_null(i) ? 0 : 1;
  return mask;
}

}  // namespace

Spool::Spool(std::vector<ColumnInfo> columns, std::string name)
    : columns_(std::move(columns)), name_(std::move(name)), fd_(nameless_file(name_)) {}

Spool::~Spool() {
  ::close(fd_);
}

void Spool::flush() {
  write_all(fd_, buffer_, name_);
  buffer_.clear();
}

template <class T>
void Spool::put(std::span<const T> values) {
  const auto bytes = std::as_bytes(values);
  end_ += bytes.size();
  if (buffer_.size() + bytes.size() > kBuffer) flush();
  if (bytes.size() > kBuffer) return write_all(fd_, bytes, name_);
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

Spool::Chunk Spool::append_column(const Cells& cells) {
  const Column& column = cells.values;
  Chunk chunk{end_, cells.lengths.size(), column.size() * column.width(), 0, 0};
  put(std::span(cells.lengths));
  if (column.dtype() == DType::String) {
    const StringArray& strings = column.strings();
    std::vector<std::uint64_t> sizes;
    std::string characters;
    for (std::size_t i = 0; i < strings.size(); ++i) {
      sizes.push_back(strings[i].size());
      characters += strings[i];
    }
    chunk.characters = characters.size();
    put(std::span<const std::uint64_t>(sizes));
    put(std::span<const char>(characters));
  }
  with_type(column.dtype(), [&]<class T>(T) { put(column.values<T>()); });
  const std::vector<std::uint8_t> mask = mask_of(column);
  chunk.mask = mask.size();
  put(std::span(mask));
  return chunk;
}

void Spool::append(const std::vector<Cells>& block) {
  std::vector<Chunk> directory;
  for (const Cells& cells : block) directory.push_back(append_column(cells));
  directories_.push_back(end_);
  put(std::span<const Chunk>(directory));
  flush();
}

void Spool::read_at(std::uint64_t offset, std::span<std::byte> to) const {
  while (!to.empty()) {
    const ssize_t n = ::pread(fd_, to.data(), to.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      throw RunError(fmt::format("{}: its temporary copy cannot be read: {}", name_,
                                 n < 0 ? system_reason(errno) : "it was cut short; run again"));
    }
    offset += static_cast<std::uint64_t>(n);
    to = to.subspan(static_cast<std::size_t>(n));
  }
}

Cells Spool::read_column(Chunk chunk, const ColumnInfo& info) const {
  Cells cells{Column(info), std::vector<std::uint64_t>(chunk.lengths)};
  const auto next = [&](auto to) {
    read_at(chunk.start, std::as_writable_bytes(to));
    chunk.start += to.size_bytes();
  };
  next(std::span(cells.lengths));
  if (info.dtype == DType::String) {
    std::vector<std::uint64_t> sizes(chunk.values);
    std::string characters(chunk.characters, '\0');
    next(std::span(sizes));
    next(std::span(characters));
    std::string_view rest = characters;
    for (const std::uint64_t size : sizes) {
      cells.values.append_string(rest.substr(0, size));
      rest.remove_prefix(size);
    }
  }
  with_type(info.dtype, [&]<class T>(T) {
    cells.values.resize_unfilled(chunk.values / info.width);
    next(cells.values.values<T>());
  });
  std::vector<std::uint8_t> mask(chunk.mask);
  next(std::span(mask));
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] == 0) cells.values.set_null(i);
  }
  return cells;
}

std::vector<Cells> Spool::read(std::uint64_t block, std::span<const std::size_t> columns) const {
  std::vector<Chunk> directory(columns_.size());
  read_at(directories_[block], std::as_writable_bytes(std::span(directory)));
  std::vector<Cells> out;
  for (const std::size_t i : columns) out.push_back(read_column(directory[i], columns_[i]));
  return out;
}

}  // namespace qsohost::inline io_v1
