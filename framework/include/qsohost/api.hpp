// The boundary between host and plugins: which symbols are exported, and which version of the
// interface these headers describe.
#pragma once

#define QSOHOST_EXPORT __attribute__((visibility("default")))
#define QSOHOST_API QSOHOST_EXPORT

// Raised whenever a plugin built against older headers could no longer work with this host.
// The layout hash of plugin.hpp changes by itself; this number is the promise made to authors.
#define QSOHOST_API_NUMBER 3
#define QSOHOST_VERSION "0.1.0"
