#include "form.hpp"

#include <string_view>

namespace qsohost::skysim {

namespace {

constexpr const char* kKept = "kept-form";  // in place of the form's Content-Type

}  // namespace

void keep_form(httplib::Request& request) {
  const auto type = request.headers.find("Content-Type");
  constexpr std::string_view form = "application/x-www-form-urlencoded";
  if (type != request.headers.end() && type->second.starts_with(form)) type->second = kKept;
}

httplib::Params parameters_of(const httplib::Request& request) {
  httplib::Params parameters = request.params;
  if (request.get_header_value("Content-Type") == kKept) {
    httplib::detail::parse_query_text(request.body, parameters);
  }
  return parameters;
}

}  // namespace qsohost::skysim
