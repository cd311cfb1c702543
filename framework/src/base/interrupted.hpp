// The user wants the run to stop, and a batch is left undone for --resume. Not a failure of a
// stage.
#pragma once

#include <exception>

namespace qsohost::inline v1 {

class Interrupted final : public std::exception {
 public:
  const char* what() const noexcept override { return "interrupted"; }
};

}  // namespace qsohost::inline v1
