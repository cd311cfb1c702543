#include "postgres/cancel.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "postgres/aside.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr std::chrono::seconds kCancelWithin(1);

}  // namespace

void throw_stopped() {
  throw TryAgain("interrupted while waiting for PostgreSQL");
}

// A duplicate of the socket: libpq may close its own on another thread at any time, and the number
// may belong to another file a moment later.
Canceller::Canceller(PGconn* connection, std::function<bool()> stop)
    : stop_(std::move(stop)),
      handle_(PQgetCancel(connection), PQfreeCancel),
      socket_(::fcntl(PQsocket(connection), F_DUPFD_CLOEXEC, 0)) {
  if (socket_.fd < 0) throw TryAgain("no file descriptor for a connection to PostgreSQL");
}

Canceller::Socket::~Socket() {
  if (fd >= 0) ::close(fd);
}

// Closing the connection is not enough: a server that works for hours before it sends a row notices
// the loss only then. The request uses a separate connection, and PQcancel waits for it without a
// timeout. If a second is not enough the network or the server is silent; then the request is left
// pending.
bool Canceller::cancel() noexcept {
  try {
    const auto sent = start_aside([handle = handle_] {
      std::array<char, 256> message{};
      PQcancel(handle.get(), message.data(), message.size());
    });
    return sent.wait_for(kCancelWithin) == std::future_status::ready;
  } catch (const std::exception&) {  // no memory, no thread: closing must be enough
    return false;
  }
}

void Canceller::cut() noexcept {
  is_cut_ = true;
  ::shutdown(socket_.fd, SHUT_RDWR);
}

}  // namespace qsohost::inline v1
