#include "http/url.hpp"

#include <curl/curl.h>

#include <memory>

#include "base/secrets.hpp"
#include "http/headers.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline v1 {

namespace {

struct Cleanup {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Handle = std::unique_ptr<CURLU, Cleanup>;

Handle handle_of(const std::string& url) {
  Handle handle(curl_url());
  if (handle && curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    handle.reset();
  }
  return handle;
}

std::string part(const Handle& handle, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle.get(), which, &text, flags) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

}  // namespace

std::string UrlParts::remote_host() const {
  const bool usual = (scheme == "http" && port == "80") || (scheme == "https" && port == "443");
  return usual ? host : host + ":" + port;
}

std::optional<UrlParts> parse_url(const std::string& url) {
  const Handle handle = handle_of(url);
  if (!handle) return std::nullopt;
  UrlParts out{lower_case(part(handle, CURLUPART_SCHEME)), lower_case(part(handle, CURLUPART_HOST)),
               part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT)};
  if (out.host.empty() || (out.scheme != "http" && out.scheme != "https")) return std::nullopt;
  return out;
}

std::string public_url(const std::string& url) {
  const Handle handle = handle_of(url);
  if (!handle) return "(not a URL)";
  for (const CURLUPart hidden : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_FRAGMENT}) {
    curl_url_set(handle.get(), hidden, nullptr, 0);
  }
  return without_secrets(part(handle, CURLUPART_URL));
}

std::string resolved_url(const std::string& base, const std::string& reference) {
  const Handle handle = handle_of(base);
  if (!handle) return {};
  if (curl_url_set(handle.get(), CURLUPART_URL, reference.c_str(), 0) != CURLUE_OK) return {};
  return part(handle, CURLUPART_URL);
}

bool may_redirect(const UrlParts& from, const UrlParts& to) {
  if (from.host != to.host) return false;
  if (from.scheme == to.scheme) return from.port == to.port;
  return from.scheme == "http" && to.scheme == "https";
}

}  // namespace qsohost::inline v1
