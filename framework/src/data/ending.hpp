// The outcome of an object, from the exception thrown.
#pragma once

#include "qsohost/stage.hpp"

namespace qsohost::inline v1 {

// For use in a catch block: for NotFound, TryAgain and BadObject. Rethrows anything else.
Ending caught_ending();

}  // namespace qsohost::inline v1
