// Conditions on columns, as users write them: "1 <= z < 1.1", "(flags & 131072) == 0 or z > 2".
//
//   or, and, not       of conditions
//   < <= > >= == !=    of numbers; may be chained: a < b < c
//   + - * / &          of numbers; & of whole numbers: the bits that both have
//   1.5, name, "name"  numbers, columns; quoted where a name is no plain word
//
// A comparison with a missing value (NaN) is false, != included.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qsohost::cli {

class Cut {
 public:
  // Throws UsageError with the position in the text; `option` is where the user wrote it.
  Cut(std::string_view text, std::string_view option);

  const std::string& text() const { return text_; }
  // The columns that it needs, each once.
  const std::vector<std::string>& columns() const { return columns_; }
  // values: of these columns, in that order.
  bool holds(std::span<const double> values) const { return condition_(values); }

 private:
  std::string text_;
  std::vector<std::string> columns_;
  std::function<bool(std::span<const double>)> condition_;
};

}  // namespace qsohost::cli
