// What a thread is doing with a plugin just now, so that a crash can be told by name. Kept in plain
// memory that a signal handler can read whatever state the program is in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "qsohost/batch.hpp"

namespace qsohost::inline v1 {

// A text cut to what there is room for.
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
  ShortText object;  // the one at hand; empty: the batch as a whole
};

// What the calling thread is at, innermost first; none if it is in no call of a plugin. Safe in a
// signal handler.
const WorkingOn* working_on() noexcept;

// As long as it lives, the thread is at this.
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

// As long as it lives, the thread is at this object, within what it was at already (if anything).
class AtObject {
 public:
  AtObject(const Batch& batch, std::size_t row);
  ~AtObject();
  AtObject(const AtObject&) = delete;
  AtObject& operator=(const AtObject&) = delete;
};

}  // namespace qsohost::inline v1
