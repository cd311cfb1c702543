#include "archive_service.hpp"

#include <fmt/format.h>

#include "faulty_answers.hpp"

namespace qsohost::skysim {

Fault give(const ArchiveAnswer& answer, const Conditions& conditions, ServiceLog& log,
           const httplib::Request& request, httplib::Response& response) {
  const Fault fault = conditions.faults.next();
  if (fault != Fault::None) {
    log.add(fmt::format("fault {}", kFaultNames[static_cast<std::size_t>(fault)]));
  }
  if (answer.is_gzipped) response.set_header("Content-Encoding", "gzip");
  if (fault == Fault::None || fault == Fault::Empty) {
    log.add("rows", fault == Fault::Empty ? 0 : answer.rows);
    response.set_content(fault == Fault::Empty ? answer.empty : answer.body, answer.type.c_str());
  } else {
    send_faulty(fault, request, response, answer.body, answer.type,
                {conditions.faults.part(), conditions.time_scale});
  }
  return fault;
}

}  // namespace qsohost::skysim
