// The message of an exception that a plugin threw, copied at once: its class may be the plugin's
// own.
#pragma once

#include <string>

namespace qsohost::inline v1 {

// In place of "std::bad_alloc".
inline constexpr const char* kOutOfMemory =
    "out of memory; take fewer threads (-j), fewer batches at a time (--in-flight) or smaller ones "
    "(batch_rows in [chain]), or allow more memory (ulimit -v, --mem of SLURM)";

// For use in a catch block, for std::exception or any other type.
std::string current_exception_message();

// "spline(double)" for "_Z6splined".
std::string readable_name(const char* symbol);

}  // namespace qsohost::inline v1
