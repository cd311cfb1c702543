#include "archives/datalink.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <sstream>
#include <thread>
#include <unordered_set>

#include "archives/epoch_tables.hpp"
#include "qsohost/error.hpp"
#include "qsohost/io/text.hpp"
#include "table_text.hpp"
#include "tap/request.hpp"
#include "ztf_query.hpp"

namespace qsohost::skysim {

namespace {

constexpr std::size_t kMostIds = 5000;
constexpr std::size_t kTransitId = 2;  // of the columns in an answer
// Bytes a second, as measured in July 2026.
constexpr double kOfConnection = 1700;
constexpr double kOfAll = 6700;

const char* const kWithout = "requests without RELEASE";

std::string without_blanks(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

TapFormat format_of(const std::string& name) {
  TapStyle style;
  style.votable_is_binary = true;
  const TapFormat format = tap_format(name, style);
  if (format == TapFormat::Tsv) throw BadRequest(fmt::format("Invalid Format: '{}'", name));
  return format;
}

}  // namespace

DataLinkService::DataLinkService(const std::filesystem::path& folder, GaiaRelease newest,
                                 const Conditions& conditions)
    : newest_(newest), conditions_(conditions), store_(folder) {
  log_.add(kWithout, 0);
}

void DataLinkService::add_to(httplib::Server& server) {
  const auto data_work = [this](const Request& q, Response& r) { data(q, r); };
  const auto links_work = [this](const Request& q, Response& r) { links(q, r); };
  server.Get("/data-server/data", data_work);
  server.Post("/data-server/data", data_work);
  server.Get("/data-server/datalink/links", links_work);
  server.Post("/data-server/datalink/links", links_work);
}

void DataLinkService::refuse(Response& response, int status, const std::string& message) {
  log_.add(fmt::format("status {}", status));
  response.status = status;
  response.set_content(error_votable(message), "application/x-votable+xml");
}

void DataLinkService::fail(const Request& request, Response& response, const std::string& cause) {
  refuse(response, 500,
         fmt::format("Cannot process request: 'http://{}{}' (req: Reqid: anonymous{}, retrieval "
                     "access: DIRECT, retrieval type: EPOCH_PHOTOMETRY, compression: null), for "
                     "user: UwsJobOwner{{id='anonymous'}}, due to: {}",
                     request.get_header_value("Host"), request.path,
                     1790000000000 + log_.count("requests"), cause));
}

// Throws BadRequest, as those below.
GaiaRelease DataLinkService::release(const std::string& name) const {
  if (name.empty()) return newest_;
  for (const GaiaRelease known : {GaiaRelease::Dr3, GaiaRelease::Dr4}) {
    if (name == release_name(known) && known <= newest_) return known;
  }
  throw BadRequest(fmt::format("Invalid Release parameter: '{}'", name));
}

bool DataLinkService::is_raw(const std::string& structure) const {
  const std::string only = conditions_.traps.value("structures");
  const std::string names =
      only == "new" ? "DATAMODEL_GAIA, DATAMODEL_STANDARD" : "RAW, INDIVIDUAL";
  const bool is_old = structure == "RAW" || structure == "INDIVIDUAL";
  const bool is_new = structure == "DATAMODEL_GAIA" || structure == "DATAMODEL_STANDARD";
  if (structure.empty()) return false;
  if ((!is_old && !is_new) || (is_old && only == "new") || (is_new && only == "old")) {
    throw BadRequest(fmt::format("Invalid Data Structure parameter: '{}', valid ones are: {}",
                                 structure, names));
  }
  return structure == "RAW" || structure == "DATAMODEL_GAIA";
}

// Separated by commas: numbers, or "Gaia DR3 123".
std::vector<std::int64_t> DataLinkService::ids(const std::string& list, GaiaRelease release) const {
  std::vector<std::int64_t> found;
  std::unordered_set<std::int64_t> seen;
  std::istringstream in(list);
  for (std::string part; std::getline(in, part, ',');) {
    std::string text = without_blanks(part);
    const std::string designation = release_name(release) + ' ';
    if (text.starts_with(designation)) text.erase(0, designation.size());
    const auto id = parse_int(text);
    if (!id) throw BadRequest(fmt::format("Invalid ID: '{}' of {}", part, release_name(release)));
    const std::int64_t own = id_in(release, *id);
    if (seen.insert(own).second) found.push_back(own);
  }
  if (found.empty()) throw BadRequest("ID: no source is named");
  return found;
}

DataLinkService::Wanted DataLinkService::wanted(const Request& request) {
  const TapRequest parameters = tap_request(request);
  if (parameters.get("release").empty()) log_.add(kWithout);
  Wanted wanted;
  wanted.release = release(parameters.get("release"));
  wanted.ids = ids(parameters.get("id"), wanted.release);
  log_.add("ids asked", wanted.ids.size());
  log_.raise("most ids in a request", wanted.ids.size());
  std::istringstream types(parameters.get("retrieval_type"));
  bool has_epochs = false;
  for (std::string type; std::getline(types, type, ',');) {
    has_epochs = has_epochs || type == "EPOCH_PHOTOMETRY" || type == "ALL";
  }
  if (!has_epochs) {
    throw BadRequest(fmt::format("Invalid Retrieval Type: '{}'", parameters.get("retrieval_type")));
  }
  wanted.is_raw = is_raw(parameters.get("data_structure"));
  wanted.format = format_of(parameters.get("format"));
  wanted.valid_only = lower(parameters.get("valid_data")) != "false";
  wanted.always_zip = lower(parameters.get("use_zip_always")) == "true";
  return wanted;
}

void DataLinkService::data(const Request& request, Response& response) {
  Visit visit = std::make_shared<ServiceLog::Visit>(log_, request);
  log_.add("data requests");
  if (conditions_.traps.springs("datalink-down")) {
    log_.add("status 503");
    response.status = 503;
    return response.set_content(
        "<html><body><h1>Service Temporarily Unavailable</h1></body></html>\n", "text/html");
  }
  try {
    const Wanted asked = wanted(request);
    if (asked.ids.size() > kMostIds) {
      return fail(request, response, fmt::format("more than {} identifiers", kMostIds));
    }
    const bool is_poisoned = std::ranges::any_of(asked.ids, [&](std::int64_t id) {
      return conditions_.traps.is_set_for("poisoned-id", static_cast<std::uint64_t>(id));
    });
    if (is_poisoned) return fail(request, response, "java.lang.NullPointerException");
    const ArchiveAnswer found = answer(asked);
    if (!found.body.empty() && conditions_.traps.springs("trickle")) {
      return trickle(found, response, std::move(visit));
    }
    give(found, conditions_, log_, request, response);
  } catch (const BadRequest& error) {
    refuse(response, 400, error.what());
  } catch (const Error& error) {  // of the sky's files
    refuse(response, 500, error.what());
  }
}

ArchiveAnswer DataLinkService::answer(const Wanted& wanted) {
  const std::vector<ZipMember> found = members(wanted);
  ArchiveAnswer answer;
  answer.rows = found.size();
  answer.type = "application/zip";
  if (found.empty()) return answer;
  if (wanted.ids.size() == 1 && !wanted.always_zip) {
    answer.body = found[0].content;
    answer.type = content_type(wanted.format);
    return answer;
  }
  const bool is_stored = conditions_.traps.springs("zip-stored");
  Zip zip = write_zip(found, is_stored ? ZipMethod::Stored : ZipMethod::Deflated);
  if (conditions_.traps.springs("zip-cut")) {
    zip.bytes.resize((zip.directory + zip.bytes.size()) / 2);
  }
  answer.body = std::move(zip.bytes);
  return answer;
}

std::vector<ZipMember> DataLinkService::members(const Wanted& wanted) {
  std::vector<std::int64_t> present;
  for (const std::int64_t id : wanted.ids) {
    if (store_.has(id)) present.push_back(id);
  }
  if (!present.empty() && conditions_.traps.springs("missing-member")) present.pop_back();
  if (present.empty()) return {};
  if (wanted.is_raw) return {raw_member(wanted, present)};
  std::vector<std::int64_t> contents = present;
  if (conditions_.traps.springs("wrong-member")) contents[0] = store_.other_than(contents[0]);
  const char* ending = wanted.format == TapFormat::Csv ? "csv" : "xml";
  std::vector<ZipMember> members;
  for (std::size_t i = 0; i < present.size(); ++i) {
    const TapRows rows = transits_of(contents[i], wanted);
    if (rows.rows.empty()) continue;
    members.push_back({fmt::format("EPOCH_PHOTOMETRY-{} {}.{}", release_name(wanted.release),
                                   id_in(wanted.release, present[i]), ending),
                       write_transits(rows, wanted.format, wanted.release)});
  }
  return members;
}

// Of a source whose transits are in two rows of the table, those of the earlier row first.
TapRows DataLinkService::transits_of(std::int64_t source_id, const Wanted& wanted) {
  std::vector<TapRows> parts;
  store_.for_each(std::array{source_id}, [&](const FitsRow& row) {
    TapRows part = transit_rows(row, wanted.release, wanted.valid_only);
    if (!part.rows.empty()) parts.push_back(std::move(part));
  });
  std::ranges::sort(parts, {}, [](const TapRows& part) {
    return std::get<std::int64_t>(part.rows[0][kTransitId]);
  });
  TapRows all;
  for (TapRows& part : parts) {
    all.columns = part.columns;
    std::ranges::move(part.rows, std::back_inserter(all.rows));
  }
  return all;
}

ZipMember DataLinkService::raw_member(const Wanted& wanted,
                                      const std::vector<std::int64_t>& present) {
  TapRows rows{raw_columns(wanted.release), {}};
  store_.for_each(present,
                  [&](const FitsRow& row) { rows.rows.push_back(raw_row(row, wanted.release)); });
  TapStyle style;
  style.true_word = "true";
  const char* ending = wanted.format == TapFormat::Csv ? "csv" : "xml";
  return {fmt::format("EPOCH_PHOTOMETRY_RAW.{}", ending),
          write_rows(rows, wanted.format, style, {})};
}

void DataLinkService::trickle(const ArchiveAnswer& answer, Response& response, Visit visit) {
  constexpr std::chrono::duration<double> pause(0.05);
  ++trickling_;
  log_.add("rows", answer.rows);
  response.set_content_provider(
      answer.body.size(), answer.type,
      [this, pause, body = answer.body](std::size_t offset, std::size_t left,
                                        httplib::DataSink& sink) {
        std::this_thread::sleep_for(pause);
        const double rate = std::min(kOfConnection, kOfAll / trickling_) * conditions_.time_scale;
        const auto part = static_cast<std::size_t>(rate * pause.count()) + 1;
        return sink.write(body.data() + offset, std::min(part, left));
      },
      [this, visit = std::move(visit)](bool) mutable {
        --trickling_;
        visit.reset();  // the request was under way until now
      });
}

void DataLinkService::links(const Request& request, Response& response) {
  const ServiceLog::Visit visit(log_, request);
  log_.add("links requests");
  TapRows rows{{{"ID", "char"},
                {"access_url", "char"},
                {"service_def", "char"},
                {"error_message", "char"},
                {"semantics", "char"},
                {"description", "char"},
                {"content_type", "char"},
                {"content_length", "long"}},
               {}};
  try {
    const TapRequest parameters = tap_request(request);
    const std::string& list = parameters.get("id");
    const GaiaRelease of = list.find(release_name(GaiaRelease::Dr4)) != std::string::npos
                               ? release(release_name(GaiaRelease::Dr4))
                               : GaiaRelease::Dr3;
    for (const std::int64_t id : ids(list, of)) {
      if (!store_.has(id)) continue;
      const std::string name = fmt::format("{} {}", release_name(of), id_in(of, id));
      std::string id_text = name;
      std::ranges::replace(id_text, ' ', '+');
      rows.rows.push_back({name,
                           fmt::format("http://{}/data-server/data?ID={}&RETRIEVAL_TYPE="
                                       "EPOCH_PHOTOMETRY",
                                       request.get_header_value("Host"), id_text),
                           {},
                           {},
                           "#auxiliary",
                           "Epoch photometry",
                           "application/x-votable+xml",
                           {}});
    }
  } catch (const BadRequest& error) {
    return refuse(response, 400, error.what());
  } catch (const Error& error) {
    return refuse(response, 500, error.what());
  }
  response.set_content(write_votable(rows, false, {}, {}), "application/x-votable+xml");
}

}  // namespace qsohost::skysim
