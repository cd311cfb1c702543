#include "plain_filter.hpp"

namespace {
const int* volatile nowhere = nullptr;
const int before_main = *nowhere;
}  // namespace

class Static : public PlainFilter {
 public:
  void apply(qsohost::Batch& /*batch*/, qsohost::Counts& counts) const override {
    counts.add("x", "y", before_main);
  }
};

QSOHOST_PLUGIN("crashing-static", "1.0.0", qsohost::stage<Static>("static", "crashes when loaded"));
