#include "data/url_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>

#include "qsohost/error.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr std::string_view kBehindScheme = "://";

// Whether a parameter behind '?' is one that says who asks: token=..., api_key=...
bool has_secret_parameter(std::string_view url) {
  constexpr std::string_view kNames[] = {"access_token", "api_key",  "apikey", "auth_token",
                                         "passwd",       "password", "secret", "token"};
  for (std::size_t begin = url.find('?'); begin < url.size();) {
    const std::size_t end = std::min(url.find_first_of("&;", begin + 1), url.size());
    const std::string_view parameter = url.substr(begin + 1, end - begin - 1);
    const std::string name = lower_case(parameter.substr(0, parameter.find('=')));
    if (std::ranges::find(kNames, name) != std::end(kNames)) return true;
    begin = end;
  }
  return false;
}

// A refused URL is shown without anything that may be a password.
std::string shown(std::string_view text) {
  if (has_secret_parameter(text)) text = text.substr(0, text.find('?'));
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return std::string(text);
  const std::size_t scheme = text.find(kBehindScheme);
  const std::size_t begin =
      scheme == std::string_view::npos || scheme > at ? 0 : scheme + kBehindScheme.size();
  return std::string(text.substr(0, begin)) + std::string(text.substr(at + 1));
}

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw UsageError(fmt::format("wants a URL such as https://archive.org/path, not \"{}\": {}",
                               shown(text), why));
}

bool is_port(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= 1 && number <= 65535;
}

bool is_host(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) {  // IPv6
    return text.size() > 2 &&
           text.find_first_not_of("0123456789abcdefABCDEF:.", 1) == text.size() - 1;
  }
  const auto is_letter = [](unsigned char c) { return std::isalnum(c) != 0; };
  return std::ranges::any_of(text, is_letter) && std::ranges::all_of(text, [&](unsigned char c) {
           return is_letter(c) || c == '.' || c == '-' || c == '_';
         });
}

bool is_web(std::string_view text) {
  const std::string scheme = lower_case(text);
  return scheme == "http" || scheme == "https";
}

}  // namespace

void check_url(const std::string& text) {
  const std::size_t scheme = text.find(kBehindScheme);
  if (scheme == std::string::npos || !is_web(text.substr(0, scheme))) {
    refuse(text, "it must begin with https:// or http://");
  }
  const std::string_view rest = std::string_view(text).substr(scheme + kBehindScheme.size());
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  const std::size_t colon =
      authority.ends_with(']') ? std::string_view::npos : authority.rfind(':');
  const std::string_view host = authority.substr(0, colon);
  const bool has_port = colon != std::string_view::npos;
  const bool is_good = is_host(host) && (!has_port || is_port(authority.substr(colon + 1)));
  // A password may contain a slash: the apparent host and port are then part of the secret.
  const bool may_be_secret = !is_good && text.find('@') != std::string::npos;
  if (may_be_secret || authority.find('@') != std::string_view::npos ||
      has_secret_parameter(text)) {
    refuse(text,
           "a user name, password or token is in it, but options are stored and shown; take it out "
           "(a plugin takes what proves who asks from an environment variable, see its options)");
  }
  if (!is_host(host)) refuse(text, fmt::format("'{}' is no name of a host; correct it", host));
  if (!is_good) {
    refuse(text,
           fmt::format("port '{}' must be a number from 1 to 65535", authority.substr(colon + 1)));
  }
  const bool has_bad = std::ranges::any_of(
      text, [](unsigned char c) { return c <= ' ' || c == 0x7F || c == '\\' || c == '"'; });
  if (has_bad) refuse(text, "blanks, quotes, backslashes and control characters must be escaped");
  if (text.find('#') != std::string::npos)
    refuse(text, "a fragment (#...) is never sent; leave it out");
}

}  // namespace qsohost::inline v1
