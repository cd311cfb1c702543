// One COPY, in either direction: uses libpq, since libpqxx has no binary COPY, on the connection
// and in the transaction of libpqxx.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "postgres/libpq.hpp"
#include "postgres/session.hpp"

namespace qsohost::inline v1 {

class PgCopyStream {
 public:
  // Sends the statement, and returns when the server is ready for data.
  PgCopyStream(std::shared_ptr<PgSession> session, const std::string& sql);
  // Cancels an unfinished COPY and discards its data, or cuts the connection. Within a second and a
  // half.
  ~PgCopyStream();
  PgCopyStream(const PgCopyStream&) = delete;
  PgCopyStream& operator=(const PgCopyStream&) = delete;

  // Appends received data, at least a row and up to `most` bytes or a row more. False at the end.
  bool get(std::string& buffer, std::size_t most);
  void put(const std::string& bytes);
  void put_end();

 private:
  using Clock = std::chrono::steady_clock;
  using Result = std::unique_ptr<PGresult, PqRelease<PQclear>>;
  bool poll_socket(bool for_writing) const noexcept;
  void wait(bool for_writing);
  void check_connection() const;
  void check_stop();
  void flush();
  Result next_result();
  void take_end();
  bool drain(Clock::time_point until) noexcept;
  void end() noexcept;
  [[noreturn]] void fail() const;

  std::shared_ptr<PgSession> session_;
  PGconn* connection_;
  bool is_to_cancel_ = true;
};

}  // namespace qsohost::inline v1
