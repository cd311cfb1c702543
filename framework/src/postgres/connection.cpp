#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdlib>

#include "postgres/dsn.hpp"
#include "postgres/libpq.hpp"
#include "qsohost/error.hpp"
#include "qsohost/postgres.hpp"

namespace qsohost::inline v1 {

namespace {

using Clock = std::chrono::steady_clock;
constexpr int kStopEveryMs = 100;
constexpr double kConnectSeconds = 15;

// Waits until the socket is ready or it is time to ask whether to stop.
void poll_socket(PGconn* connection, bool for_writing) {
  pollfd ready{PQsocket(connection), static_cast<short>(for_writing ? POLLIN | POLLOUT : POLLIN),
               0};
  if (::poll(&ready, 1, kStopEveryMs) < 0 && errno != EINTR) {
    throw TryAgain("the connection to PostgreSQL cannot be waited for");
  }
}

[[noreturn]] void throw_stopped() {
  throw TryAgain("interrupted while waiting for PostgreSQL");
}

// A refused connection has no result to ask for its SQLSTATE, but verbose messages hold it, as in
// "FATAL:  28P01: password ...". Words may be in any language, codes are not.
std::string take_sqlstate(std::string& message) {
  for (std::size_t at = message.find(":  "); at != std::string::npos;
       at = message.find(":  ", at + 1)) {
    const std::string code = message.substr(at + 3, 5);
    const bool is_code = code.size() == 5 && std::ranges::all_of(code, [](unsigned char c) {
                           return std::isdigit(c) != 0 || std::isupper(c) != 0;
                         });
    if (!is_code || message.substr(at + 8, 2) != ": ") continue;
    message.erase(at + 3, 7);
    // The place in the server's source follows on a line of its own.
    const std::size_t place = message.find("\nLOCATION:");
    if (place != std::string::npos) message.erase(place, message.find('\n', place + 1) - place);
    return code;
  }
  return {};
}

[[noreturn]] void throw_refused(PGconn* connection) {
  std::string message = PQerrorMessage(connection);
  std::string state = take_sqlstate(message);
  message = fmt::format("no connection to PostgreSQL: {}", one_line(message));
  if (state.empty() && PQconnectionNeedsPassword(connection) != 0) state = "28P01";
  if (state.empty() && message.find("definition of service") != std::string::npos) {
    throw ChainError(message + "; a service is defined in ~/.pg_service.conf or PGSERVICEFILE");
  }
  throw_sql_error(state, message);
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

PGconn* start_connecting(const std::string& dsn) {
  // What the dsn says comes after these and wins. Servers behind firewalls that forget silent
  // connections are usual, and queries run for minutes without a word.
  const std::string full = full_dsn(dsn);
  const std::array<const char*, 9> keys{
      "application_name",    "client_encoding",  "connect_timeout", "keepalives", "keepalives_idle",
      "keepalives_interval", "keepalives_count", "dbname",          nullptr};
  const std::array<const char*, 9> values{"qsohost", "UTF8", "15",         "1",    "30",
                                          "10",      "3",    full.c_str(), nullptr};
  return PQconnectStartParams(keys.data(), values.data(), 1);
}

double connect_seconds(PGconn* connection) {
  const std::unique_ptr<PQconninfoOption, PqRelease<PQconninfoFree>> options(
      PQconninfo(connection));
  for (const PQconninfoOption* o = options.get(); o != nullptr && o->keyword != nullptr; ++o) {
    if (std::string_view(o->keyword) != "connect_timeout" || o->val == nullptr) continue;
    const double seconds = std::atof(o->val);
    return seconds > 0 ? std::max(2.0, seconds) : 1e9;  // as libpq reads it
  }
  return kConnectSeconds;
}

}  // namespace

void PgConnection::Close::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

PgConnection::PgConnection(const std::string& dsn, std::function<bool()> stop)
    : stop_(std::move(stop)) {
  check_dsn(dsn);
  connection_.reset(start_connecting(dsn));
  PGconn* const c = connection_.get();
  if (c == nullptr) throw ChainError("no memory for a connection to PostgreSQL");
  PQsetErrorVerbosity(c, PQERRORS_VERBOSE);
  const std::chrono::duration<double> most(connect_seconds(c));
  auto begin = Clock::now();
  int socket = -1;  // another one: another address of the host
  for (auto status = PGRES_POLLING_WRITING; status != PGRES_POLLING_OK; status = PQconnectPoll(c)) {
    if (PQstatus(c) == CONNECTION_BAD || status == PGRES_POLLING_FAILED) throw_refused(c);
    if (std::exchange(socket, PQsocket(c)) != PQsocket(c)) begin = Clock::now();
    for (pollfd ready{};;) {
      ready = {PQsocket(c), static_cast<short>(status == PGRES_POLLING_READING ? POLLIN : POLLOUT),
               0};
      if (::poll(&ready, 1, kStopEveryMs) > 0) break;
      if (stop_()) throw_stopped();
      if (Clock::now() - begin > most) {
        throw TryAgain(fmt::format("no connection to PostgreSQL at {} within {:.0f} s",
                                   PQhost(c) == nullptr ? "?" : PQhost(c), most.count()));
      }
    }
  }
  PQsetErrorVerbosity(c, PQERRORS_DEFAULT);
  PQsetNoticeProcessor(
      c, [](void*, const char*) {}, nullptr);
}

PgConnection::PgConnection(PgConnection&&) noexcept = default;

PgConnection::~PgConnection() {
  if (connection_ != nullptr && PQtransactionStatus(connection_.get()) == PQTRANS_ACTIVE) cancel();
}

void PgConnection::cancel() noexcept {
  const std::unique_ptr<PGcancel, PqRelease<PQfreeCancel>> handle(PQgetCancel(connection_.get()));
  std::array<char, 256> message{};
  if (handle != nullptr) PQcancel(handle.get(), message.data(), message.size());
}

void PgConnection::wait(bool for_writing) {
  if (stop_()) {
    cancel();
    throw_stopped();
  }
  poll_socket(connection_.get(), for_writing);
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
  if (PQsendQueryParams(c, sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                        nullptr, nullptr, 0) == 0) {
    fail();
  }
  while (PQflush(c) == 1) wait(true);
  return next_result();
}

// Takes what is left of a statement that failed; there is nothing after one that did not.
void PgConnection::finish_failed() {
  for (Result left = next_result(); left != nullptr; left = next_result()) {
    const ExecStatusType status = PQresultStatus(left.get());
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) {
      throw ChainError("PostgreSQL: a COPY was begun on this connection and is not finished");
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
