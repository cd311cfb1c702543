// The cross-match service of the CDS: an uploaded table with a table of VizieR.
// http://cdsxmatch.u-strasbg.fr/xmatch/doc/API-calls.html
#pragma once

#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>

#include "archive_service.hpp"
#include "archives/vizier_catalogue.hpp"
#include "tap/request.hpp"

namespace qsohost::skysim {

class XMatchService : public ArchiveService {
 public:
  XMatchService(const std::filesystem::path& folder, const Conditions& conditions);

  void add_to(httplib::Server& server) override;
  std::string name() const override { return "xmatch"; }
  std::string status() const override { return log_.json(); }

 private:
  using Request = httplib::Request;
  using Response = httplib::Response;
  using Clock = std::chrono::steady_clock;

  class Job;  // under way during its lifetime

  void match(const Request& request, Response& response);
  void describe(const Request& request, Response& response);
  bool admits(bool is_job);
  ArchiveAnswer run_job(const Request& request);
  ArchiveAnswer answer(const TapRequest& request);
  TapRows matches(const TapRequest& request, const TapDatabase::Upload& left);
  std::vector<std::string> default_columns();
  const VizierCatalogue& catalogue();
  void refuse(Response& response, const std::string& message);
  static void forbid(Response& response);

  Conditions conditions_;
  ServiceLog log_;
  TapTable table_;
  std::mutex mutex_;
  std::optional<VizierCatalogue> catalogue_;  // once a job needs it
  int jobs_ = 0;                              // under way
  bool has_forbidden_ = false;
  Clock::time_point banned_until_{};
};

}  // namespace qsohost::skysim
