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
  PQputCopyEnd(connection_, "not finished");  // does nothing where rows come
  if (is_to_cancel_ && !canceller.cancel()) return canceller.cut();
  if (!drain(Clock::now() + Canceller::kEndWithin)) canceller.cut();
}

// Takes what is still to come. False when that is not the end.
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

// Waits until the socket is ready or it is time to ask whether to stop.
bool PgCopyStream::poll_socket(bool for_writing) const noexcept {
  pollfd ready{PQsocket(connection_), static_cast<short>(for_writing ? POLLIN | POLLOUT : POLLIN),
               0};
  return ::poll(&ready, 1, int{Canceller::kStopEvery.count()}) >= 0 || errno == EINTR;
}

// A transaction that ends before its COPY does cuts the connection, and libpqxx may free it.
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

// In this order a request to cancel is made when the server has had time to begin: one that comes
// before the statement does nothing.
void PgCopyStream::wait(bool for_writing) {
  if (!poll_socket(for_writing)) {
    throw TryAgain("the connection to PostgreSQL cannot be waited for");
  }
  check_stop();
}

// Sends what is still to be sent. Input is taken meanwhile: a server that cannot get rid of its
// words reads nothing either. What hinders sending is told by the next result.
void PgCopyStream::flush() {
  while (PQflush(connection_) == 1) {
    wait(true);
    if (PQconsumeInput(connection_) == 0) fail();
  }
}

// Waits for what the statement gives next; none when it has ended.
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
  check_stop();  // where rows come faster than they are read nothing is waited for
  const std::size_t before = buffer.size();
  while (session_->is_copying && buffer.size() - before < most) {
    char* bytes = nullptr;
    const int n = PQgetCopyData(connection_, &bytes, 1);
    const std::unique_ptr<char, PqRelease<PQfreemem>> owner(bytes);
    if (n > 0) {
      buffer.append(bytes, static_cast<std::size_t>(n));
      continue;
    }
    // What has come goes first; the end, or what went wrong, stays so when asked again.
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
  flush();  // so that libpq's own buffer does not grow
}

void PgCopyStream::put_end() {
  if (PQputCopyEnd(connection_, nullptr) != 1) fail();
  flush();
  take_end();
}

// Without an answer of the server the connection is gone.
void PgCopyStream::fail() const {
  throw_server_error(PQerrorMessage(connection_));
}

}  // namespace qsohost::inline v1
