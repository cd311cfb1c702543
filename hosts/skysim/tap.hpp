// The part of IRSA's TAP service (IVOA TAP 1.1, UWS 1.1) that queries ztf_objects_dr24 by uploaded
// positions:
//
//   SELECT [TOP n] columns FROM ztf_objects_dr24 [AS] o, TAP_UPLOAD.name [AS] u
//   WHERE CONTAINS(POINT('ICRS', o.ra, o.dec), CIRCLE('ICRS', u.ra, u.dec, radius)) = 1
//
// in any case and spacing, also as JOIN ... ON; columns: *, name.* or names, with AS.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "faults.hpp"
#include "ztf_query.hpp"

namespace qsohost::skysim {

// Runs a query at once. Throws BadRequest. `uploads`: name to VOTable.
ZtfAnswer run_adql(const ZtfStore& store, const std::string& query,
                   const std::map<std::string, std::string>& uploads, TextFormat format);

struct TapRequest {
  std::multimap<std::string, std::string> parameters;
  std::map<std::string, std::string> files;  // uploaded files, by name
};

// A parameter by its name in lower case; "" if missing.
std::string parameter(const TapRequest& request, const std::string& name);

class TapJobs {
 public:
  // The duration of a running job in seconds.
  TapJobs(const ZtfStore& store, Faults& faults, double seconds);

  std::string create(const TapRequest& request);  // returns the job's id
  bool has(const std::string& id) const;
  // Of existing jobs:
  void set_phase(const std::string& id, const std::string& phase);  // RUN or ABORT
  std::string phase(const std::string& id) const;
  std::string document(const std::string& id, const std::string& base) const;  // UWS XML
  std::string error(const std::string& id) const;
  std::optional<ZtfAnswer> result(const std::string& id,
                                  TextFormat& format) const;  // none: not done
  void remove(const std::string& id);
  std::map<std::string, int> phases() const;  // number of jobs in each

 private:
  using Clock = std::chrono::steady_clock;
  struct Job {
    TapRequest request;
    TextFormat format = TextFormat::VoTable;
    bool is_running = false;
    bool is_aborted = false;
    Clock::time_point begin{};
    std::string error;
    ZtfAnswer answer;
  };
  void run(Job& job);
  std::string phase_of(const Job& job) const;

  const ZtfStore& store_;
  Faults& faults_;
  double seconds_;
  mutable std::mutex mutex_;
  std::uint64_t next_id_ = 1;
  std::map<std::string, Job> jobs_;
};

// The query and uploads of a request (QUERY, FORMAT, UPLOAD=name,param:file). Throws BadRequest.
ZtfAnswer run_tap(const ZtfStore& store, const TapRequest& request, TextFormat& format);

}  // namespace qsohost::skysim
