#include "archives/xmatch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <thread>

#include "qsohost/error.hpp"
#include "qsohost/io/text.hpp"
#include "table_text.hpp"
#include "tap/answer.hpp"
#include "tap/gaia_tables.hpp"
#include "ztf_query.hpp"

namespace qsohost::skysim {

namespace {

constexpr const char* kXmatchPath = "/xmatch/api/v1/sync";
constexpr double kMostArcsec = 180;
constexpr std::size_t kMostBytes = 100'000'000;  // of the uploaded table
constexpr std::size_t kMostRows = 2'000'000;     // of an answer
constexpr double kShortJob = 0.75;               // seconds, as below; of some hundred positions
constexpr double kBan = 600;

std::vector<std::string> words_of(const std::string& list) {
  std::vector<std::string> words;
  std::istringstream in(list);
  for (std::string word; std::getline(in, word, ',');) words.push_back(word);
  return words;
}

std::size_t place_of(const std::vector<TapColumn>& columns, const std::string& name) {
  const auto it = std::ranges::find(columns, name, &TapColumn::name);
  if (it == columns.end()) {
    throw BadRequest(fmt::format("Column name \"{}\" not found in table metadata", name));
  }
  return static_cast<std::size_t>(it - columns.begin());
}

std::vector<std::size_t> places_of(const std::vector<TapColumn>& columns,
                                   const std::vector<std::string>& names) {
  std::vector<std::size_t> places;
  for (const std::string& name : names) places.push_back(place_of(columns, name));
  return places;
}

std::vector<std::string> all_names(const std::vector<TapColumn>& columns) {
  std::vector<std::string> names;
  for (const TapColumn& column : columns) names.push_back(column.name);
  return names;
}

double required_number(const TapRequest& request, const std::string& name) {
  const auto number = parse_double(request.get(name));
  if (!number) throw BadRequest(fmt::format("{}: a number, not '{}'", name, request.get(name)));
  return *number;
}

std::optional<double> degrees(const TapCell& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*integer);
  if (const auto* number = std::get_if<double>(&cell)) return *number;
  return std::nullopt;
}

// Which parameters have one of a few values; the first is the default.
std::string choice(const TapRequest& request, const std::string& name,
                   std::initializer_list<std::string_view> known) {
  const std::string given = lower(request.get(name));
  if (given.empty()) return std::string(*known.begin());
  if (std::ranges::find(known, given) == known.end()) {
    throw BadRequest(fmt::format("{}: '{}' is not known here", name, given));
  }
  return given;
}

TapFormat format_of(const TapRequest& request) {
  return tap_format(choice(request, "responseformat", {"votable", "csv", "tsv"}), {});
}

// Names of a VOTable are unique and do not begin with a digit.
void rename_for_votable(std::vector<TapColumn>& columns) {
  std::vector<std::string> taken;
  for (TapColumn& column : columns) {
    if (column.name[0] >= '0' && column.name[0] <= '9') column.name = "_" + column.name;
    if (std::ranges::find(taken, column.name) != taken.end()) column.name += "_2";
    taken.push_back(column.name);
  }
}

ArchiveAnswer written(TapRows rows, TapFormat format) {
  if (format == TapFormat::VoTable) rename_for_votable(rows.columns);
  ArchiveAnswer answer;
  answer.rows = rows.rows.size();
  answer.type = content_type(format);
  answer.body = write_rows(rows, format, {}, {"xmatch", ""});
  rows.rows.clear();
  rows.is_overflow = false;
  answer.empty = write_rows(rows, format, {}, {"xmatch", ""});
  return answer;
}

// The table of cat1.
TapDatabase::Upload uploaded(const TapRequest& request) {
  const auto file = request.files.find("cat1");
  if (file == request.files.end()) {
    throw BadRequest("cat1: only an uploaded file can be matched here");
  }
  std::string text = file->second;
  if (text.starts_with("\x1f\x8b")) text = gunzipped(text, kMostBytes);
  if (text.size() > kMostBytes) {
    throw BadRequest(fmt::format("cat1: {} bytes; the limit is {}", text.size(), kMostBytes));
  }
  return read_upload("cat1", text, text.size());
}

void need_table(const std::string& name) {
  if (name != "vizier:I/355/gaiadr3") {
    throw BadRequest(fmt::format("Table \"{}\" does not exist", name));
  }
}

}  // namespace

