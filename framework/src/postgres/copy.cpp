#include <fmt/format.h>

#include <array>

#include "base/big_endian.hpp"
#include "postgres/copy_stream.hpp"
#include "qsohost/error.hpp"
#include "qsohost/postgres.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr std::size_t kAtOnce = std::size_t{256} << 10;
constexpr std::string_view kHeader("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);

template <class T>
void append_number(std::string& out, T value) {
  std::array<char, sizeof value> bytes{};
  store_be(bytes.data(), value);
  out.append(bytes.data(), bytes.size());
}

void append_length(std::string& out, std::size_t length) {
  append_number(out, static_cast<std::int32_t>(length));
}

// pg_type.oid, the same in every database.
std::int32_t type_number(DType dtype) {
  switch (dtype) {
    case DType::Bool:
      return 16;
    case DType::I16:
      return 21;
    case DType::I32:
      return 23;
    case DType::I64:
      return 20;
    case DType::F32:
      return 700;
    case DType::F64:
      return 701;
    case DType::String:
      break;
  }
  return 25;
}

}  // namespace

PgCopyOut::PgCopyOut(PgTransaction& transaction, const std::string& query)
    : stream_(std::make_unique<PgCopyStream>(
          transaction.session(), fmt::format("COPY ({}) TO STDOUT (FORMAT binary)", query))) {}

PgCopyOut::~PgCopyOut() = default;

bool PgCopyOut::next(std::string& buffer) {
  return stream_->get(buffer, kAtOnce);
}

PgCopyIn::PgCopyIn(PgTransaction& transaction, const std::string& table_and_columns)
    : stream_(std::make_unique<PgCopyStream>(
          transaction.session(),
          fmt::format("COPY {} FROM STDIN (FORMAT binary)", table_and_columns))),
      buffer_(kHeader) {}

PgCopyIn::~PgCopyIn() = default;

void PgCopyIn::begin_row(std::int16_t fields) {
  if (buffer_.size() > kAtOnce) flush();
  append_number(buffer_, fields);
}

template <PgNumber T>
void PgCopyIn::put(T value) {
  append_length(buffer_, sizeof(T));
  if constexpr (std::is_same_v<T, bool>) {
    buffer_ += static_cast<char>(value);
  } else {
    append_number(buffer_, value);
  }
}

template void PgCopyIn::put(bool);
template void PgCopyIn::put(std::int16_t);
template void PgCopyIn::put(std::int32_t);
template void PgCopyIn::put(std::int64_t);
template void PgCopyIn::put(float);
template void PgCopyIn::put(double);

void PgCopyIn::put(std::string_view value) {
  append_length(buffer_, value.size());
  buffer_ += value;
}

void PgCopyIn::put_null() {
  append_number(buffer_, std::int32_t{-1});
}

// Length of the field, which end_array() fills in; number of dimensions, NULL flag (the server
// checks itself), type; length and first index of the one dimension.
void PgCopyIn::begin_array(DType element, std::size_t size) {
  array_ = buffer_.size();
  for (const std::int32_t number :
       {0, 1, 0, type_number(element), static_cast<std::int32_t>(size), 1}) {
    append_number(buffer_, number);
  }
}

void PgCopyIn::end_array() {
  const std::size_t length = buffer_.size() - array_ - sizeof(std::int32_t);
  store_be(buffer_.data() + array_, static_cast<std::int32_t>(length));
}

void PgCopyIn::flush() {
  stream_->put(buffer_);
  buffer_.clear();
}

void PgCopyIn::finish() {
  append_number(buffer_, std::int16_t{-1});
  flush();
  stream_->put_end();
}

}  // namespace qsohost::inline v1
