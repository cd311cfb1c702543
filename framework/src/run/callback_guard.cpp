#include "run/callback_guard.hpp"

#include <fmt/format.h>

#include "base/caught.hpp"

namespace qsohost::inline v1 {

std::vector<std::string> CallbackGuard::notes() const {
  const std::lock_guard lock(mutex_);
  return notes_;
}

void CallbackGuard::note(const std::string& what) noexcept {
  try {
    const std::string words = current_exception_message();
    const std::lock_guard lock(mutex_);
    if (failed_.insert(what).second) {
      notes_.push_back(fmt::format("{} failed, and the run went on: {}", what, words));
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): without memory there is no note either
  }
}

}  // namespace qsohost::inline v1
