// For a stage that asks archives without the host: with a library of theirs, or a client of its
// own.
#pragma once

#include "qsohost/api.hpp"

namespace qsohost::inline v1 {

// A base class besides that of the stage's role. Better is an HttpStage, if it can be one
// (http.hpp): its connections are limited, and its responses are stored.
class QSOHOST_API OwnClient {
 public:
  virtual ~OwnClient();
  // True if it sends requests, its options being as they are. The chain is then refused by
  // --fetch-only and --offline, for its responses can be neither stored nor had again. Called
  // before open().
  virtual bool sends_requests() const = 0;
};

}  // namespace qsohost::inline v1
