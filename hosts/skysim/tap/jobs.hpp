// Jobs of a TAP service (IVOA UWS 1.1).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "archive_service.hpp"
#include "tap/request.hpp"

namespace qsohost::skysim {

class TapJobs {
 public:
  using Clock = std::chrono::system_clock;
  using Runner =
      std::function<ArchiveAnswer(const TapRequest&, const std::string& id)>;  // BadRequest

  // `seconds`: a job runs so long, at least. `id`: a name for the n-th job.
  TapJobs(Runner runner, ServiceLog& log, double seconds, std::string (*id)(std::uint64_t));

  std::string create(const TapRequest& request, bool is_stuck);
  bool has(const std::string& id) const;
  // Of existing jobs:
  void run(const std::string& id, bool fails);
  void abort(const std::string& id);
  void remove(const std::string& id);
  void set_destruction(const std::string& id, std::string time);
  std::string phase(const std::string& id) const;
  // The same as a client that asks: counts as a look at an unfinished job.
  std::string look(const std::string& id);
  // Until the job leaves its phase, or for so many seconds.
  void wait(const std::string& id, double seconds) const;
  std::string error(const std::string& id) const;
  std::optional<ArchiveAnswer> result(const std::string& id) const;  // none: not done

  std::string document(const std::string& id, const std::string& url) const;
  std::string parameters_xml(const std::string& id) const;
  std::string results_xml(const std::string& id, const std::string& url) const;
  std::string list(const std::string& url) const;
  std::string destruction(const std::string& id) const;

  std::map<std::string, int> phases() const;  // number of jobs in each

 private:
  struct Job {
    TapRequest request;
    Clock::time_point created{};
    Clock::time_point begin{};
    bool is_started = false;
    bool is_answered = false;
    bool is_aborted = false;
    bool is_stuck = false;
    std::string destruction;
    std::string error;
    ArchiveAnswer answer;
    int looks = 0;
    Clock::time_point last_look{};
  };
  std::string phase_of(const Job& job) const;
  std::string parameters_of(const Job& job) const;
  std::string results_of(const Job& job, const std::string& url) const;
  const Job& at(const std::string& id) const;  // throws BadRequest if it was deleted meanwhile

  Runner runner_;
  ServiceLog& log_;
  double seconds_;
  std::string (*id_)(std::uint64_t);
  mutable std::mutex mutex_;
  std::uint64_t next_ = 1;
  std::map<std::string, Job> jobs_;
};

}  // namespace qsohost::skysim
