// What the values of one column must be for their epochs to stay.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <qsohost/column.hpp>

namespace epoch_quality {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

enum class Flag : std::uint8_t { Any, Set, Clear };  // set: not 0

// All of it must hold; the defaults hold for every value, but not for a missing one.
struct Condition {
  double low = -kInfinity;  // low <= value <= high
  double high = kInfinity;
  std::vector<double> numbers{};     // the value is one of these
  std::vector<std::string> texts{};  // the text is one of these
  std::int64_t clear_bits = 0;       // none of them is set
  std::int64_t set_bits = 0;         // all of them are set
  Flag flag = Flag::Any;
  bool keeps_missing = false;  // a null, NaN or an empty text holds too

  bool is_about_numbers() const;
  bool takes_any_value() const;
  // "0.5 <= chi <= 1.5", for the run's report.
  std::string text(std::string_view column) const;
  // Why it cannot be asked of a column of this type; "" if it can.
  std::string misfit(qsohost::DType dtype) const;
};

struct Failed {
  std::int64_t epochs = 0;
  std::int64_t removed = 0;  // of them, those that the mask still had
  std::int64_t missing = 0;  // of them, for want of a value
};

// Sets to 0 what fails in the mask, which has one entry per epoch.
Failed strike(const Condition& condition, const qsohost::Column& column,
              std::vector<std::uint8_t>& mask);

}  // namespace epoch_quality
