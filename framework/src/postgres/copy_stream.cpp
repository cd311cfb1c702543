#include "postgres/copy_stream.hpp"

#include <poll.h>

#include <cerrno>
#include <utility>

#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

PgCopyStream::PgCopyStream(std::shared_ptr<PgSession> session, const std::string& sql)
    : session_(std::move(session)), connection_(session_->handle()) {
  if (session_->canceller().wants_stop()) throw_stopped();
  if (PQsendQuery(connection_, sql.c_str()) == 0) fail();
  session_->is_copying = true;
  try {
    flush();
    next_result();
  } catch (...) {
    end();
    throw;
  }
}

PgCopyStream::~PgCopyStream() {
  end();
}

void PgCopyStream::end() noexcept {
  if (!std::exchange(session_->is_copying, false)) return;
  Canceller& canceller = session_->canceller();
  if (canceller.is_cut()) return;
  PQputCopyEnd(connection_, "not finished");  // no effect while receiving
  if (is_to_cancel_ && !canceller.cancel()) return canceller.cut();
  if (!drain(Clock::now() + Canceller::kEndWithin)) canceller.cut();
}

// Discards the remaining input. False if its end was not reached.
bool PgCopyStream::drain(Clock::time_point until) noexcept {
  while (Clock::now() < until && PQstatus(connection_) == CONNECTION_OK) {
    const bool is_to_flush = PQflush(connection_) == 1;
    if (PQconsumeInput(connection_) == 0) return false;
    char* bytes = nullptr;
    int n = 0;
    while ((n = PQgetCopyData(connection_, &bytes, 1)) > 0 && Clock::now() < until) {
      PQfreemem(bytes);
    }
    while (n < 0 && PQisBusy(connection_) == 0 && Clock::now() < until) {
      if (Result(PQgetResult(connection_)) == nullptr) return true;
    }
    poll_socket(is_to_flush);
  }
  return false;
}

// Waits until the socket is ready or the next check for a stop is due.
bool PgCopyStream::poll_socket(bool for_writing) const noexcept {
  pollfd ready{PQsocket(connection_), static_cast<short>(for_writing ? POLLIN | POLLOUT : POLLIN),
               0};
  return ::poll(&ready, 1, int{Canceller::kStopEvery.count()}) >= 0 || errno == EINTR;
}

// A transaction that ends before its COPY cuts the connection, and libpqxx may free it.
void PgCopyStream::check_connection() const {
  if (session_->canceller().is_cut()) throw TryAgain("the connection to PostgreSQL is lost");
}

void PgCopyStream::check_stop() {
  Canceller& canceller = session_->canceller();
  if (!canceller.wants_stop()) return;
  is_to_cancel_ = false;
  if (!canceller.cancel()) canceller.cut();
  throw_stopped();
}

// Polls before it checks for a stop, so that the server has had time to begin: a cancel request
// that arrives before the statement has no effect.
void PgCopyStream::wait(bool for_writing) {
  if (!poll_socket(for_writing)) {
    throw TryAgain("the connection to PostgreSQL cannot be waited for");
  }
  check_stop();
}

// Sends the pending output. Reads input meanwhile: a server that is blocked on sending does not
// read either. The next result reports a send error.
void PgCopyStream::flush() {
  while (PQflush(connection_) == 1) {
    wait(true);
    if (PQconsumeInput(connection_) == 0) fail();
  }
}

// Waits for the next result of the statement; none at its end.
PgCopyStream::Result PgCopyStream::next_result() {
  while (PQisBusy(connection_) != 0) {
    wait(false);
    if (PQconsumeInput(connection_) == 0) fail();
  }
  Result result(PQgetResult(connection_));
  const ExecStatusType status = PQresultStatus(result.get());
  if (result == nullptr || (status != PGRES_FATAL_ERROR && status != PGRES_BAD_RESPONSE)) {
    return result;
  }
  is_to_cancel_ = false;
  throw_server_error(PQresultErrorMessage(result.get()));
}

void PgCopyStream::take_end() {
  while (next_result() != nullptr) {
  }
  session_->is_copying = false;
}

bool PgCopyStream::get(std::string& buffer, std::size_t most) {
  check_connection();
  check_stop();  // if rows come faster than they are read, wait() is never called
  const std::size_t before = buffer.size();
  while (session_->is_copying && buffer.size() - before < most) {
    char* bytes = nullptr;
    const int n = PQgetCopyData(connection_, &bytes, 1);
    const std::unique_ptr<char, PqRelease<PQfreemem>> owner(bytes);
    if (n > 0) {
      buffer.append(bytes, static_cast<std::size_t>(n));
      continue;
    }
    // Return received rows first; the end or the error is still there at the next call.
    if (buffer.size() > before) return true;
    if (n < 0) {
      take_end();
    } else {
      wait(false);
      if (PQconsumeInput(connection_) == 0) fail();
    }
  }
  return buffer.size() > before;
}

void PgCopyStream::put(const std::string& bytes) {
  check_connection();
  check_stop();
  if (PQputCopyData(connection_, bytes.data(), static_cast<int>(bytes.size())) != 1) fail();
  flush();  // keeps libpq's buffer from growing
}

void PgCopyStream::put_end() {
  if (PQputCopyEnd(connection_, nullptr) != 1) fail();
  flush();
  take_end();
}

// Without a response of the server the connection is lost.
void PgCopyStream::fail() const {
  throw_server_error(PQerrorMessage(connection_));
}

}  // namespace qsohost::inline v1
