#include "plain_filter.hpp"

QSOHOST_PLUGIN("good", "1.0.0", qsohost::stage<PlainFilter>("plain", "does nothing"));
