// An archive that `skysim serve` plays, below a path of its own.
#pragma once

#include <httplib.h>

#include <string>

#include "faults.hpp"
#include "service_log.hpp"
#include "traps.hpp"

namespace qsohost::skysim {

// What all services of a server share.
struct Conditions {
  Faults& faults;
  Traps& traps;
  double job_seconds;
  double time_scale;
};

class ArchiveService {
 public:
  ArchiveService() = default;
  virtual ~ArchiveService() = default;
  ArchiveService(const ArchiveService&) = delete;
  ArchiveService& operator=(const ArchiveService&) = delete;

  virtual void add_to(httplib::Server& server) = 0;
  virtual std::string name() const = 0;    // in /status
  virtual std::string status() const = 0;  // JSON
};

struct ArchiveAnswer {
  std::string body;
  std::string type;
  std::string empty;  // the same without rows
  std::size_t rows = 0;
  bool is_gzipped = false;
};

// The answer, or what the next fault makes of it, which is returned. Counts both in the log.
Fault give(const ArchiveAnswer& answer, const Conditions& conditions, ServiceLog& log,
           const httplib::Request& request, httplib::Response& response);

}  // namespace qsohost::skysim
