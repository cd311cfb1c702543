// Quartiles of more numbers than fit in memory, bin by bin: each sweep over all numbers counts them
// by value between two limits, and the next one narrows these, until the few that are left fit. The
// values are those of sorting, to the last bit.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace sf {

// Of one bin, with linear interpolation between neighbouring sorted numbers.
class Quantile {
 public:
  // `room`: limit of stored numbers or of counters, at least 2.
  Quantile(double fraction, std::size_t numbers, std::size_t room);

  bool is_known() const { return state_ == State::Known; }
  double value() const { return value_; }  // NaN until known

  void add(std::uint64_t key) {
    if (state_ == State::Counting) {
      if (key >= low_ && key <= high_) ++kept_[(key - low_) >> shift_];
    } else if (state_ == State::Keeping) {
      if (key > high_)
        next_ = std::min(next_, key);
      else if (key >= low_ && low_ < high_)
        kept_.push_back(key);
    }
  }
  void end_sweep();

 private:
  enum class State : std::uint8_t { Counting, Keeping, Known };
  void prepare();
  std::uint64_t kept_at_rank();
  std::uint64_t key_above() const;

  std::size_t rank_ = 0;     // of the lower number, among those between the limits
  double rest_ = 0;          // distance to the next one
  std::size_t numbers_ = 0;  // between the limits
  std::size_t room_ = 0;
  std::uint64_t low_ = 0, high_ = std::numeric_limits<std::uint64_t>::max();  // keys, inclusive
                                                                              // limits
  std::uint64_t next_ = std::numeric_limits<std::uint64_t>::max();            // the lowest above
                                                                              // the limits
  int shift_ = 0;
  std::vector<std::uint64_t> kept_;  // counters, or keys
  State state_ = State::Known;
  double value_ = std::numeric_limits<double>::quiet_NaN();
};

class Quartiles {
 public:
  // `numbers`: how many each bin will get in a sweep; 0 for ignored bins, which may get any number.
  explicit Quartiles(std::span<const std::size_t> numbers);

  bool need_sweep() const;
  void add(std::size_t bin, double number) {
    const auto bits = std::bit_cast<std::uint64_t>(number);
    // Integers that sort like the numbers.
    const std::uint64_t key = (bits >> 63) != 0 ? ~bits : bits | (std::uint64_t{1} << 63);
    lower_[bin].add(key);
    upper_[bin].add(key);
  }
  void end_sweep();

  double range(std::size_t bin) const { return upper_[bin].value() - lower_[bin].value(); }

 private:
  std::vector<Quantile> lower_, upper_;
};

}  // namespace sf
