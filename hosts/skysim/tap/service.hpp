// A TAP 1.1 service below a base path: sync, async, VOSI, as one archive runs it.
#pragma once

#include <httplib.h>

#include <string>
#include <vector>

#include "archive_service.hpp"
#include "tap/answer.hpp"
#include "tap/database.hpp"
#include "tap/jobs.hpp"

namespace qsohost::skysim {

// How an archive's service differs from others.
struct TapManner {
  std::string name;  // in /status
  std::string base;  // path: what has /sync and /async below it
  TapStyle style{};
  std::size_t sync_rows = 10'000'000;  // most rows of an answer
  std::size_t async_rows = 10'000'000;
  std::size_t most_uploaded = 100'000;  // rows of a table
  std::string (*job_id)(std::uint64_t) = nullptr;
  bool has_relative_location = false;  // of redirections
  bool needs_run = false;              // a job begins by PHASE=RUN to /phase only
  bool redirects_to_result = false;    // /results/result answers 303
  bool has_html_errors = false;
  // ESA's additions, which astroquery needs: flags of columns in /tables, and /deletejobs.
  bool is_tap_plus = false;
};

class TapService : public ArchiveService {
 public:
  TapService(TapManner manner, std::vector<TapTable> tables, const Conditions& conditions);

  // Answers everything below the base path.
  void add_to(httplib::Server& server) override;
  std::string name() const override { return manner_.name; }
  std::string status() const override;
  std::map<std::string, int> phases() const { return jobs_.phases(); }

 private:
  using Request = httplib::Request;
  using Response = httplib::Response;

  void handle(const Request& request, Response& response);
  void sync(const Request& request, Response& response);
  void stored(const std::string& key, const Request& request, Response& response);
  void create_job(const Request& request, Response& response);
  void job(const std::vector<std::string>& path, const Request& request, Response& response);
  void change_job(const std::vector<std::string>& path, const Request& request, Response& response);
  void read_job(const std::vector<std::string>& path, const Request& request, Response& response);
  void result(const std::string& id, const Request& request, Response& response);
  void vosi(const std::vector<std::string>& path, const Request& request, Response& response);

  ArchiveAnswer run(const TapRequest& request, const std::string& job);
  bool springs_trap(bool wants_rows, Response& response);
  void refuse(Response& response, int status, const std::string& message);
  void redirect(const Request& request, Response& response, const std::string& path);
  std::string url(const Request& request) const;

  TapManner manner_;
  Conditions conditions_;
  ServiceLog log_;
  TapDatabase database_;
  TapJobs jobs_;
  std::mutex mutex_;
  std::map<std::string, ArchiveAnswer> stored_;  // answers of sync that redirect
};

// VOSI 1.1, as XML. `url`: of the service.
std::string vosi_capabilities(const std::string& url, const TapManner& manner);
std::string vosi_availability();
std::string vosi_tables(const std::vector<TapTable>& tables, const TapManner& manner);

}  // namespace qsohost::skysim
