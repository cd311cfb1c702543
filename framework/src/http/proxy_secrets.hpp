// Passwords of proxies.
#pragma once

namespace qsohost::inline v1 {

// libcurl takes proxies from the environment, and shows one that it cannot use with its password.
// From now on user names and passwords of proxies are secrets.
void note_proxy_secrets();

}  // namespace qsohost::inline v1
