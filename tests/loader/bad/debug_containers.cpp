// Built with other flags than the host: see CMakeLists.txt.
#include "plain_filter.hpp"

QSOHOST_PLUGIN("debug-containers", "1.0.0", qsohost::stage<PlainFilter>("plain", "does nothing"));
