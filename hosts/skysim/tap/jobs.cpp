#include "tap/jobs.hpp"

#include <fmt/format.h>

#include <thread>

#include "tap/uws.hpp"
#include "ztf_query.hpp"

namespace qsohost::skysim {

namespace {

constexpr int kFreeLooks = 4;  // at a job, before the time between them counts
constexpr auto kLifetime = std::chrono::hours(72);

}  // namespace

TapJobs::TapJobs(Runner runner, ServiceLog& log, double seconds, std::string (*id)(std::uint64_t))
    : runner_(std::move(runner)), log_(log), seconds_(seconds), id_(id) {}

std::string TapJobs::create(const TapRequest& request, bool is_stuck) {
  const std::lock_guard lock(mutex_);
  const std::string id = id_(next_++);
  Job& job = jobs_[id];
  job.request = request;
  job.is_stuck = is_stuck;
  job.created = Clock::now();
  job.destruction = uws_time(job.created + kLifetime);
  log_.add("jobs");
  return id;
}

bool TapJobs::has(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return jobs_.contains(id);
}

const TapJobs::Job& TapJobs::at(const std::string& id) const {
  const auto it = jobs_.find(id);
  if (it == jobs_.end()) throw BadRequest("there is no job " + id);
  return it->second;
}

// The work is done at once; the phases simulate its duration.
void TapJobs::run(const std::string& id, bool fails) {
  TapRequest request;
  {
    const std::lock_guard lock(mutex_);
    const auto it = jobs_.find(id);
    if (it == jobs_.end() || it->second.is_started || it->second.is_aborted) return;
    it->second.is_started = true;
    it->second.begin = Clock::now();
    request = it->second.request;
    it->second.request.files.clear();
  }
  ArchiveAnswer answer;
  std::string error = fails ? "the database is not available" : "";
  try {
    answer = runner_(request, id);
  } catch (const BadRequest& refused) {
    error = refused.what();
  }
  const std::lock_guard lock(mutex_);
  const auto it = jobs_.find(id);
  if (it == jobs_.end()) return;
  it->second.answer = std::move(answer);
  it->second.error = std::move(error);
  it->second.is_answered = true;
}

void TapJobs::abort(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (const auto it = jobs_.find(id); it != jobs_.end()) it->second.is_aborted = true;
}

void TapJobs::remove(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (jobs_.erase(id) > 0) log_.add("deleted jobs");
}

void TapJobs::set_destruction(const std::string& id, std::string time) {
  const std::lock_guard lock(mutex_);
  if (const auto it = jobs_.find(id); it != jobs_.end()) it->second.destruction = std::move(time);
}

std::string TapJobs::phase_of(const Job& job) const {
  if (job.is_aborted) return "ABORTED";
  if (!job.is_started) return "PENDING";
  const double passed = std::chrono::duration<double>(Clock::now() - job.begin).count() / seconds_;
  if (passed < 0.1) return "QUEUED";
  if (passed < 1 || job.is_stuck || !job.is_answered) return "EXECUTING";
  return job.error.empty() ? "COMPLETED" : "ERROR";
}

std::string TapJobs::phase(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return phase_of(at(id));
}

std::string TapJobs::look(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto it = jobs_.find(id);
  if (it == jobs_.end()) throw BadRequest("there is no job " + id);
  Job& job = it->second;
  const std::string phase = phase_of(job);
  const auto now = Clock::now();
  log_.raise("most looks at a job", static_cast<std::uint64_t>(++job.looks));
  if (job.looks > kFreeLooks) {
    const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(now - job.last_look);
    log_.lower_to("shortest wait between looks (ms)", static_cast<std::uint64_t>(wait.count()));
  }
  job.last_look = now;
  return phase;
}

void TapJobs::wait(const std::string& id, double seconds) const {
  const std::string before = phase(id);
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end && phase(id) == before) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

std::string TapJobs::error(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const Job& job = at(id);
  return phase_of(job) == "ERROR" ? job.error : "";
}

std::optional<ArchiveAnswer> TapJobs::result(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const Job& job = at(id);
  if (phase_of(job) != "COMPLETED") return std::nullopt;
  return job.answer;
}

std::string TapJobs::parameters_of(const Job& job) const {
  std::string xml;
  for (const auto& [name, value] : job.request.parameters) xml += uws_parameter(name, value);
  return xml;
}

std::string TapJobs::results_of(const Job& job, const std::string& url) const {
  return phase_of(job) == "COMPLETED" ? uws_result(url + "/results/result", job.answer.type) : "";
}

std::string TapJobs::document(const std::string& id, const std::string& url) const {
  const std::lock_guard lock(mutex_);
  const Job& job = at(id);
  UwsJob uws{id, phase_of(job),   uws_time(job.created), "",
             "", job.destruction, parameters_of(job),    results_of(job, url),
             ""};
  if (job.is_started) uws.begin = uws_time(job.begin);
  if (uws.phase == "COMPLETED" || uws.phase == "ERROR") {
    uws.end = uws_time(job.begin + std::chrono::duration_cast<Clock::duration>(
                                       std::chrono::duration<double>(seconds_)));
  }
  if (uws.phase == "ERROR") uws.error = job.error;
  return uws_document(uws);
}

std::string TapJobs::parameters_xml(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return uws_element("parameters", parameters_of(at(id)));
}

std::string TapJobs::results_xml(const std::string& id, const std::string& url) const {
  const std::lock_guard lock(mutex_);
  return uws_element("results", results_of(at(id), url));
}

std::string TapJobs::list(const std::string& url) const {
  const std::lock_guard lock(mutex_);
  std::string refs;
  for (const auto& [id, job] : jobs_) refs += uws_reference(id, url + "/" + id, phase_of(job));
  return uws_element("jobs", refs);
}

std::string TapJobs::destruction(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return at(id).destruction;
}

std::map<std::string, int> TapJobs::phases() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, int> count;
  for (const auto& [id, job] : jobs_) ++count[phase_of(job)];
  return count;
}

}  // namespace qsohost::skysim
