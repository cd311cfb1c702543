// Where a crash is written; -1: nowhere.
#pragma once

#include <atomic>

namespace qsohost::inline v1 {

extern std::atomic<int> crash_descriptor;

}  // namespace qsohost::inline v1
