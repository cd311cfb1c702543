#include "http/proxy_secrets.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/secrets.hpp"

namespace qsohost::inline v1 {

void note_proxy_secrets() {
  // Those that libcurl reads for http and https.
  for (const char* variable :
       {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    const char* const value = std::getenv(variable);
    std::string_view proxy = value == nullptr ? "" : value;
    const std::size_t at = proxy.rfind('@');
    if (at == std::string_view::npos) continue;
    proxy = proxy.substr(0, at);
    if (const std::size_t scheme = proxy.find("://"); scheme != std::string_view::npos) {
      proxy.remove_prefix(scheme + 3);
    }
    if (proxy.empty()) continue;
    note_secret(std::string(proxy), variable);
    const std::string_view password = proxy.substr(std::min(proxy.find(':'), proxy.size()));
    if (password.size() > 1) note_secret(std::string(password.substr(1)), variable);
  }
}

}  // namespace qsohost::inline v1
