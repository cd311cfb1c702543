#include "plain_filter.hpp"

QSOHOST_PLUGIN("same-stage", "1.0.0", qsohost::stage<PlainFilter>("plain", "also does nothing"));
