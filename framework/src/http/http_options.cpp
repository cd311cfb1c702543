#include "qsohost/http_options.hpp"

#include <fmt/format.h>

namespace qsohost::inline v1 {

namespace {

double seconds(std::chrono::milliseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

const char* connections_help(const HttpPolicy& defaults) {
  return defaults.max_connections == 0
             ? "at a time to the archive; 0: as many as it sustains, which the host finds out"
             : "at a time to the archive; fewer while it sustains no more";
}

}  // namespace

HttpOptions::HttpOptions(OptionOwner* owner, const HttpPolicy& defaults, int most)
    : timeout(owner, "timeout", seconds(defaults.timeout), "of one request",
              {.unit = "s", .min = 0.1, .max = 3600, .affects_results = false}),
      max_attempts(owner, "max_attempts", defaults.max_attempts,
                   "of one request, while the archive answers others",
                   {.min = 1, .max = 100, .affects_results = false}),
      patience(owner, "patience", seconds(defaults.patience),
               "with no good response at all, before the archive is given up",
               {.unit = "s", .min = 1, .max = 604'800, .affects_results = false}),
      contact(owner, "contact", defaults.contact,
              "your e-mail or URL, so that the archive can write before it blocks",
              {.affects_results = false}),
      defaults_(defaults) {
  if (most == 1) return;
  max_connections.emplace(owner, "max_connections", defaults.max_connections,
                          connections_help(defaults),
                          OptionLimits{.min = defaults.max_connections == 0 ? 0.0 : 1.0,
                                       .max = static_cast<double>(most),
                                       .affects_results = false});
}

HttpPolicy HttpOptions::policy() const {
  HttpPolicy policy = defaults_;
  if (max_connections) policy.max_connections = static_cast<int>(**max_connections);
  policy.timeout = to_milliseconds(*timeout);
  policy.max_attempts = static_cast<int>(*max_attempts);
  policy.patience = to_milliseconds(*patience);
  policy.contact = *contact;
  return policy;
}

}  // namespace qsohost::inline v1
