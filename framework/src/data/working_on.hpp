// The current call of each thread into a plugin, so that a crash report can name it. Kept in plain
// memory that a signal handler can read in any state of the program.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "qsohost/batch.hpp"

namespace qsohost::inline v1 {

// A text truncated to a fixed size.
class ShortText {
 public:
  ShortText& operator=(std::string_view text) {
    length_ = text.copy(bytes_.data(), bytes_.size());
    return *this;
  }
  std::string_view view() const { return {bytes_.data(), length_}; }

 private:
  std::array<char, 96> bytes_{};
  std::size_t length_ = 0;
};

struct WorkingOn {
  ShortText stage;   // its label
  ShortText plugin;  // "throws of plugin oops 0.1.0"
  bool has_batch = false;
  std::uint64_t batch = 0;
  ShortText first_object;  // of the batch; empty if it has none yet
  ShortText last_object;
  ShortText object;  // the current one; empty: the batch as a whole
};

// The calling thread's current calls, innermost first; null outside any call of a plugin. Safe in a
// signal handler.
const WorkingOn* working_on() noexcept;

// Marks the thread as being in this call for its lifetime.
class AtWork {
 public:
  explicit AtWork(const WorkingOn& what) noexcept;
  ~AtWork();
  AtWork(const AtWork&) = delete;
  AtWork& operator=(const AtWork&) = delete;

 private:
  WorkingOn what_;
  WorkingOn* before_;
};

// Marks the thread as working on this object for its lifetime, within its current call (if any).
class AtObject {
 public:
  AtObject(const Batch& batch, std::size_t row);
  ~AtObject();
  AtObject(const AtObject&) = delete;
  AtObject& operator=(const AtObject&) = delete;
};

}  // namespace qsohost::inline v1
