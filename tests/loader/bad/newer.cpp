#include "plain_filter.hpp"

QSOHOST_PLUGIN("good", "9.0.0", qsohost::stage<PlainFilter>("plain", "does nothing"));
