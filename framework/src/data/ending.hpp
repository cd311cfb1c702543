// How an object ended, from what was thrown.
#pragma once

#include "qsohost/stage.hpp"

namespace qsohost::inline v1 {

// For use in a catch block: of NotFound, TryAgain and BadObject. Anything else is thrown on.
Ending caught_ending();

}  // namespace qsohost::inline v1
