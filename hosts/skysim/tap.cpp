#include "tap.hpp"

#include <fmt/format.h>

#include <sstream>

namespace qsohost::skysim {

namespace {

// UPLOAD=name,param:file;name2,param:file2
std::map<std::string, std::string> uploads_of(const TapRequest& request) {
  std::map<std::string, std::string> uploads;
  std::istringstream in(parameter(request, "upload"));
  for (std::string part; std::getline(in, part, ';');) {
    const std::size_t comma = part.find(',');
    if (comma == std::string::npos || part.compare(comma + 1, 6, "param:") != 0) {
      throw BadRequest(fmt::format("UPLOAD: 'name,param:file' is wanted, not '{}'", part));
    }
    const auto file = request.files.find(part.substr(comma + 7));
    if (file == request.files.end()) {
      throw BadRequest(fmt::format("UPLOAD: nothing named '{}' was sent", part.substr(comma + 7)));
    }
    uploads[lower(part.substr(0, comma))] = file->second;
  }
  return uploads;
}

}  // namespace

std::string parameter(const TapRequest& request, const std::string& name) {
  for (const auto& [key, value] : request.parameters) {
    if (lower(key) == name) return value;
  }
  return "";
}

ZtfAnswer run_tap(const ZtfStore& store, const TapRequest& request, TextFormat& format) {
  std::string name = parameter(request, "format");
  if (name.empty()) name = parameter(request, "responseformat");
  if (name.empty()) name = "votable";
  const auto known = text_format(name);
  if (!known) throw BadRequest(fmt::format("FORMAT: there is no '{}'", name));
  format = *known;
  if (parameter(request, "query").empty()) throw BadRequest("QUERY is needed");
  return run_adql(store, parameter(request, "query"), uploads_of(request), format);
}

TapJobs::TapJobs(const ZtfStore& store, Faults& faults, double seconds)
    : store_(store), faults_(faults), seconds_(seconds) {}

std::string TapJobs::create(const TapRequest& request) {
  std::string id;
  {
    const std::lock_guard lock(mutex_);
    id = fmt::format("tap_{:06}", next_id_++);
    jobs_[id].request = request;
  }
  if (lower(parameter(request, "phase")) == "run") set_phase(id, "RUN");
  return id;
}

bool TapJobs::has(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return jobs_.contains(id);
}

// The work is done at once; the phases simulate its duration.
void TapJobs::run(Job& job) {
  job.is_running = true;
  job.begin = Clock::now();
  try {
    job.answer = run_tap(store_, job.request, job.format);
    if (faults_.job_fails()) job.error = "the database is not available";
  } catch (const BadRequest& error) {
    job.error = error.what();
  }
  job.request.files.clear();
}

void TapJobs::set_phase(const std::string& id, const std::string& phase) {
  const std::lock_guard lock(mutex_);
  const auto it = jobs_.find(id);
  if (it == jobs_.end()) return;
  if (lower(phase) == "run") {
    if (!it->second.is_running) run(it->second);
  } else if (lower(phase) == "abort") {
    it->second.is_aborted = true;
  } else {
    throw BadRequest(fmt::format("PHASE: RUN or ABORT, not '{}'", phase));
  }
}

std::string TapJobs::phase_of(const Job& job) const {
  if (job.is_aborted) return "ABORTED";
  if (!job.is_running) return "PENDING";
  const double passed = std::chrono::duration<double>(Clock::now() - job.begin).count() / seconds_;
  if (passed < 0.1) return "QUEUED";
  if (passed < 1) return "EXECUTING";
  return job.error.empty() ? "COMPLETED" : "ERROR";
}

std::string TapJobs::phase(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return phase_of(jobs_.at(id));
}

std::string TapJobs::error(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const Job& job = jobs_.at(id);
  return phase_of(job) == "ERROR" ? job.error : "";
}

std::string TapJobs::document(const std::string& id, const std::string& base) const {
  const std::lock_guard lock(mutex_);
  const Job& job = jobs_.at(id);
  const std::string phase = phase_of(job);
  std::string more;
  if (phase == "COMPLETED") {
    more = fmt::format(
        "  <uws:results><uws:result id=\"result\" xlink:type=\"simple\" "
        "xlink:href=\"{}/results/result\"/></uws:results>\n",
        base);
  } else if (phase == "ERROR") {
    more =
        "  <uws:errorSummary type=\"fatal\" hasDetail=\"true\"><uws:message>see error"
        "</uws:message></uws:errorSummary>\n";
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<uws:job xmlns:uws=\"http://www.ivoa.net/xml/UWS/v1.0\" "
      "xmlns:xlink=\"http://www.w3.org/1999/xlink\" version=\"1.1\">\n"
      "  <uws:jobId>{}</uws:jobId>\n  <uws:phase>{}</uws:phase>\n"
      "  <uws:executionDuration>0</uws:executionDuration>\n{}</uws:job>\n",
      id, phase, more);
}

std::optional<ZtfAnswer> TapJobs::result(const std::string& id, TextFormat& format) const {
  const std::lock_guard lock(mutex_);
  const Job& job = jobs_.at(id);
  if (phase_of(job) != "COMPLETED") return std::nullopt;
  format = job.format;
  return job.answer;
}

void TapJobs::remove(const std::string& id) {
  const std::lock_guard lock(mutex_);
  jobs_.erase(id);
}

std::map<std::string, int> TapJobs::phases() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, int> count;
  for (const auto& [id, job] : jobs_) ++count[phase_of(job)];
  return count;
}

}  // namespace qsohost::skysim
