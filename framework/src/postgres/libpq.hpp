// libpq's things with owners, and its errors as ours.
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

// What libpq and libpqxx say of an error, on a connection whose errors are verbose. A refused
// connection has no result to ask for its SQLSTATE, and libpqxx drops that of some errors.
ServerError server_error(std::string_view text);

// Throws TryAgain or RunError as the SQLSTATE says, with advice where there is any.
[[noreturn]] void throw_sql_error(const ServerError& error);
[[noreturn]] void throw_server_error(std::string_view text);

}  // namespace qsohost::inline v1
