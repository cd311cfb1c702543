#include "http/tap_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace qsohost::inline v1 {

namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

std::string escape_xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

Parameters parameters_of(const TapQuery& query) {
  Parameters out{{"REQUEST", "doQuery"},
                 {"LANG", query.language},
                 {query.format_parameter, query.format},
                 {"QUERY", query.adql}};
  if (query.max_rows > 0) out.emplace_back("MAXREC", fmt::format("{}", query.max_rows));
  out.insert(out.end(), query.parameters.begin(), query.parameters.end());
  if (query.as_job) out.emplace_back("PHASE", "RUN");
  std::string uploads;
  for (const TapUpload& upload : query.uploads) {
    uploads += fmt::format("{}{},param:{}", uploads.empty() ? "" : ";", upload.name, upload.name);
  }
  if (!uploads.empty()) out.emplace_back("UPLOAD", uploads);
  return out;
}

std::string to_form(const Parameters& parameters) {
  std::string out;
  for (const auto& [name, value] : parameters) {
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", escape(name), escape(value));
  }
  return out;
}

// A line that occurs in none of the parts. The same query gets the same one, so that a resumed run
// finds its stored response.
std::string boundary_of(const Parameters& parameters, const std::vector<TapUpload>& uploads) {
  std::string boundary = "qsohost-0f1e2d3c4b5a";
  const auto is_in = [&](const std::string& text) { return text.find(boundary) != text.npos; };
  while (std::ranges::any_of(parameters, [&](const auto& p) { return is_in(p.second); }) ||
         std::ranges::any_of(uploads, [&](const auto& u) { return is_in(u.content); })) {
    boundary += "-0";
  }
  return boundary;
}

// multipart/form-data (RFC 7578); uploads are parts with a file name.
void set_parts(Request& request, const Parameters& parameters,
               const std::vector<TapUpload>& uploads) {
  const std::string boundary = boundary_of(parameters, uploads);
  request.content_type = fmt::format("multipart/form-data; boundary={}", boundary);
  for (const auto& [name, value] : parameters) {
    request.body += fmt::format("--{}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{}\r\n",
                                boundary, name, value);
  }
  for (const TapUpload& upload : uploads) {
    request.body += fmt::format(
        "--{}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}.xml\"\r\n"
        "Content-Type: {}\r\n\r\n{}\r\n",
        boundary, upload.name, upload.name, upload.content_type, upload.content);
  }
  request.body += fmt::format("--{}--\r\n", boundary);
}

}  // namespace

std::string to_votable(std::span<const UploadColumn> columns,
                       std::span<const std::vector<std::string>> rows) {
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<VOTABLE version=\"1.3\" xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\">\n"
      "<RESOURCE><TABLE>\n";
  for (const UploadColumn& column : columns) {
    out += fmt::format(
        "<FIELD name=\"{}\" datatype=\"{}\"{}{}/>\n", escape_xml(column.name), column.datatype,
        column.datatype == "char" ? " arraysize=\"*\"" : "",
        column.unit.empty() ? std::string() : fmt::format(" unit=\"{}\"", escape_xml(column.unit)));
  }
  out += "<DATA><TABLEDATA>\n";
  for (const std::vector<std::string>& row : rows) {
    out += "<TR>";
    for (const std::string& cell : row) out += "<TD>" + escape_xml(cell) + "</TD>";
    out += "</TR>\n";
  }
  return out + "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>\n";
}

Request tap_form(std::string url, const std::string& name, const std::string& value) {
  Request request;
  request.url = std::move(url);
  request.method = "POST";
  request.content_type = "application/x-www-form-urlencoded";
  request.body = to_form({{name, value}});
  return request;
}

Request tap_request(const TapQuery& query) {
  Request request;
  request.url = query.url + (query.as_job ? "/async" : "/sync");
  request.method = "POST";  // a list of ids is longer than URLs may be
  request.headers = query.headers;
  request.about = query.about;
  const Parameters parameters = parameters_of(query);
  if (query.uploads.empty()) {
    request.content_type = "application/x-www-form-urlencoded";
    request.body = to_form(parameters);
  } else if (query.parameters_in_url) {
    request.url += "?" + to_form(parameters);
    set_parts(request, {}, query.uploads);
  } else {
    set_parts(request, parameters, query.uploads);
  }
  return request;
}

}  // namespace qsohost::inline v1