class XMatchService::Job {
 public:
  explicit Job(XMatchService& service) : service_(service) {}
  ~Job() {
    const std::lock_guard lock(service_.mutex_);
    --service_.jobs_;
  }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

 private:
  XMatchService& service_;
};

XMatchService::XMatchService(const std::filesystem::path& folder, const Conditions& conditions)
    : conditions_(conditions), table_(vizier_source_table(folder)) {
  log_.add("requests after a 403", 0);
}

void XMatchService::add_to(httplib::Server& server) {
  server.Post(kXmatchPath, [this](const Request& q, Response& r) { match(q, r); });
  const auto describe_tables = [this](const Request& q, Response& r) { describe(q, r); };
  server.Get(std::string(kXmatchPath) + "/tables", describe_tables);
  server.Post(std::string(kXmatchPath) + "/tables", describe_tables);
}

void XMatchService::refuse(Response& response, const std::string& message) {
  log_.add("status 400");
  response.status = 400;
  response.set_content(
      fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<VOTABLE version=\"1.3\" xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\">\n"
                  "<RESOURCE type=\"results\">\n"
                  "<INFO ID=\"QUERY_STATUS\" name=\"QUERY_STATUS\" value=\"ERROR\">{}</INFO>\n"
                  "</RESOURCE>\n</VOTABLE>\n",
                  escaped_xml(message)),
      "application/x-votable+xml");
}

void XMatchService::forbid(Response& response) {
  response.status = 403;
  response.set_content(
      "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>403 Forbidden"
      "</title>\n</head><body>\n<h1>Forbidden</h1>\n<p>Too many jobs at once.</p>\n"
      "</body></html>\n",
      "text/html; charset=iso-8859-1");
}

// Whoever has two jobs at a time is banned. A job that is admitted is under way.
bool XMatchService::admits(bool is_job) {
  const bool is_trapped = is_job && conditions_.traps.springs("xmatch-ban");
  const std::lock_guard lock(mutex_);
  if (has_forbidden_) log_.add("requests after a 403");
  const auto now = Clock::now();
  const bool is_second = is_job && jobs_ > 0;
  if (is_second) log_.add("second jobs at a time");
  if (now >= banned_until_ && (is_second || is_trapped)) {
    banned_until_ = now + std::chrono::duration_cast<Clock::duration>(
                              std::chrono::duration<double>(kBan / conditions_.time_scale));
  }
  if (now < banned_until_) {
    has_forbidden_ = true;
    log_.add("status 403");
    return false;
  }
  if (is_job) {
    ++jobs_;
    log_.add("jobs");
  }
  return true;
}

// The job has ended before its client can see the answer and send the next one.
ArchiveAnswer XMatchService::run_job(const Request& request) {
  const Job job(*this);
  ArchiveAnswer result = answer(tap_request(request));
  std::this_thread::sleep_for(std::chrono::duration<double>(
      std::min(kShortJob / conditions_.time_scale, conditions_.job_seconds)));
  return result;
}

void XMatchService::match(const Request& request, Response& response) {
  const ServiceLog::Visit visit(log_, request);
  if (!admits(true)) return forbid(response);
  try {
    give(run_job(request), conditions_, log_, request, response);
  } catch (const BadRequest& error) {
    refuse(response, error.what());
  }
}

const VizierCatalogue& XMatchService::catalogue() {
  const std::lock_guard lock(mutex_);
  if (!catalogue_) catalogue_.emplace(table_);
  return *catalogue_;
}

// Some columns of VizieR's table come only if they are asked for.
std::vector<std::string> XMatchService::default_columns() {
  constexpr std::array<std::string_view, 8> rare{"SolID",  "RandomI", "PM",  "IPDfmp",
                                                 "IPDfow", "VarFlag", "NSS", "EpochPh"};
  std::vector<std::string> names;
  for (const TapColumn& column : table_.columns) {
    if (std::ranges::find(rare, column.name) == rare.end()) names.push_back(column.name);
  }
  if (conditions_.traps.springs("xmatch-columns")) std::ranges::reverse(names);
  return names;
}

