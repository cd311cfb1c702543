#include "datalink_exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <regex>
#include <utility>

#include <qsohost/error.hpp>
#include <qsohost/io/text.hpp>
#include <qsohost/io/zip.hpp>

#include "epoch_rows.hpp"
#include "text_table.hpp"

namespace gaia {

namespace {

using qsohost::BadObject;
using qsohost::Request;
using qsohost::Response;
using qsohost::TryAgain;

// A row a transit; the second is its name since 2026.
constexpr std::array<const char*, 2> kStructures{"INDIVIDUAL", "DATAMODEL_STANDARD"};
constexpr std::string_view kWrongStructure = "Invalid Data Structure parameter";
constexpr int kServerError = 500;
constexpr int kMostErrors = 2;  // of one list, before it is halved
constexpr std::size_t kMostUnequal = 5;
constexpr int kTurnStep = 1000;

// "EPOCH_PHOTOMETRY-Gaia DR3 4711.csv". Without numbers: a member for all sources.
struct MemberName {
  std::optional<std::int64_t> id;
  std::string release;
};
MemberName parse_name(const std::string& name) {
  constexpr std::size_t longest = 255;  // std::regex recurses for each character
  if (name.size() > longest) return {};
  static const std::regex pattern(R"((Gaia E?DR[0-9]+[A-Z0-9_]*)[ _+]([0-9]+)\.)");
  std::smatch match;
  if (!std::regex_search(name, match, pattern)) return {};
  return {qsohost::parse_int(match[2].str()), match[1].str()};
}

bool is_asked(const std::vector<std::int64_t>& ids, std::int64_t id) {
  return std::ranges::find(ids, id) != ids.end();
}

// Rows of the source `named`, or, without a name, of any that were asked for.
Block rows_of(std::string_view text, std::optional<std::int64_t> named, std::string release,
              const std::vector<std::int64_t>& ids, const RemoteSettings& settings) {
  const TextTable table = read_table(text);
  if (const auto stated = table.keywords.find("release"); stated != table.keywords.end()) {
    release = stated->second;
  }
  if (!release.empty() && release != settings.release) {
    throw BadObject(
        fmt::format("the answer is of {}, but {} was asked for: an identifier means "
                    "another source there; set release to that of the identifiers",
                    release, settings.release));
  }
  Block block = to_block(table, settings.wanted);
  for (const std::int64_t id : block.ids) {
    if (named ? id == *named : is_asked(ids, id)) continue;
    throw TryAgain(named ? fmt::format("rows of source {} were in the place of {}", id, *named)
                         : fmt::format("rows of source {}, which was not asked for", id));
  }
  return block;
}

EpochAnswer read_zip(std::string_view body, const std::vector<std::int64_t>& ids,
                     const RemoteSettings& settings) {
  const qsohost::ZipArchive zip(body);
  EpochAnswer answer;
  for (const qsohost::ZipMember& member : zip.members()) {
    if (member.name.find("EPOCH_PHOTOMETRY") == member.name.npos) continue;  // another product
    const auto [named, release] = parse_name(member.name);
    if (named && !is_asked(ids, *named)) continue;
    const std::string content = zip.read(member);
    try {
      answer.blocks.push_back(rows_of(content, named, release, ids, settings));
    } catch (const TryAgain& e) {
      if (!named) throw;
      answer.doubts[*named] = fmt::format("{}: {}", member.name, e.what());
    } catch (const BadObject& e) {
      if (!named) throw;
      answer.doubts[*named] = fmt::format("{}: {}", member.name, e.what());
    }
  }
  return answer;
}

std::string to_form(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string out;
  for (const auto& [name, value] : parameters) {
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, qsohost::escape(value));
  }
  return out;
}

}  // namespace

std::string list_of(std::span<const std::int64_t> ids, std::string_view separator) {
  std::string out;
  for (const std::int64_t id : ids) out += fmt::format("{}{}", out.empty() ? "" : separator, id);
  return out;
}

EpochAnswer read_datalink(std::string_view body, const std::vector<std::int64_t>& ids,
                          const RemoteSettings& settings) {
  if (body.find_first_not_of(" \r\n\t") == body.npos) return {};  // none of them has epochs
  if (qsohost::is_zip(body)) return read_zip(body, ids, settings);
  EpochAnswer answer;
  answer.blocks.push_back(rows_of(body, std::nullopt, "", ids, settings));
  return answer;
}

DataLinkExchange::DataLinkExchange(const RemoteSettings& settings, RemoteState& state,
                                   std::vector<std::int64_t> ids, int turn,
                                   std::chrono::milliseconds delay, Reader read)
    : settings_(settings),
      state_(state),
      ids_(std::move(ids)),
      turn_(turn),
      delay_(delay),
      read_(std::move(read)) {}

Request DataLinkExchange::begin() {
  structure_ = state_.structure;
  Request request;
  request.url = settings_.url;
  request.method = "POST";
  request.content_type = "application/x-www-form-urlencoded";
  request.body = to_form({{"RETRIEVAL_TYPE", "EPOCH_PHOTOMETRY"},
                          {"ID", list_of(ids_, ",")},
                          {"RELEASE", settings_.release},
                          {"DATA_STRUCTURE", kStructures.at(structure_)},
                          {"FORMAT", "csv"},
                          {"VALID_DATA", "false"},
                          {"USE_ZIP_ALWAYS", "true"}});
  request.about = fmt::format("{} sources from {} on", ids_.size(), ids_.front());
  request.turn = turn_;
  request.delay = delay_;
  // One source that the service cannot answer makes it fail for the list.
  if (ids_.size() > 1) request.accept = {kServerError};
  return request;
}

std::optional<Request> DataLinkExchange::other_structure() {
  if (structure_ + 1 >= kStructures.size()) return std::nullopt;
  state_.structure = structure_ + 1;
  return begin();
}

std::optional<Request> DataLinkExchange::answer(const Request& request, const Response& response) {
  if (response.status == kServerError) {
    if (response.body.find(kWrongStructure) != response.body.npos) {
      if (auto next = other_structure()) return next;
    }
    // While nothing at all is answered, the service is down, and shorter lists would not help.
    if (++errors_ < kMostErrors || !state_.has_answered) {
      throw TryAgain(fmt::format("HTTP {}", response.status));
    }
    failure_ = fmt::format("HTTP {}", response.status);
    return std::nullopt;
  }
  const bool has_end = qsohost::is_zip(response.body) || response.is_end_known;
  if (!has_end && seen_.insert(std::hash<std::string>()(response.body)).second) {
    if (seen_.size() >= kMostUnequal) {
      throw TryAgain("the archive does not say where its answers end, and no two were equal");
    }
    Request again = request;
    again.turn += kTurnStep;
    again.delay = {};
    return again;
  }
  try {
    read_(read_datalink(response.body, ids_, settings_));
  } catch (const BadObject& e) {
    failure_ = e.what();
  }
  return std::nullopt;
}

std::optional<Request> DataLinkExchange::failed(const std::string& reason) {
  if (reason.find(kWrongStructure) != reason.npos) {
    if (auto next = other_structure()) return next;
  }
  failure_ = reason;
  return std::nullopt;
}

}  // namespace gaia
