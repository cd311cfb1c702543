#include "plain_filter.hpp"

double spline_of_another_library(double x);

class Undefined : public PlainFilter {
 public:
  void apply(qsohost::Batch& batch, qsohost::Counts& counts) const override {
    counts.add(
        "x", "y",
        static_cast<std::int64_t>(spline_of_another_library(static_cast<double>(batch.rows()))));
  }
};

QSOHOST_PLUGIN("undefined-symbol", "1.0.0", qsohost::stage<Undefined>("undefined", "lacks a part"));
