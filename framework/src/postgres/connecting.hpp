// Opens the connection of a session.
#pragma once

#include <functional>
#include <string>

#include "postgres/libpq.hpp"

namespace qsohost::inline v1 {

using PqConnection = std::unique_ptr<PGconn, PqRelease<PQfinish>>;

// Returns a non-blocking connection that is ready for statements. Throws TryAgain or RunError, and
// TryAgain soon after stop() is true, which is checked ten times a second.
PqConnection connect_to(const std::string& dsn, const std::function<bool()>& stop);

}  // namespace qsohost::inline v1
