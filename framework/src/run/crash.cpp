// All of this may run in a signal handler of a program in any state: it allocates no memory, takes
// no lock, and calls nothing but write().
#include "run/crash.hpp"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <utility>

#include "data/working_on.hpp"
#include "qsohost/host/run.hpp"
#include "run/crash_descriptor.hpp"

namespace qsohost::inline v1 {

std::atomic<int> crash_descriptor{-1};
static_assert(std::atomic<int>::is_always_lock_free);

namespace {

constexpr std::array<std::pair<int, std::string_view>, 5> kCrashes{
    {{SIGSEGV, "segmentation fault (SIGSEGV)"},
     {SIGABRT, "abort (SIGABRT)"},
     {SIGBUS, "bus error (SIGBUS)"},
     {SIGFPE, "arithmetic error (SIGFPE)"},
     {SIGILL, "illegal instruction (SIGILL)"}}};

// One line of text, truncated to its capacity. Identifiers may hold escape sequences: only the
// printable characters of ASCII are kept.
class Line {
 public:
  Line& operator<<(std::string_view text) {
    for (const char c : text) {
      if (length_ == bytes_.size()) break;
      const bool is_blank = c == '\n' || c == '\t';
      const bool is_printable = c >= ' ' && c <= '~';
      bytes_[length_++] = is_blank ? ' ' : is_printable ? c : '?';
    }
    return *this;
  }
  Line& operator<<(std::uint64_t number) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    return *this << std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()));
  }
  std::string_view view() const { return {bytes_.data(), length_}; }

 private:
  std::array<char, 1500> bytes_{};
  std::size_t length_ = 0;
};

void add_place(Line& line, const WorkingOn* at) {
  if (at == nullptr) {
    line << " in a thread that is in no call of a stage: a plugin's own, or a library's";
    return;
  }
  line << " in stage '" << at->stage.view() << "'";
  if (!at->plugin.view().empty()) line << " (" << at->plugin.view() << ")";
  if (at->has_batch) line << ", batch " << at->batch;
  if (!at->object.view().empty()) {
    line << ", object " << at->object.view();
  } else if (!at->first_object.view().empty()) {
    line << " (objects " << at->first_object.view() << " to " << at->last_object.view() << ")";
  }
}

void put(int file, std::string_view text) {
  [[maybe_unused]] const ssize_t written = ::write(file, text.data(), text.size());
}

std::string_view name_of_crash(int signal) {
  for (const auto& [number, name] : kCrashes) {
    if (number == signal) return name;
  }
  return "crash";
}

extern "C" void on_crash(int signal, siginfo_t* info, void* /*context*/) {
  static std::atomic_flag is_reported = ATOMIC_FLAG_INIT;
  const int saved_errno = errno;
  // Another thread is reporting its crash, and ends the program afterwards.
  while (is_reported.test_and_set()) ::pause();
  report_crash(name_of_crash(signal));
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  ::sigaction(signal, &usual, nullptr);
  errno = saved_errno;
  // A faulting instruction runs again, so that the core dump shows it; a signal that was sent must
  // be raised again.
  if (info->si_code <= 0) ::raise(signal);
}

}  // namespace

void report_crash(std::string_view what) noexcept {
  const WorkingOn* at = working_on();
  const int file = crash_descriptor;
  Line line;
  line << what;
  if (at != nullptr || file >= 0) add_place(line, at);
  put(STDERR_FILENO, "\nqsohost: ");
  put(STDERR_FILENO, line.view());
  put(STDERR_FILENO, "\n");
  if (file < 0) return;
  Line batch;
  if (at != nullptr && at->has_batch) {
    batch << at->batch;
  } else {
    batch << "-";
  }
  put(file, batch.view());
  put(file, "\t");
  put(file, line.view());
  put(file, "\n");
}

void name_crashes() {
  struct sigaction action {};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  for (const auto& [signal, name] : kCrashes) {
    struct sigaction before {};
    // A sanitizer or a debugging tool reports more than this does.
    if (::sigaction(signal, nullptr, &before) != 0) continue;
    if ((before.sa_flags & SA_SIGINFO) != 0 || before.sa_handler != SIG_DFL) continue;
    ::sigaction(signal, &action, nullptr);
  }
}

}  // namespace qsohost::inline v1
