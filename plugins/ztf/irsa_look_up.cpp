#include "irsa_look_up.hpp"

#include <fmt/format.h>

#include <qsohost/error.hpp>
#include <qsohost/io/text.hpp>

#include <algorithm>
#include <cmath>
#include <set>

namespace ztf {

namespace {

using qsohost::Request;
using qsohost::Response;
using qsohost::TryAgain;

constexpr std::size_t kMostAtOnce = 500;  // positions; more go as a job
constexpr int kMostJobs = 3;
constexpr int kMostLooks = 200;  // at a job: more than an hour

std::chrono::milliseconds before_look(int looks) {
  const double seconds = std::min(20.0, 0.5 * std::pow(1.5, looks));
  return std::chrono::milliseconds(static_cast<std::int64_t>(1000 * seconds));
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::size_t column(const qsohost::TableReader& table, std::string_view name) {
  if (const auto at = table.column(name)) return *at;
  throw TryAgain(fmt::format("the table of objects has no column {}", name));
}

std::int64_t integer(std::string_view cell, std::string_view name) {
  if (const auto value = qsohost::parse_int(cell); value && *value >= 0) return *value;
  throw TryAgain(fmt::format("table of objects: {} is '{}'", name, cell));
}

Listing read_rows(qsohost::TableReader table, const std::set<std::size_t>& asked) {
  const std::size_t n = column(table, "n");
  const std::size_t oid = column(table, "oid");
  const std::size_t fid = column(table, "fid");
  const std::size_t nobs = column(table, "nobs");
  Listing listing;
  std::vector<std::string_view> cells;
  while (table.next(cells)) {
    const auto number = static_cast<std::size_t>(integer(cells[n], "n"));
    const std::int64_t filter = integer(cells[fid], "fid");
    if (!asked.contains(number) || filter < 1 || filter > 3) {
      throw TryAgain(
          fmt::format("table of objects: n = {} and fid = {} were not asked for", number, filter));
    }
    listing[number].push_back({integer(cells[oid], "oid"), static_cast<std::uint8_t>(filter - 1),
                               integer(cells[nobs], "nobs")});
  }
  return listing;
}

// A VOTable, since that says where it ends and whether the archive cut it.
Listing read_listing(const std::string& body, const std::vector<Numbered>& positions) {
  std::set<std::size_t> asked;
  for (const Numbered& p : positions) asked.insert(p.n);
  try {
    qsohost::TableReader table(body);
    if (table.format() == qsohost::TableFormat::VoTable) {
      return read_rows(std::move(table), asked);
    }
  } catch (const qsohost::BadObject& e) {
    throw TryAgain(fmt::format("table of objects: {}", e.what()));
  }
  throw TryAgain("the answer is no VOTable of objects");
}

bool is_waiting(std::string_view phase) {
  constexpr std::array<std::string_view, 5> phases{"PENDING", "QUEUED", "EXECUTING", "HELD",
                                                   "SUSPENDED"};
  return std::ranges::find(phases, phase) != phases.end();
}

}  // namespace

LookUp::LookUp(const Asking& asking, std::vector<Numbered> positions, int round,
               std::chrono::milliseconds delay)
    : asking_(asking), positions_(std::move(positions)), round_(round), delay_(delay) {}

Request LookUp::begin() {
  const bool at_once = positions_.size() <= kMostAtOnce;
  step_ = at_once ? Step::AtOnce : Step::Create;
  Request request = look_up(asking_, positions_, at_once);
  request.turn = round_ * kMostJobs + jobs_;
  request.delay = delay_;
  ++jobs_;
  looks_ = 0;
  return request;
}

Request LookUp::watch() {
  Request request;
  request.url = job_ + "/phase";
  request.turn = looks_;
  request.delay = before_look(looks_);
  request.keep = false;
  request.about = "the job " + job_;
  ++looks_;
  step_ = Step::Watch;
  return request;
}

std::optional<Request> LookUp::watched(std::string_view phase) {
  if (is_waiting(phase)) {
    if (looks_ < kMostLooks) return watch();
    return job_failed(fmt::format("the job {} is {} after {} looks", job_, phase, looks_));
  }
  if (phase == "COMPLETED") {
    Request request;
    request.url = job_ + "/results/result";
    request.about = "the result of the job " + job_;
    step_ = Step::Read;
    return request;
  }
  if (phase == "ERROR" || phase == "ABORTED") {
    return job_failed(fmt::format("the job {} ended in phase {}", job_, phase));
  }
  throw TryAgain(fmt::format("the job {}: '{}' is no phase", job_, phase.substr(0, 40)));
}

std::optional<Request> LookUp::answer(const Request& request, const Response& response) {
  switch (step_) {
    case Step::AtOnce:
    case Step::Read:
      found_ = read_listing(response.body, positions_);
      return std::nullopt;
    case Step::Create:
      if (response.url.empty() || response.url == request.url) {
        throw TryAgain("TAP took a job and did not say where it is");
      }
      job_ = response.url.substr(0, response.url.find('?'));
      return watch();
    case Step::Watch:
      return watched(trimmed(response.body));
  }
  return std::nullopt;
}

std::optional<Request> LookUp::failed(const std::string& reason) {
  // The service itself could not be asked; the host has tried often enough.
  if (step_ == Step::AtOnce || step_ == Step::Create) {
    failure_ = reason;
    return std::nullopt;
  }
  return job_failed(fmt::format("the job {}: {}", job_, reason));
}

std::optional<Request> LookUp::job_failed(const std::string& reason) {
  if (jobs_ < kMostJobs) return begin();
  failure_ = reason;
  return std::nullopt;
}

}  // namespace ztf
