// Where an axis has ticks, and what they say.
#pragma once

#include <string>
#include <vector>

#include "plot/figure.hpp"

namespace qsohost::plot {

struct Tick {
  double value = 0;
  std::string text{};      // "" of a minor tick
  std::string exponent{};  // raised behind the text: "10" and "-3"
  bool is_minor = false;
};

struct Ticks {
  std::vector<Tick> ticks{};  // majors in ascending order, then minors
  int exponent = 0;           // the texts are in units of 10^exponent
};

// Ticks from lo to hi (lo < hi, finite, and 0 < lo if logarithmic), about `labels` with a text: at
// steps of 1, 2 or 5 times a power of ten; on a logarithmic axis at decades, or at 1, 2, 5 in each
// if there are few.
Ticks ticks(Scale scale, double lo, double hi, int labels);

}  // namespace qsohost::plot
