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
// Throws TryAgain or RunError as the SQLSTATE ("": none, the connection is gone) says, with
// advice where there is any.
[[noreturn]] void throw_sql_error(std::string_view sqlstate, std::string message);

std::string one_line(std::string_view text);  // blanks and line ends become one blank

}  // namespace qsohost::inline v1
