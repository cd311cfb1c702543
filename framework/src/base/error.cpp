#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

Error::Error(const std::string& message) : std::runtime_error(message) {}

// Out of line, so that each class has one typeinfo, in this library.
Error::~Error() = default;
NotFound::~NotFound() = default;
TryAgain::~TryAgain() = default;
BadObject::~BadObject() = default;
UsageError::~UsageError() = default;
RunError::~RunError() = default;

}  // namespace qsohost::inline v1
