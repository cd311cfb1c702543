#include <fmt/format.h>

#include "postgres/libpq.hpp"
#include "qsohost/error.hpp"
#include "qsohost/postgres.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr std::size_t kAtOnce = std::size_t{256} << 10;
constexpr std::string_view kHeader("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);

template <class T>
void put_number(std::string& out, T value) {
  for (int shift = 8 * (sizeof(T) - 1); shift >= 0; shift -= 8) {
    out += static_cast<char>((static_cast<std::uint64_t>(value) >> shift) & 0xff);
  }
}

}  // namespace

PgCopyOut::PgCopyOut(PgConnection& connection, const std::string& query) : connection_(connection) {
  connection_.send(fmt::format("COPY ({}) TO STDOUT (FORMAT binary)", query), {});
}

bool PgCopyOut::next(std::string& buffer) {
  PGconn* const c = connection_.connection_.get();
  const std::size_t before = buffer.size();
  while (buffer.size() - before < kAtOnce) {
    char* bytes = nullptr;
    const int n = PQgetCopyData(c, &bytes, 1);
    const std::unique_ptr<char, PqRelease<PQfreemem>> owner(bytes);
    if (n > 0) {
      buffer.append(bytes, static_cast<std::size_t>(n));
    } else if (n == 0) {
      if (buffer.size() > before) return true;
      connection_.wait(false);
      if (PQconsumeInput(c) == 0) connection_.fail();
    } else {
      // The end, or what went wrong; either stays so when asked again.
      if (buffer.size() > before) return true;
      while (connection_.next_result() != nullptr) {
      }
      return false;
    }
  }
  return true;
}

PgCopyIn::PgCopyIn(PgConnection& connection, const std::string& table_and_columns)
    : connection_(connection), buffer_(kHeader) {
  connection_.send(fmt::format("COPY {} FROM STDIN (FORMAT binary)", table_and_columns), {});
}

void PgCopyIn::begin_row(std::int16_t fields) {
  if (buffer_.size() > kAtOnce) flush();
  put_number(buffer_, fields);
}

void PgCopyIn::put(std::int64_t value) {
  put_number(buffer_, std::int32_t{sizeof value});
  put_number(buffer_, value);
}

void PgCopyIn::put(std::string_view value) {
  put_number(buffer_, static_cast<std::int32_t>(value.size()));
  buffer_ += value;
}

void PgCopyIn::flush() {
  connection_.check_stop();
  PGconn* const c = connection_.connection_.get();
  if (PQputCopyData(c, buffer_.data(), static_cast<int>(buffer_.size())) != 1) {
    connection_.fail();
  }
  connection_.flush();  // so that libpq's own buffer does not grow
  buffer_.clear();
}

void PgCopyIn::finish() {
  put_number(buffer_, std::int16_t{-1});
  flush();
  PGconn* const c = connection_.connection_.get();
  if (PQputCopyEnd(c, nullptr) != 1) connection_.fail();
  connection_.flush();
  while (connection_.next_result() != nullptr) {
  }
}

}  // namespace qsohost::inline v1
