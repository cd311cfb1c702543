// What of a URL decides who is asked, and what of it may be shown.
#pragma once

#include <optional>
#include <string>

namespace qsohost::inline v1 {

struct UrlParts {
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case
  std::string port;    // the scheme's own, if none is written

  // Of the remote host that bears the load: its name, and the port where it is not the usual one.
  std::string remote_host() const;
};

// None if it is no http or https URL.
std::optional<UrlParts> parse_url(const std::string& url);

// Without user name, password, fragment and any secret (see Context::secret), so that it can be
// shown.
std::string public_url(const std::string& url);

// What `reference` (a URL, or a path like "/tap/async/7") means in a document at `base`; "" if it
// means nothing.
std::string resolved_url(const std::string& base, const std::string& reference);

// True if an answer may send the question on from one URL to the other: the same scheme, host and
// port, or https instead of http at the same host.
bool may_redirect(const UrlParts& from, const UrlParts& to);

}  // namespace qsohost::inline v1
