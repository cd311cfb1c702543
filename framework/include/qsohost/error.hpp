// What can go wrong, in five kinds that are never confused with one another.
//
// A plugin throws one of these with a message that says what happened and what to do. Where it
// happened (stage, batch, object) is known to the host, which adds it to the message.
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

// The archive answered, and it has nothing there. Not a failure: the object goes on without epochs.
class QSOHOST_API NotFound : public Error {
 public:
  using Error::Error;
  ~NotFound() override;
};

// No trustworthy answer: refused, throttled, cut short, unreachable. The object stays unsettled and
// can be asked for again; it never counts as "nothing there".
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

// What was asked for is wrong: an argument, the chain file, an option, a plugin. Thrown before
// anything else is opened, it ends the program with exit code 2. What a file or a server is found
// to lack is a RunError.
class QSOHOST_API UsageError : public Error {
 public:
  using Error::Error;
  ~UsageError() override;
};

// A file that is missing or damaged, a full disk, a server that refuses: the run stops with exit
// code 1 and can be resumed. Anything else that a stage throws ends so too.
class QSOHOST_API RunError : public Error {
 public:
  using Error::Error;
  ~RunError() override;
};

}  // namespace qsohost::inline v1
