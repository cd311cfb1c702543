// What a plugin built against the headers of interface 2 looks like to this host.
#include <qsohost/api.hpp>
#undef QSOHOST_API_NUMBER
#define QSOHOST_API_NUMBER 2
#include "plain_filter.hpp"

QSOHOST_PLUGIN("older-api", "1.0.0", qsohost::stage<PlainFilter>("plain", "does nothing"));
