// The host's callbacks only report and display; an exception from one must not end a run of days.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace qsohost::inline v1 {

// Notes the first failure of each callback. It must live as long as the callbacks that it guards.
class CallbackGuard {
 public:
  // `what`: the callback's name in a note, e.g. "the display of progress".
  template <class... Args>
  std::function<void(Args...)> guard(std::string what, std::function<void(Args...)> callback) {
    if (!callback) return {};
    return [this, what = std::move(what), callback = std::move(callback)](Args... args) {
      try {
        callback(std::forward<Args>(args)...);
      } catch (...) {
        note(what);
      }
    };
  }

  std::vector<std::string> notes() const;

 private:
  void note(const std::string& what) noexcept;  // within a catch block

  mutable std::mutex mutex_;
  std::set<std::string> failed_;
  std::vector<std::string> notes_;
};

}  // namespace qsohost::inline v1
