#include "match_block.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include <qsohost/error.hpp>
#include <qsohost/io/text.hpp>

namespace xmatch {

namespace {

using qsohost::Request;
using qsohost::Response;
using qsohost::RunError;
using qsohost::SkyPlace;

constexpr int kForbidden = 403;
constexpr int kBadRequest = 400;
// An answer that needs another, equal one is asked for up to this many times.
constexpr std::size_t kMostUnequal = 5;
// A limit of the service, where rows come in no order that would show a cut, is likely to be a
// multiple of this.
constexpr std::size_t kRoundNumber = 1000;
constexpr std::string_view kBoundary = "qsohost-0f1e2d3c4b5a";

void add_part(std::string& body, std::string_view name, std::string_view value,
              std::string_view more = {}) {
  body += fmt::format("--{}\r\nContent-Disposition: form-data; name=\"{}\"{}\r\n\r\n{}\r\n",
                      kBoundary, name, more, value);
}

std::string upload_of(std::span<const SkyPlace> places) {
  std::string text = fmt::format("{},{},{}\n", kRowColumn, kRaColumn, kDecColumn);
  for (const SkyPlace& place : places) {
    fmt::format_to(std::back_inserter(text), "{},{:.12f},{:.12f}\n", place.row, place.ra,
                   place.dec);
  }
  return text;
}

// What the service says of a request that it refuses.
std::string words_of(const Response& response) {
  try {
    const qsohost::TableReader table(response.body);
  } catch (const qsohost::Error& e) {
    return e.what();
  }
  return fmt::format("HTTP {}", response.status);
}

[[noreturn]] void throw_refused(const Service& service, const Response& response) {
  if (response.status == kForbidden) {
    throw RunError(fmt::format(
        "{} refuses access (HTTP 403). It bans an address for some time that has more than one job "
        "at a time; this run sends one after the other and asks no more now. Look for other "
        "programs at your address that use the service, wait an hour, then go on with --resume: "
        "what has been received is kept",
        service.url));
  }
  throw RunError(
      fmt::format("{} refuses the request (HTTP {}), for good: {}; look at options "
                  "'right' and 'radius_arcsec'",
                  service.url, response.status, words_of(response)));
}

}  // namespace

MatchBlock::MatchBlock(const Service& service, std::span<const SkyPlace> places,
                       RightColumns& columns, RowLimit& limit)
    : service_(service),
      places_(places),
      columns_(columns),
      limit_(limit),
      parts_{{.begin = 0, .end = places.size()}} {}

Request MatchBlock::request() const {
  const Part& part = parts_.front();
  const auto places = places_.subspan(part.begin, part.end - part.begin);
  Request request;
  request.url = service_.url;
  request.method = "POST";
  request.content_type = fmt::format("multipart/form-data; boundary={}", kBoundary);
  request.accept = {kBadRequest, kForbidden};  // never sent again: see answer()
  request.about =
      fmt::format("rows {} to {} of the left table", places.front().row + 1, places.back().row + 1);
  std::string& body = request.body;
  add_part(body, "request", "xmatch");
  add_part(body, "distMaxArcsec", fmt::format("{}", service_.radius_arcsec));
  add_part(body, "RESPONSEFORMAT", "csv");
  add_part(body, "selection", "all");
  add_part(body, "MAXREC", fmt::format("{}", kMostRows));
  add_part(body, "colRA1", kRaColumn);
  add_part(body, "colDec1", kDecColumn);
  add_part(body, "cols1", kRowColumn);
  add_part(body, "cat2", service_.right);
  add_part(body, "cat1", upload_of(places), "; filename=\"block.csv\"\r\nContent-Type: text/csv");
  body += fmt::format("--{}--\r\n", kBoundary);
  return request;
}

std::vector<Request> MatchBlock::answer(const Request& request, const Response& response) {
  if (response.status >= kBadRequest) throw_refused(service_, response);
  std::vector<MatchedRow> rows = read_answer(response.body, columns_);
  // cppcheck-suppress containerOutOfBounds  // take() below removes it
  const Part part = parts_.front();
  for (const MatchedRow& row : rows) {
    const auto places = places_.subspan(part.begin, part.end - part.begin);
    if (std::ranges::binary_search(places, row.left, {}, &SkyPlace::row)) continue;
    throw qsohost::TryAgain(fmt::format("it has row {}, which was not sent", row.left + 1));
  }
  if (!is_believed(response, rows.empty())) {
    Request again = request;
    ++again.turn;
    return {again};
  }
  take(std::move(rows));
  if (parts_.empty()) return {};
  return {this->request()};
}

// Services under load are known to send empty answers, and one without an announced end may be cut.
bool MatchBlock::is_believed(const Response& response, bool is_empty) {
  if (!response.is_end_known || is_empty) {
    const std::uint64_t hash = std::hash<std::string_view>()(response.body);
    if (std::ranges::find(seen_, hash) == seen_.end()) {
      if (seen_.size() >= kMostUnequal) {
        throw RunError(
            fmt::format("{}: of {} answers to one request no two were equal; go on with --resume",
                        service_.url, seen_.size()));
      }
      seen_.push_back(hash);
      return false;
    }
  }
  seen_.clear();
  return true;
}

MatchBlock::Extent MatchBlock::extent_of(const Part& part,
                                         const std::vector<MatchedRow>& rows) const {
  Extent extent;
  std::size_t next = part.begin;  // place after the last that has a row
  std::size_t longest = 0;        // gap between places with rows
  for (const MatchedRow& row : rows) {
    const auto it = std::ranges::lower_bound(places_, row.left, {}, &SkyPlace::row);
    const auto place = static_cast<std::size_t>(it - places_.begin());
    if (place + 1 < next) extent.is_in_order = false;
    if (place + 1 == next) {
      ++extent.rows_of_last;
      continue;
    }
    if (place >= next) longest = std::max(longest, place - next);
    extent.last = place;
    extent.rows_of_last = 1;
    next = place + 1;
  }
  extent.ends_oddly = extent.is_in_order ? part.end - next > longest && !rows.empty()
                                         : rows.size() % kRoundNumber == 0;
  return extent;
}

void MatchBlock::take(std::vector<MatchedRow> rows) {
  const Part part = parts_.front();
  parts_.pop_front();
  const Extent extent = extent_of(part, rows);
  const bool brings_nothing = part.doubted != kNoDoubt && settle_doubt(part, rows, extent);
  if (!brings_nothing && limit_.may_be_cut(rows.size(), extent.ends_oddly)) {
    ask_for_rest(part, rows, extent);
  } else {
    limit_.add_whole(rows.size());
  }
  std::ranges::move(rows, std::back_inserter(rows_));
}

// True if the answer before this one was whole.
bool MatchBlock::settle_doubt(const Part& part, const std::vector<MatchedRow>& rows,
                              const Extent& extent) {
  if (rows.size() == part.known && (rows.empty() || extent.last == part.begin)) {
    limit_.add_whole(part.doubted);
    return true;
  }
  limit_.add_cut(part.doubted);
  if (part.known == 0) {
    throw RunError(fmt::format(
        "{}: it sends {} rows at most, and row {} of the left table has as many matches: take a "
        "smaller radius_arcsec",
        service_.url, part.doubted, places_[part.begin - 1].row + 1));
  }
  return false;
}

// Leaves those rows that are certain.
void MatchBlock::ask_for_rest(const Part& part, std::vector<MatchedRow>& rows,
                              const Extent& extent) {
  const std::size_t count = rows.size();
  if (!extent.is_in_order && part.end - part.begin > 1) {
    const std::size_t middle = part.begin + (part.end - part.begin) / 2;
    parts_.push_front({.begin = middle, .end = part.end});
    parts_.push_front({.begin = part.begin, .end = middle});
    return rows.clear();
  }
  // A place that has all rows of an answer would only get the same answer again.
  const bool is_alone = extent.rows_of_last == count;
  const std::size_t begin = is_alone ? extent.last + 1 : extent.last;
  if (begin == part.end) {
    throw RunError(fmt::format(
        "{}: row {} of the left table has {} matches, and the service sends no more: take a "
        "smaller radius_arcsec",
        service_.url, places_[extent.last].row + 1, count));
  }
  parts_.push_front({.begin = begin,
                     .end = part.end,
                     .doubted = count,
                     .known = is_alone ? 0 : extent.rows_of_last});
  if (!is_alone) rows.resize(count - extent.rows_of_last);
}

std::vector<Request> MatchBlock::failed(const Request& request, const std::string& reason) {
  throw RunError(
      fmt::format("{}: no answer for {}: {}; go on with --resume (what has been received is kept), "
                  "perhaps with "
                  "a smaller block_rows",
                  service_.url, request.about, reason));
}

std::size_t MatchBlock::unsettled() const {
  std::size_t places = 0;
  for (const Part& part : parts_) places += part.end - part.begin;
  return places;
}

}  // namespace xmatch
