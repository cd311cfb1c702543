// The options of a stage that sends requests, to be a member of it:
//
//   HttpOptions http_{this, {.timeout = 300s}};
//   HttpPolicy policy() const override { return http_.policy(); }
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "qsohost/http.hpp"
#include "qsohost/option.hpp"

namespace qsohost::inline v1 {

// A time as options give it.
inline std::chrono::milliseconds to_milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(1000 * seconds));
}

class QSOHOST_API HttpOptions {
 public:
  // `most`: connections that the archive allows. With 0 for its max_connections the host finds out
  // how many it sustains.
  HttpOptions(OptionOwner* owner, const HttpPolicy& defaults, int most);

  // The defaults with what the user has set.
  HttpPolicy policy() const;

  std::optional<Option<std::int64_t>> max_connections;  // none where the archive allows one
  Option<double> timeout;                               // s
  Option<std::int64_t> max_attempts;
  Option<double> patience;  // s
  Option<std::string> contact;

 private:
  HttpPolicy defaults_;
};

}  // namespace qsohost::inline v1
