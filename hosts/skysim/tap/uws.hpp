// XML of UWS 1.1.
#pragma once

#include <chrono>
#include <string>

namespace qsohost::skysim {

struct UwsJob {
  std::string id;
  std::string phase;
  std::string created;
  std::string begin;  // "": not yet, as are `end` and `error`
  std::string end;
  std::string destruction;
  std::string parameters;  // XML, see below
  std::string results;
  std::string error;
};
std::string uws_document(const UwsJob& job);

std::string uws_parameter(const std::string& name, const std::string& value);
std::string uws_result(const std::string& url, const std::string& type);
std::string uws_reference(const std::string& id, const std::string& url, const std::string& phase);
// A document whose root is "jobs", "parameters" or "results".
std::string uws_element(const std::string& root, const std::string& content);
std::string uws_time(std::chrono::system_clock::time_point time);

}  // namespace qsohost::skysim
