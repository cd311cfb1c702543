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

// The socket is a duplicate: libpq may close its own on another thread at any time, and the number
// may be another file's a moment later.
Canceller::Canceller(PGconn* connection, std::function<bool()> stop)
    : stop_(std::move(stop)),
      handle_(PQgetCancel(connection), PQfreeCancel),
      socket_(::fcntl(PQsocket(connection), F_DUPFD_CLOEXEC, 0)) {
  if (socket_.fd < 0) throw TryAgain("no file descriptor for a connection to PostgreSQL");
}

Canceller::Socket::~Socket() {
  if (fd >= 0) ::close(fd);
}

// Closing the connection would not do: a server that works for hours before it sends a row notices
// only then that nobody is there. The request goes by a connection of its own, and PQcancel waits
// for it without a limit. When a second is not enough the network or the server is silent; then the
// request stays under way, and we go.
bool Canceller::cancel() noexcept {
  try {
    const auto sent = start_aside([handle = handle_] {
      std::array<char, 256> message{};
      PQcancel(handle.get(), message.data(), message.size());
    });
    return sent.wait_for(kCancelWithin) == std::future_status::ready;
  } catch (const std::exception&) {  // no memory, no thread: closing has to do
    return false;
  }
}

void Canceller::cut() noexcept {
  is_cut_ = true;
  ::shutdown(socket_.fd, SHUT_RDWR);
}

}  // namespace qsohost::inline v1
