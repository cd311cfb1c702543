#include "tap/uws.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "tap/answer.hpp"

namespace qsohost::skysim {

namespace {

constexpr std::string_view kNamespaces =
    "xmlns:uws=\"http://www.ivoa.net/xml/UWS/v1.0\" "
    "xmlns:xlink=\"http://www.w3.org/1999/xlink\" "
    "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" version=\"1.1\"";

std::string root_element(std::string_view root, std::string_view content) {
  return fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<uws:{0} {1}>\n{2}</uws:{0}>\n",
                     root, kNamespaces, content);
}

std::string or_nil(std::string_view name, const std::string& value) {
  if (value.empty()) return fmt::format("<uws:{} xsi:nil=\"true\"/>\n", name);
  return fmt::format("<uws:{0}>{1}</uws:{0}>\n", name, value);
}

}  // namespace

std::string uws_time(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%FT%T}Z", fmt::gmtime(std::chrono::floor<std::chrono::seconds>(time)));
}

std::string uws_element(const std::string& root, const std::string& content) {
  return root_element(root, content);
}

std::string uws_parameter(const std::string& name, const std::string& value) {
  return fmt::format("<uws:parameter id=\"{}\">{}</uws:parameter>\n", escaped_xml(name),
                     escaped_xml(value));
}

std::string uws_result(const std::string& url, const std::string& type) {
  return fmt::format(
      "<uws:result id=\"result\" xlink:type=\"simple\" xlink:href=\"{}\" mime-type=\"{}\"/>\n",
      escaped_xml(url), type);
}

std::string uws_reference(const std::string& id, const std::string& url, const std::string& phase) {
  return fmt::format(
      "<uws:jobref id=\"{}\" xlink:type=\"simple\" xlink:href=\"{}\">\n"
      "<uws:phase>{}</uws:phase>\n</uws:jobref>\n",
      id, escaped_xml(url), phase);
}

std::string uws_document(const UwsJob& job) {
  std::string xml = fmt::format(
      "<uws:jobId>{}</uws:jobId>\n<uws:runId xsi:nil=\"true\"/>\n"
      "<uws:ownerId>anonymous</uws:ownerId>\n<uws:phase>{}</uws:phase>\n"
      "<uws:quote xsi:nil=\"true\"/>\n<uws:creationTime>{}</uws:creationTime>\n",
      job.id, job.phase, job.created);
  xml += or_nil("startTime", job.begin) + or_nil("endTime", job.end);
  xml += fmt::format(
      "<uws:executionDuration>1800</uws:executionDuration>\n"
      "<uws:destruction>{}</uws:destruction>\n<uws:parameters>\n{}</uws:parameters>\n"
      "<uws:results>\n{}</uws:results>\n",
      job.destruction, job.parameters, job.results);
  if (!job.error.empty()) {
    xml += fmt::format(
        "<uws:errorSummary type=\"fatal\" hasDetail=\"true\">\n<uws:message>{}</uws:message>\n"
        "</uws:errorSummary>\n",
        escaped_xml(job.error));
  }
  return root_element("job", xml);
}

}  // namespace qsohost::skysim
