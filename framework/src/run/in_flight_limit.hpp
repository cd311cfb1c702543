// How many batches may be in flight, so that together they stay within a budget of memory.
#pragma once

#include <algorithm>
#include <cstdint>

namespace qsohost::inline v1 {

class InFlightLimit {
 public:
  // At most `most`. `budget` in bytes, 0: none. Until the size of a batch is known, its `rows`
  // objects are taken for large ones.
  InFlightLimit(int most, std::int64_t budget, std::int64_t rows)
      : most_(most), budget_(budget), largest_(rows * kLargeObject) {}

  // Of a batch at its largest.
  void note(std::int64_t bytes) {
    largest_ = is_guess_ ? bytes : std::max(largest_, bytes);
    is_guess_ = false;
  }

  int now() const {
    if (budget_ == 0 || largest_ == 0) return most_;
    const std::int64_t fit = budget_ / largest_;
    return static_cast<int>(std::clamp<std::int64_t>(fit, std::min(kLeast, most_), most_));
  }

 private:
  // 1,300 epochs in all columns of ZTF.
  static constexpr std::int64_t kLargeObject = 256 << 10;
  // One is computed or written while the next is fetched.
  static constexpr int kLeast = 2;

  int most_;
  std::int64_t budget_;
  std::int64_t largest_;
  bool is_guess_ = true;
};

}  // namespace qsohost::inline v1
