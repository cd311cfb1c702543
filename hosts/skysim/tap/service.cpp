#include "tap/service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "qsohost/error.hpp"
#include "qsohost/io/text.hpp"
#include "table_text.hpp"
#include "ztf_query.hpp"

namespace qsohost::skysim {

namespace {

std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  std::istringstream in(path);
  for (std::string part; std::getline(in, part, '/');) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

}  // namespace

TapService::TapService(TapManner manner, std::vector<TapTable> tables, const Conditions& conditions)
    : manner_(std::move(manner)),
      conditions_(conditions),
      database_(std::move(tables)),
      jobs_([this](const TapRequest& request, const std::string& id) { return run(request, id); },
            log_, conditions.job_seconds, manner_.job_id) {
  if (const auto words = conditions.traps.value("booleans"); !words.empty()) {
    manner_.style.true_word = words;
  }
}

void TapService::add_to(httplib::Server& server) {
  const std::string pattern = manner_.base + "(/.*)?";
  const auto work = [this](const Request& request, Response& response) {
    handle(request, response);
  };
  server.Get(pattern, work);
  server.Post(pattern, work);
  server.Delete(pattern, work);
}

std::string TapService::url(const Request& request) const {
  return "http://" + request.get_header_value("Host") + manner_.base;
}

void TapService::redirect(const Request& request, Response& response, const std::string& path) {
  response.set_redirect((manner_.has_relative_location ? manner_.base : url(request)) + path, 303);
}

void TapService::refuse(Response& response, int status, const std::string& message) {
  log_.add(fmt::format("status {}", status));
  response.status = status;
  if (manner_.has_html_errors) {
    response.set_content(
        fmt::format("<html><head><title>Error</title></head><body><ul>\n<li><b>Message: </b>{}</li>"
                    "\n</ul></body></html>\n",
                    escaped_xml(message)),
        "text/html");
  } else {
    response.set_content(error_votable(message), "application/x-votable+xml");
  }
}

void TapService::handle(const Request& request, Response& response) {
  const ServiceLog::Visit visit(log_, request);
  const auto path = parts_of(request.path.substr(manner_.base.size()));
  try {
    if (path.empty() || (path[0] != "sync" && path[0] != "async")) {
      vosi(path, request, response);
    } else if (path[0] == "sync") {
      path.size() > 1 ? stored(path[1], request, response) : sync(request, response);
    } else if (path.size() == 1 && request.method == "POST") {
      create_job(request, response);
    } else if (path.size() == 1) {
      response.set_content(jobs_.list(url(request) + "/async"), "application/xml");
    } else {
      job(path, request, response);
    }
  } catch (const BadRequest& error) {
    refuse(response, 400, error.what());
  } catch (const Error& error) {  // of the sky's files
    refuse(response, 500, error.what());
  }
}

void TapService::vosi(const std::vector<std::string>& path, const Request& request,
                      Response& response) {
  const std::string what = path.empty() ? "" : path[0];
  if (what == "capabilities") {
    response.set_content(vosi_capabilities(url(request), manner_), "application/xml");
  } else if (what == "availability") {
    response.set_content(vosi_availability(), "application/xml");
  } else if (what == "tables") {
    response.set_content(vosi_tables(database_.tables(), manner_), "application/xml");
  } else if (what == "deletejobs" && manner_.is_tap_plus) {
    std::istringstream ids(tap_request(request).get("job_ids"));
    for (std::string id; std::getline(ids, id, ',');) jobs_.remove(id);
    response.set_content("", "text/plain");
  } else if (what == "notification") {
    response.set_content("1=Maintenance of the archive is planned for Tuesday\n", "text/plain");
  } else {
    refuse(response, 404, "there is nothing at " + request.path);
  }
}

// Throws BadRequest.
ArchiveAnswer TapService::run(const TapRequest& request, const std::string& job) {
  const std::string& given = request.get("format");
  const TapFormat format =
      tap_format(given.empty() ? request.get("responseformat") : given, manner_.style);
  const std::string& query = request.get("query");
  const bool is_refused = request.is_multipart && !request.has_query_in_url && !job.empty() &&
                          conditions_.traps.springs("query-in-url");
  if (query.empty() || is_refused) throw BadRequest("QUERY must be set");
  std::size_t limit = job.empty() ? manner_.sync_rows : manner_.async_rows;
  if (const std::string& wanted = request.get("maxrec"); !wanted.empty()) {
    const auto number = parse_int(wanted);
    if (!number || *number < 0) {
      throw BadRequest(fmt::format("MAXREC: a number of rows, not '{}'", wanted));
    }
    limit = std::min(limit, static_cast<std::size_t>(*number));
  }
  const auto uploads = uploads_of(request, manner_.most_uploaded);
  if (!uploads.empty() && conditions_.traps.springs("quota")) {
    throw BadRequest(
        "Can't overwrite cause with esavo.tap.upload.exceptions.UploadUwsException: DB quota "
        "exceeded for user anonymous (Currently 10 GB, maximum allowed is 10 GB). Registered users "
        "have an increased quota, please log in.");
  }
  TapRows rows;
  try {
    rows = database_.query(query, uploads, limit);
  } catch (const BadRequest& error) {
    throw BadRequest(fmt::format("Cannot parse query '{}' for job '{}': {}", query,
                                 job.empty() ? "anonymous" : job, error.what()));
  }
  ArchiveAnswer answer;
  answer.rows = rows.rows.size();
  answer.type = content_type(format);
  answer.body = write_rows(rows, format, manner_.style, {query, job});
  rows.rows.clear();
  rows.is_overflow = false;
  answer.empty = write_rows(rows, format, manner_.style, {query, job});
  answer.is_gzipped = format == TapFormat::VoTableBinary && manner_.style.votable_is_binary;
  if (answer.is_gzipped) {
    answer.body = gzipped(answer.body);
    answer.empty = gzipped(answer.empty);
  }
  return answer;
}

// `wants_rows`: a page of the archive's front end is no answer to this request.
bool TapService::springs_trap(bool wants_rows, Response& response) {
  const auto page = [&](int status, const char* text, const char* type) {
    log_.add(fmt::format("status {}", status));
    response.status = status;
    response.set_content(text, type);
    return true;
  };
  Traps& traps = conditions_.traps;
  if (traps.springs("html-502")) {
    return page(502,
                "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n"
                "<title>502 Bad Gateway</title>\n</head><body>\n<h1>Bad Gateway</h1>\n<p>The proxy "
                "server received an invalid\r\nresponse from an upstream server.<br />\r\n</p>\n"
                "</body></html>\n",
                "text/html; charset=iso-8859-1");
  }
  if (traps.springs("null-500")) return page(500, "null", "application/json");
  if (traps.springs("pool-empty")) {
    refuse(response, 500,
           "Unable to create connection to database. Cause: Timeout: Pool empty. Unable to fetch a "
           "connection in 60 seconds, none available[size:15; busy:3; idle:0; lastwait:60000].");
    return true;
  }
  if (wants_rows && traps.springs("html-200")) {
    return page(200,
                "<!DOCTYPE html>\n<html><head><title>Service unavailable</title></head>\n<body><p>"
                "The archive is under maintenance.</p></body></html>\n",
                "text/html");
  }
  return false;
}

void TapService::sync(const Request& request, Response& response) {
  log_.add("sync requests");
  if (springs_trap(true, response)) return;
  const ArchiveAnswer answer = run(tap_request(request), "");
  if (!conditions_.traps.springs("see-other")) {
    give(answer, conditions_, log_, request, response);
    return;
  }
  const std::lock_guard lock(mutex_);
  const std::string key = fmt::format("{}", stored_.size() + 1);
  stored_[key] = answer;
  redirect(request, response, "/sync/" + key);
}

void TapService::stored(const std::string& key, const Request& request, Response& response) {
  ArchiveAnswer answer;
  {
    const std::lock_guard lock(mutex_);
    const auto it = stored_.find(key);
    if (it == stored_.end()) return refuse(response, 404, "there is no answer " + key);
    answer = it->second;
  }
  give(answer, conditions_, log_, request, response);
}

std::string TapService::status() const {
  std::string phases;
  int unfinished = 0;
  for (const auto& [phase, n] : jobs_.phases()) {
    phases += fmt::format("{}{}: {}", phases.empty() ? "" : ", ", json_text(phase), n);
    if (phase == "PENDING" || phase == "QUEUED" || phase == "EXECUTING") unfinished += n;
  }
  std::string out = log_.json();
  out.pop_back();
  return out + fmt::format(", \"unfinished jobs\": {}, \"phases\": {{{}}}}}", unfinished, phases);
}

}  // namespace qsohost::skysim
