// What can go wrong, in five distinct classes.
//
// A plugin throws one of these with a message that says what happened and what to do. The host
// knows where it happened (stage, batch, object) and adds that to the message.
#pragma once

#include <stdexcept>
#include <string>

#include "qsohost/api.hpp"

namespace qsohost::inline v1 {

class QSOHOST_API Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message);
  ~Error() override;
};

// The archive responded, and it has nothing there. Not a failure: the object goes on without
// epochs.
class QSOHOST_API NotFound : public Error {
 public:
  using Error::Error;
  ~NotFound() override;
};

// No trustworthy response: refused, rate-limited, cut short, unreachable. The object stays
// unsettled and can be retried; it never counts as "nothing there".
class QSOHOST_API TryAgain : public Error {
 public:
  using Error::Error;
  ~TryAgain() override;
};

// This one object cannot be parsed or fitted. It is flagged, its results stay NaN, the run goes on.
class QSOHOST_API BadObject : public Error {
 public:
  using Error::Error;
  ~BadObject() override;
};

// A mistake in the invocation: an argument, the chain file, an option, a plugin. Thrown before
// anything else is opened, it ends the program with exit code 2. What a file or a server lacks is a
// RunError.
class QSOHOST_API UsageError : public Error {
 public:
  using Error::Error;
  ~UsageError() override;
};

// A file that is missing or damaged, a full disk, a server that refuses: the run stops with exit
// code 1 and can be resumed. Anything else that a stage throws becomes one too.
class QSOHOST_API RunError : public Error {
 public:
  using Error::Error;
  ~RunError() override;
};

}  // namespace qsohost::inline v1
