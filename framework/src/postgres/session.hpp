// The session behind PgConnection, PgTransaction and the COPYs.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "postgres/cancel.hpp"
#include "postgres/libpq.hpp"

namespace qsohost::inline v1 {

class AdoptedConnection;  // libpqxx's connection, around our PGconn

class PgSession {
 public:
  PgSession(const std::string& dsn, std::function<bool()> stop);
  ~PgSession();
  PgSession(const PgSession&) = delete;
  PgSession& operator=(const PgSession&) = delete;

  AdoptedConnection& connection() { return *connection_; }
  PGconn* handle() const;  // for COPY; throws TryAgain if the connection is lost
  Canceller& canceller() { return *canceller_; }

  // A COPY has begun and is not at its end. libpqxx must not send a statement then: libpq would
  // first read the rest of the stream, perhaps for hours.
  bool is_copying = false;

 private:
  std::unique_ptr<AdoptedConnection> connection_;
  std::unique_ptr<Canceller> canceller_;
};

}  // namespace qsohost::inline v1
