// The forced photometry server of ATLAS: tasks in a queue, for users with a token.
// https://fallingstar-data.com/forcedphot/apiguide/
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "archive_service.hpp"
#include "archives/atlas_photometry.hpp"
#include "tap/request.hpp"

namespace qsohost::skysim {

// Of the only user, whose name and password are both "skysim".
inline constexpr const char* kAtlasToken = "skysim-atlas-token";

class AtlasService : public ArchiveService {
 public:
  AtlasService(const std::filesystem::path& folder, const Conditions& conditions);

  void add_to(httplib::Server& server) override;
  std::string name() const override { return "atlas"; }
  std::string status() const override;

 private:
  using Request = httplib::Request;
  using Response = httplib::Response;
  using Clock = std::chrono::system_clock;

  struct Task {
    AtlasRequest request;
    std::string comment;
    Clock::time_point created{};
    bool is_stuck = false;
    bool fails = false;
    bool is_finished = false;
    std::string result;  // of a finished task; "": there are no exposures
    int looks = 0;
    Clock::time_point last_look{};
  };

  void log_in(const Request& request, Response& response);
  void submit(const Request& request, Response& response);
  void list(const Request& request, Response& response);
  void show(const Request& request, Response& response);
  void remove(const Request& request, Response& response);
  void result(const Request& request, Response& response);

  httplib::Server::Handler authorised(httplib::Server::Handler handler);
  bool is_throttled(Response& response);
  std::vector<std::uint64_t> add_tasks(const TapRequest& request);
  std::string look(std::uint64_t id, Task& task, const std::string& host);
  std::string document(std::uint64_t id, const Task& task, const std::string& host) const;
  Clock::duration duration(double part) const;
  void throttle(Response& response, std::chrono::seconds seconds, const std::string& wait);
  void refuse(Response& response, int status, const std::string& body);

  Conditions conditions_;
  ServiceLog log_;
  AtlasPhotometry photometry_;
  mutable std::mutex mutex_;
  std::uint64_t next_ = 1'234'001;
  std::map<std::uint64_t, Task> tasks_;
  Clock::time_point posts_from_{};
};

}  // namespace qsohost::skysim
