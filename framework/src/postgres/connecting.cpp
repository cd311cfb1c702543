#include "postgres/connecting.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include "base/secrets.hpp"
#include "postgres/aside.hpp"
#include "postgres/cancel.hpp"
#include "postgres/dsn.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace {

using Clock = std::chrono::steady_clock;
constexpr double kConnectSeconds = 15;

// What libpq says, without a SQLSTATE, of settings with which no attempt can succeed.
struct BadSetting {
  std::string_view words;
  std::string_view advice;
};
constexpr std::array<BadSetting, 11> kBadSettings{
    {{"definition of service", "a service is defined in ~/.pg_service.conf or PGSERVICEFILE"},
     {"server does not support SSL",
      "leave sslmode out of the dsn, the service and PGSSLMODE, or use sslmode=prefer"},
     {"GSSAPI encryption required",
      "leave gssencmode out of the dsn, the service and PGGSSENCMODE"},
     {"root certificate file",
      "sslrootcert names the file; sslmode=require encrypts without verifying the server"},
     {"certificate verify failed",
      "sslrootcert must hold the authority that signed the server's "
      "certificate; sslmode=require does not verify it"},
     {"does not match host name", "use the host's name in the certificate, or sslmode=verify-ca"},
     {"private key file", "sslkey names the file, which only you may read"},
     {"invalid sslmode value", "it is disable, prefer, require, verify-ca or verify-full"},
     {"invalid integer value", "correct the dsn, the service or the environment variable"},
     {"invalid port number", "correct the dsn, the service or the environment variable"},
     {"could not parse network address", "correct hostaddr"}}};

[[noreturn]] void throw_refused(PGconn* connection) {
  ServerError error = server_error(PQerrorMessage(connection));
  error.message = fmt::format("no connection to PostgreSQL: {}", error.message);
  if (!error.sqlstate.empty()) throw_sql_error(error);
  if (PQconnectionNeedsPassword(connection) != 0) error.sqlstate = "28P01";
  for (const BadSetting& setting : kBadSettings) {
    if (error.message.find(setting.words) == std::string::npos) continue;
    throw RunError(fmt::format("{}; {}", error.message, setting.advice));
  }
  throw_sql_error(error);
}

PqConnection start_connecting(const std::string& dsn) {
  // Keywords before dbname are overridden by the dsn.
  const std::string full = full_dsn(dsn);
  const std::array<const char*, 4> keys{"fallback_application_name", "client_encoding", "dbname",
                                        nullptr};
  const std::array<const char*, 4> values{"qsohost", "UTF8", full.c_str(), nullptr};
  return PqConnection(PQconnectStartParams(keys.data(), values.data(), 1));
}

// The value from the dsn, its service or the environment; none if it is not set.
std::optional<std::string> option_of(PGconn* connection, std::string_view keyword) {
  const std::unique_ptr<PQconninfoOption, PqRelease<PQconninfoFree>> options(
      PQconninfo(connection));
  for (const PQconninfoOption* o = options.get(); o != nullptr && o->keyword != nullptr; ++o) {
    if (o->keyword == keyword && o->val != nullptr) return o->val;
  }
  return std::nullopt;
}

double connect_seconds(PGconn* connection) {
  const auto option = option_of(connection, "connect_timeout");
  if (!option) return kConnectSeconds;
  const double seconds = std::atof(option->c_str());
  return seconds > 0 ? std::max(2.0, seconds) : 1e9;  // as libpq reads it
}

// Firewalls often drop idle connections, and queries run for minutes without traffic: this detects
// a dead server within a minute. Not passed to libpq as parameters, since those would override a
// service file.
void notice_dead_peer(PGconn* connection) {
  struct Time {
    const char* keyword;
    int option;
    int value;
  };
  constexpr std::array<Time, 4> times{{{"keepalives_idle", TCP_KEEPIDLE, 30},
                                       {"keepalives_interval", TCP_KEEPINTVL, 10},
                                       {"keepalives_count", TCP_KEEPCNT, 3},
                                       {"tcp_user_timeout", TCP_USER_TIMEOUT, 60'000}}};
  for (const Time& time : times) {
    if (option_of(connection, time.keyword)) continue;
    // Fails for a Unix socket, which does not need it.
    ::setsockopt(PQsocket(connection), IPPROTO_TCP, time.option, &time.value, sizeof time.value);
  }
}

PqConnection connect_until(const std::string& dsn, const std::atomic<bool>& is_given_up) {
  PqConnection connection = start_connecting(dsn);
  PGconn* const c = connection.get();
  if (c == nullptr)
    throw RunError(
        "no memory for a connection to PostgreSQL; free some memory, or raise its limit");
  // From PGPASSWORD, ~/.pgpass or the service file.
  if (const char* password = PQpass(c); password != nullptr && *password != '\0') {
    note_secret(password, "PGPASSWORD");
  }
  PQsetErrorVerbosity(c, PQERRORS_VERBOSE);  // with the SQLSTATE
  PQsetErrorContextVisibility(c, PQSHOW_CONTEXT_NEVER);
  const std::chrono::duration<double> most(connect_seconds(c));
  auto begin = Clock::now();
  int socket = -1;  // a different one means another address of the host
  for (auto status = PGRES_POLLING_WRITING; status != PGRES_POLLING_OK; status = PQconnectPoll(c)) {
    if (PQstatus(c) == CONNECTION_BAD || status == PGRES_POLLING_FAILED) throw_refused(c);
    if (std::exchange(socket, PQsocket(c)) != PQsocket(c)) begin = Clock::now();
    const short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    for (pollfd ready{PQsocket(c), events, 0};
         ::poll(&ready, 1, int{Canceller::kStopEvery.count()}) <= 0;) {
      if (is_given_up) throw_stopped();
      if (Clock::now() - begin > most) {
        throw TryAgain(fmt::format("no connection to PostgreSQL at {} within {:.0f} s",
                                   PQhost(c) == nullptr ? "?" : PQhost(c), most.count()));
      }
    }
  }
  PQsetNoticeProcessor(
      c, [](void*, const char*) {}, nullptr);
  notice_dead_peer(c);
  // Else sending would wait for a server that does not read, and so would closing.
  if (PQsetnonblocking(c, 1) != 0) throw_refused(c);
  return connection;
}

}  // namespace

// On a separate thread, since PQconnectPoll resolves names and contacts a Kerberos server, and
// blocks meanwhile: for half a minute and longer without a network.
PqConnection connect_to(const std::string& dsn, const std::function<bool()>& stop) {
  const auto is_given_up = std::make_shared<std::atomic<bool>>(false);
  auto made = start_aside([dsn, is_given_up] { return connect_until(dsn, *is_given_up); });
  while (made.wait_for(Canceller::kStopEvery) != std::future_status::ready) {
    if (!stop()) continue;
    *is_given_up = true;
    throw_stopped();
  }
  return made.get();
}

}  // namespace qsohost::inline v1
