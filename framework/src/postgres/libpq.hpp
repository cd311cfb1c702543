// Owners for libpq's resources, and its errors as ours.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <string_view>

namespace qsohost::inline v1 {

template <auto release>
struct PqRelease {
  template <class T>
  void operator()(T* thing) const {
    release(thing);
  }
};

struct ServerError {
  std::string sqlstate;  // "": none, the connection is gone
  std::string message;   // one line
};

// Parses the error text of libpq or libpqxx on a connection with verbose errors. A refused
// connection has no result with a SQLSTATE, and libpqxx drops that of some errors.
ServerError server_error(std::string_view text);

// Throws TryAgain or RunError according to the SQLSTATE, with advice if there is any.
[[noreturn]] void throw_sql_error(const ServerError& error);
[[noreturn]] void throw_server_error(std::string_view text);

}  // namespace qsohost::inline v1
