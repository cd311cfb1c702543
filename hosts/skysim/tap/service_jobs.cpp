// Requests about jobs: /async/ID and what is below.
#include <fmt/format.h>

#include <algorithm>

#include "faulty_answers.hpp"
#include "qsohost/io/text.hpp"
#include "table_text.hpp"
#include "tap/service.hpp"
#include "ztf_query.hpp"

namespace qsohost::skysim {

namespace {

constexpr double kLongestWait = 60;  // seconds

}  // namespace

void TapService::create_job(const Request& request, Response& response) {
  if (springs_trap(false, response)) return;
  const TapRequest given = tap_request(request);
  const std::string id = jobs_.create(given, conditions_.traps.springs("stuck-job"));
  if (!manner_.needs_run && lower(given.get("phase")) == "run") {
    jobs_.run(id, conditions_.faults.job_fails());
  }
  redirect(request, response, "/async/" + id);
}

void TapService::job(const std::vector<std::string>& path, const Request& request,
                     Response& response) {
  if (!jobs_.has(path[1])) return refuse(response, 404, "there is no job " + path[1]);
  if (request.method == "DELETE") {
    jobs_.remove(path[1]);
    response.set_content("", "text/plain");
  } else if (request.method == "POST") {
    change_job(path, request, response);
  } else {
    read_job(path, request, response);
  }
}

void TapService::change_job(const std::vector<std::string>& path, const Request& request,
                            Response& response) {
  const std::string& id = path[1];
  const TapRequest given = tap_request(request);
  const std::string phase = lower(given.get("phase"));
  if (path.size() == 2 && lower(given.get("action")) == "delete") {
    jobs_.remove(id);
    return redirect(request, response, "/async");
  }
  if (path.size() == 3 && path[2] == "phase") {
    if (phase == "run") {
      jobs_.run(id, conditions_.faults.job_fails());
    } else if (phase == "abort") {
      jobs_.abort(id);
    } else {
      throw BadRequest(fmt::format("PHASE: RUN or ABORT, not '{}'", given.get("phase")));
    }
  } else if (path.size() == 3 && path[2] == "destruction") {
    jobs_.set_destruction(id, given.get("destruction"));
  } else if (path.size() != 3 || path[2] != "executionduration") {
    return refuse(response, 404, "nothing can be changed at " + request.path);
  }
  redirect(request, response, "/async/" + id);
}

void TapService::read_job(const std::vector<std::string>& path, const Request& request,
                          Response& response) {
  const std::string& id = path[1];
  const std::string what = path.size() > 2 ? path[2] : "";
  const std::string job_url = url(request) + "/async/" + id;
  const auto text = [&](const std::string& body) { response.set_content(body, "text/plain"); };
  const auto xml = [&](const std::string& body) { response.set_content(body, "application/xml"); };
  if (what == "phase" || what.empty()) {
    if (springs_trap(false, response)) return;
    jobs_.look(id);
    const auto seconds = parse_double(tap_request(request).get("wait"));
    if (seconds) jobs_.wait(id, *seconds < 0 ? kLongestWait : std::min(*seconds, kLongestWait));
    return what.empty() ? xml(jobs_.document(id, job_url)) : text(jobs_.phase(id));
  }
  if (what == "results" && path.size() > 3) {
    if (path[3] == "result" && manner_.redirects_to_result) {
      return redirect(request, response, "/async/" + id + "/results/rows");
    }
    return result(id, request, response);
  }
  if (what == "error") {
    response.set_content(error_votable(jobs_.error(id)), "application/x-votable+xml");
  } else if (what == "results") {
    xml(jobs_.results_xml(id, job_url));
  } else if (what == "parameters") {
    xml(jobs_.parameters_xml(id));
  } else if (what == "destruction") {
    text(jobs_.destruction(id));
  } else if (what == "executionduration") {
    text("1800");
  } else if (what == "owner") {
    text("anonymous");
  } else if (what == "quote") {
    text("");
  } else {
    refuse(response, 404, "there is nothing at " + request.path);
  }
}

void TapService::result(const std::string& id, const Request& request, Response& response) {
  if (springs_trap(true, response)) return;
  const auto found = jobs_.result(id);
  if (!found) return refuse(response, 404, "job " + id + " has no result");
  log_.add("results");
  give(*found, conditions_, log_, request, response);
}

}  // namespace qsohost::skysim
