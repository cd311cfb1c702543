#include "interrupts.hpp"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "arguments.hpp"

namespace qsohost::cli {
namespace {

std::atomic<int> interrupt_count{0};
static_assert(std::atomic<int>::is_always_lock_free, "used in a signal handler");

std::atomic<int> tables{0};

constexpr std::array kSignals{SIGINT, SIGTERM, SIGUSR1};
std::array<struct sigaction, kSignals.size()> previous_actions;

// Uses only what a signal handler may: write, _exit and a lock-free atomic.
void say(std::string_view text) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

extern "C" void on_signal(int signal) {
  if (signal == SIGUSR1) {
    ++tables;
    return;
  }
  const int saved_errno = errno;
  switch (interrupt_count.fetch_add(1) + 1) {
    case 1:
      say("\nfinishing the batches in flight; press Ctrl-C again to abort requests\n");
      break;
    case 2:
      say("\naborting what waits; press Ctrl-C again to leave at once\n");
      break;
    default:
      _exit(kInterrupted);
  }
  errno = saved_errno;
}

}  // namespace

InterruptHandler::InterruptHandler() {
  interrupt_count = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kSignals.size(); ++i)
    sigaction(kSignals[i], &action, &previous_actions[i]);
}

InterruptHandler::~InterruptHandler() {
  for (std::size_t i = 0; i < kSignals.size(); ++i)
    sigaction(kSignals[i], &previous_actions[i], nullptr);
}

const std::atomic<int>& InterruptHandler::count() {
  return interrupt_count;
}

int InterruptHandler::tables_asked_for() {
  return tables;
}

}  // namespace qsohost::cli
