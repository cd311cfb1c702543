// The parts of a URL that identify the archive, and those that may be shown.
#pragma once

#include <optional>
#include <string>

namespace qsohost::inline v1 {

struct UrlParts {
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case
  std::string port;    // default: the scheme's

  // The archive that carries the load: host name, and the port if it is not the default.
  std::string remote_host() const;
};

// None if it is not an http or https URL.
std::optional<UrlParts> parse_url(const std::string& url);

// Without user name, password, fragment and any secret (see Context::secret); safe to show.
std::string public_url(const std::string& url);

// What `reference` (a URL, or a path like "/tap/async/7") resolves to in a document at `base`; ""
// if it is invalid.
std::string resolved_url(const std::string& base, const std::string& reference);

// True if a response may redirect from one URL to the other: same scheme, host and port, or https
// instead of http at the same host.
bool may_redirect(const UrlParts& from, const UrlParts& to);

}  // namespace qsohost::inline v1
