#include <fmt/format.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <utility>

#include "postgres/aside.hpp"
#include "postgres/connecting.hpp"
#include "postgres/libpq.hpp"
#include "qsohost/error.hpp"
#include "qsohost/postgres.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr int kStopEveryMs = 100;
constexpr std::chrono::seconds kCancelWithin(1);

// Waits until the socket is ready or it is time to ask whether to stop.
void poll_socket(PGconn* connection, bool for_writing) {
  pollfd ready{PQsocket(connection), static_cast<short>(for_writing ? POLLIN | POLLOUT : POLLIN),
               0};
  if (::poll(&ready, 1, kStopEveryMs) < 0 && errno != EINTR) {
    throw TryAgain("the connection to PostgreSQL cannot be waited for");
  }
}

// What the server says, without the place in a statement that the user has not written.
std::string told(const PGresult* result) {
  std::string text = "PostgreSQL:";
  for (const char field : {PG_DIAG_MESSAGE_PRIMARY, PG_DIAG_MESSAGE_DETAIL, PG_DIAG_MESSAGE_HINT}) {
    const char* const part = PQresultErrorField(result, static_cast<unsigned char>(field));
    if (part != nullptr) text += fmt::format(" {}", one_line(part));
  }
  return PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) != nullptr
             ? text
             : fmt::format("PostgreSQL: {}", one_line(PQresultErrorMessage(result)));
}

PgRow row_of(const PGresult* result, int row) {
  PgRow out;
  for (int k = 0; k < PQnfields(result); ++k) {
    const bool is_null = PQgetisnull(result, row, k) != 0;
    out.push_back(is_null ? std::nullopt : std::optional<std::string>(PQgetvalue(result, row, k)));
  }
  return out;
}

}  // namespace

void PgConnection::Close::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

PgConnection::PgConnection(const std::string& dsn, std::function<bool()> stop)
    : stop_(std::move(stop)) {
  check_dsn(dsn);
  connection_.reset(connect_to(dsn, stop_).release());
}

PgConnection::PgConnection(PgConnection&&) noexcept = default;

PgConnection::~PgConnection() {
  if (connection_ != nullptr && PQtransactionStatus(connection_.get()) == PQTRANS_ACTIVE) cancel();
}

// Closing the connection would not do: a server that works for hours before it sends a row notices
// only then that nobody is there. The request goes by a connection of its own, and PQcancel waits
// for it without a limit. When a second is not enough the network or the server is silent; then the
// request stays under way, and we go.
void PgConnection::cancel() noexcept {
  if (std::exchange(is_cancelled_, true)) return;
  try {
    const std::shared_ptr<PGcancel> handle(PQgetCancel(connection_.get()), PQfreeCancel);
    if (handle == nullptr) return;
    const auto sent = start_aside([handle] {
      std::array<char, 256> message{};
      PQcancel(handle.get(), message.data(), message.size());
    });
    sent.wait_for(kCancelWithin);
  } catch (const std::exception&) {  // no memory, no thread: closing has to do
  }
}

void PgConnection::check_stop() {
  if (!stop_()) return;
  cancel();
  throw_stopped();
}

// In this order a request to cancel is made when the server has had time to begin: one that comes
// before the statement does nothing.
void PgConnection::wait(bool for_writing) {
  poll_socket(connection_.get(), for_writing);
  check_stop();
}

// Sends what is still to be sent. Input is taken meanwhile: a server that cannot get rid of its
// words reads nothing either. What hinders sending is told by the next result.
void PgConnection::flush() {
  PGconn* const c = connection_.get();
  while (PQflush(c) == 1) {
    wait(true);
    if (PQconsumeInput(c) == 0) fail();
  }
}

// Waits for what the statement gives next; none when it has ended.
PgConnection::Result PgConnection::next_result() {
  PGconn* const c = connection_.get();
  while (PQisBusy(c) != 0) {
    wait(false);
    if (PQconsumeInput(c) == 0) fail();
  }
  Result result(PQgetResult(c), PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (result == nullptr || (status != PGRES_FATAL_ERROR && status != PGRES_BAD_RESPONSE)) {
    return result;
  }
  const char* const state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
  throw_sql_error(state == nullptr ? "" : state, told(result.get()));
}

PgConnection::Result PgConnection::send(const std::string& sql,
                                        std::span<const std::string> parameters) {
  std::vector<const char*> values;
  for (const std::string& p : parameters) values.push_back(p.c_str());
  PGconn* const c = connection_.get();
  finish_failed();
  if (stop_()) throw_stopped();
  is_cancelled_ = false;
  if (PQsendQueryParams(c, sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                        nullptr, nullptr, 0) == 0) {
    fail();
  }
  flush();
  return next_result();
}

// Takes what is left of a statement that failed; there is nothing after one that did not.
void PgConnection::finish_failed() {
  for (Result left = next_result(); left != nullptr; left = next_result()) {
    const ExecStatusType status = PQresultStatus(left.get());
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) {
      throw RunError("PostgreSQL: a COPY was begun on this connection and is not finished");
    }
  }
}

std::vector<PgRow> PgConnection::query(const std::string& sql,
                                       std::span<const std::string> parameters) {
  std::vector<PgRow> rows;
  for (Result result = send(sql, parameters); result != nullptr; result = next_result()) {
    for (int i = 0; i < PQntuples(result.get()); ++i) rows.push_back(row_of(result.get(), i));
  }
  return rows;
}

// Without an answer of the server the connection is gone.
void PgConnection::fail() {
  throw_sql_error("", fmt::format("PostgreSQL: {}", one_line(PQerrorMessage(connection_.get()))));
}

}  // namespace qsohost::inline v1
