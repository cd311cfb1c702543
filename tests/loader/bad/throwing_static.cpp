#include <stdexcept>

#include "plain_filter.hpp"

namespace {
int fail() {
  throw std::runtime_error("too early");
}
const int before_main = fail();
}  // namespace

class Static : public PlainFilter {
 public:
  void apply(qsohost::Batch& /*batch*/, qsohost::Counts& counts) const override {
    counts.add("x", "y", before_main);
  }
};

QSOHOST_PLUGIN("throwing-static", "1.0.0", qsohost::stage<Static>("static", "throws when loaded"));