ArchiveAnswer XMatchService::answer(const TapRequest& request) {
  if (choice(request, "request", {"", "xmatch"}).empty()) throw BadRequest("request is missing");
  const TapFormat format = format_of(request);
  need_table(request.get("cat2"));
  choice(request, "area", {"allsky"});
  const TapDatabase::Upload left = uploaded(request);
  log_.add("rows uploaded", left.rows.size());
  log_.raise("most rows uploaded", left.rows.size());
  return written(matches(request, left), format);
}

TapRows XMatchService::matches(const TapRequest& request, const TapDatabase::Upload& left) {
  const double radius = required_number(request, "distmaxarcsec");
  if (!(radius > 0 && radius <= kMostArcsec)) {
    throw BadRequest(fmt::format("distMaxArcsec: above 0 and at most {}, not {}", kMostArcsec,
                                 request.get("distmaxarcsec")));
  }
  const bool wants_best = choice(request, "selection", {"all", "best"}) == "best";
  const std::string& maxrec = request.get("maxrec");
  const double limit = maxrec.empty() ? kMostRows : required_number(request, "maxrec");
  const std::size_t ra = place_of(left.columns, request.get("colra1"));
  const std::size_t dec = place_of(left.columns, request.get("coldec1"));
  const auto columns = [&](const char* name, const std::vector<TapColumn>& all, auto usual) {
    const auto given = words_of(request.get(name));
    return places_of(all, given.empty() ? usual : given);
  };
  const auto from_left = columns("cols1", left.columns, all_names(left.columns));
  const auto from_right = columns("cols2", table_.columns, default_columns());
  TapRows rows;
  rows.columns.push_back({"angDist", "double", "arcsec"});
  for (const std::size_t k : from_left) rows.columns.push_back(left.columns[k]);
  for (const std::size_t k : from_right) rows.columns.push_back(table_.columns[k]);
  const VizierCatalogue& right = catalogue();
  for (const auto& row : left.rows) {
    const auto at_ra = degrees(row[ra]);
    const auto at_dec = degrees(row[dec]);
    if (!at_ra || !at_dec) continue;
    auto found = right.within({*at_ra, *at_dec}, radius);
    if (wants_best && found.size() > 1) found.resize(1);
    for (const auto& match : found) {
      if (static_cast<double>(rows.rows.size()) >= std::min<double>(limit, kMostRows)) {
        rows.is_overflow = true;
        return rows;
      }
      auto& cells = rows.rows.emplace_back();
      cells.emplace_back(fmt::format("{:.6f}", match.arcsec));
      for (const std::size_t k : from_left) cells.push_back(row[k]);
      for (const std::size_t k : from_right) cells.push_back(right.row(match.row)[k]);
    }
  }
  return rows;
}

// .../tables?action=...: what could be asked for.
void XMatchService::describe(const Request& request, Response& response) {
  const ServiceLog::Visit visit(log_, request);
  if (!admits(false)) return forbid(response);
  try {
    const TapRequest tap = tap_request(request);
    const std::string action =
        choice(tap, "action", {"", "getviziertablenames", "getcollist", "getinfo"});
    if (action.empty()) throw BadRequest("action is missing");
    if (action == "getviziertablenames") {
      return response.set_content("I/355/gaiadr3\n", "text/plain");
    }
    need_table(tap.get("tabname"));
    TapRows rows;
    if (action == "getinfo") {
      rows.columns = {{"name", "char"}, {"description", "char"}, {"nbRows", "long"}};
      rows.rows.push_back(
          {table_.name, table_.description, static_cast<std::int64_t>(catalogue().size())});
    } else {
      rows.columns = {{"name", "char"}, {"datatype", "char"}, {"unit", "char"}};
      for (const TapColumn& c : table_.columns) rows.rows.push_back({c.name, c.datatype, c.unit});
    }
    const ArchiveAnswer answer = written(std::move(rows), format_of(tap));
    response.set_content(answer.body, answer.type.c_str());
  } catch (const BadRequest& error) {
    refuse(response, error.what());
  }
}

}  // namespace qsohost::skysim
