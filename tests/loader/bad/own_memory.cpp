// A stage that is not on the heap: the host must give it back to the plugin, not delete it.
#include <memory>
#include <stdexcept>

#include "plain_filter.hpp"

namespace {

alignas(PlainFilter) std::array<std::byte, sizeof(PlainFilter)> place;
bool is_taken = false;

qsohost::Stage* create() {
  if (is_taken) throw std::runtime_error("the one place is taken");
  is_taken = true;
  return new (place.data()) PlainFilter;
}

void destroy(qsohost::Stage* stage) {
  std::destroy_at(stage);
  is_taken = false;
}

}  // namespace

QSOHOST_PLUGIN("own-memory", "1.0.0",
               qsohost::StageEntry{"own-memory", "does nothing", qsohost::Role::Filter, create,
                                   destroy});
