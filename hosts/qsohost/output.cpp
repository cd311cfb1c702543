#include "output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "arguments.hpp"
#include "qsohost/host/printable.hpp"

namespace qsohost::cli {
namespace {

// errno of the first write that failed; 0: none
std::array<std::atomic<int>, 2> failures{};

std::shared_mutex redirection_mutex;
std::function<void(Stream, std::string_view)> redirection;

std::atomic<int>& failure_of(Stream stream) noexcept {
  return failures[stream == Stream::Out ? 0 : 1];
}

void write_bytes(Stream stream, std::string_view text) noexcept {
  {
    const std::shared_lock lock(redirection_mutex);
    if (redirection) return redirection(stream, text);
  }
  std::atomic<int>& failure = failure_of(stream);
  if (failure != 0 || text.empty()) return;
  std::FILE* file = stream == Stream::Out ? stdout : stderr;
  errno = 0;
  const bool is_written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (is_written && std::fflush(file) == 0) return;
  // A terminal that another program made non-blocking is only full for now.
  if (stream == Stream::Err && errno == EAGAIN) return;
  failure = errno != 0 ? errno : EIO;
}

}  // namespace

void redirect_output(std::function<void(Stream, std::string_view)> output) {
  const std::lock_guard lock(redirection_mutex);
  redirection = std::move(output);
}

void write_text(Stream stream, std::string_view text) noexcept try {
  write_bytes(stream, printable(text));
} catch (...) {  // NOLINT(bugprone-empty-catch): no memory for the text, and nowhere to say it
}

void erase_line() noexcept {
  write_bytes(Stream::Err, "\r\x1b[2K");
}

bool is_lost(Stream stream) noexcept {
  return failure_of(stream) != 0;
}

int unless_output_is_lost(int code) {
  const int failure = failure_of(Stream::Out);
  if (failure == 0 || failure == EPIPE) return code;
  complain("qsohost: standard output cannot be written: {}; write it elsewhere\n",
           std::strerror(failure));
  return kRunFailed;
}

void prepare_output() noexcept {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(file, F_GETFD) >= 0 || errno != EBADF) continue;
    // Opened in the opposite mode, so that using it is still an error. This is the lowest free
    // number.
    const int null = ::open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    if (null >= 0 && null != file) ::close(null);
  }
}

}  // namespace qsohost::cli
