#include "irsa_conversation.hpp"

#include <fmt/format.h>

#include <qsohost/error.hpp>

#include <algorithm>
#include <utility>

namespace ztf {

namespace {

using qsohost::BadObject;
using qsohost::Outcome;
using qsohost::Request;
using qsohost::Response;
using qsohost::TryAgain;

constexpr std::size_t kFewTargets = 30;  // faster by position than by the table
constexpr int kMostMalformed = 3;        // responses; more are not a temporary fault
constexpr int kAgreeing = 3;             // responses with the same number of rows, fewer than
                                         // announced

}  // namespace

IrsaConversation::IrsaConversation(const IrsaSettings& settings, Shared& shared,
                                   const qsohost::Batch& batch, std::span<const double> ras,
                                   std::span<const double> decs, qsohost::Counts& counts)
    : settings_(settings), shared_(shared), batch_(batch), counts_(counts), targets_(batch.rows()) {
  for (std::size_t row = 0; row < targets_.size(); ++row) {
    targets_[row].position = {ras[row], decs[row]};
  }
}

IrsaConversation::Requests IrsaConversation::begin() {
  std::vector<UploadedPosition> rows;
  for (std::size_t row = 0; row < targets_.size(); ++row) {
    try {
      check_position(targets_[row].position);
      rows.push_back({row, targets_[row].position});
    } catch (const BadObject& e) {
      targets_[row].end = Ending{Outcome::BadObject, e.what()};
    }
  }
  const bool by_ids = settings_.query_by == QueryBy::Ids ||
                      (settings_.query_by == QueryBy::Auto && rows.size() > kFewTargets &&
                       !settings_.objects_table.empty() && !shared_.table_failed);
  return by_ids ? ask_table(rows, 0) : ask_positions(rows);
}

Request IrsaConversation::ask(Question question, Request request) {
  request.tag = questions_.size();
  if (question.times > 0) {
    request.turn = question.times;
    request.delay = settings_.pause(question.times);
  }
  questions_.push_back(std::move(question));
  return request;
}

Request IrsaConversation::ask_ids(std::vector<std::int64_t> oids, int times) {
  Question question;
  question.kind = Kind::Ids;
  question.oids = std::move(oids);
  question.times = times;
  return ask_curves(std::move(question));
}

Request IrsaConversation::ask_again(Question question) {
  ++question.times;
  return ask_curves(std::move(question));
}

Request IrsaConversation::ask_curves(Question question) {
  const auto& oids = question.oids;
  const bool by_ids = !oids.empty();
  const bool as_votable = question.kind == Kind::Rows;
  Request request = by_ids ? ztf::curves_of(settings_, oids, as_votable)
                           : curves_at(settings_, targets_[question.place].position, as_votable);
  request.about = by_ids ? fmt::format("{} ZTF objects from {} on", oids.size(), oids.front())
                         : "source " + batch_.id(question.place);
  return ask(std::move(question), std::move(request));
}

IrsaConversation::Requests IrsaConversation::ask_table(
    const std::vector<UploadedPosition>& positions, int round) {
  const auto pause = round == 0 ? std::chrono::milliseconds(0) : settings_.pause(round);
  Requests requests;
  for (std::size_t first = 0; first < positions.size(); first += kMostPositions) {
    const auto begin = positions.begin() + static_cast<std::ptrdiff_t>(first);
    const auto n = std::min(kMostPositions, positions.size() - first);
    LookUp& look_up = look_ups_.emplace_back(
        settings_, std::vector<UploadedPosition>(begin, begin + static_cast<std::ptrdiff_t>(n)),
        round, pause);
    const auto more = further(look_up.begin(), look_ups_.size() - 1);
    requests.insert(requests.end(), more.begin(), more.end());
  }
  return requests;
}

// The look-up's next request, or those that follow when it is over.
IrsaConversation::Requests IrsaConversation::further(std::optional<Request> request,
                                                     std::size_t look_up) {
  if (request) {
    Question question;
    question.kind = Kind::Table;
    question.place = look_up;
    return {ask(std::move(question), std::move(*request))};
  }
  const LookUp& done = look_ups_[look_up];
  return done.failure().empty() ? table_read(done) : table_failed(done);
}

// Records the objects near each target; returns the oids that were not requested yet.
std::vector<std::int64_t> IrsaConversation::list(const LookUp& look_up) {
  std::vector<std::int64_t> oids;
  for (const auto& [row, objects] : look_up.found()) {
    Target& target = targets_[row];
    for (const ListedObject& object : objects) {
      const bool is_wanted =
          object.epochs > 0 && std::ranges::count(settings_.bands, object.band) > 0;
      if (!is_wanted) continue;
      target.oids.push_back(object.oid);
      const auto [place, is_new] = requested_.try_emplace(object.oid);
      place->second.announced = object.epochs;
      if (is_new) oids.push_back(object.oid);
    }
    std::ranges::sort(target.oids);
    const auto [first, last] = std::ranges::unique(target.oids);
    target.oids.erase(first, last);
    for (const std::int64_t oid : target.oids) ++requested_.at(oid).targets;
    if (target.oids.empty()) {
      target.end = Ending{
          Outcome::NotFound,
          fmt::format("ZTF lists {} sources there, none of them with epochs in the bands that are "
                      "asked for",
                      objects.size())};
    }
  }
  std::ranges::sort(oids);
  return oids;
}

IrsaConversation::Requests IrsaConversation::table_read(const LookUp& look_up) {
  Requests requests;
  const std::vector<std::int64_t> oids = list(look_up);
  counts_.add("archive", "oids asked", static_cast<std::int64_t>(oids.size()));
  for (auto& lot : in_lots(settings_, oids)) requests.push_back(ask_ids(std::move(lot)));
  if (look_up.round() > 0) {
    counts_.add("archive", "wrong empty answers",
                static_cast<std::int64_t>(look_up.found().size()));
  }
  std::vector<UploadedPosition> empty;
  for (const UploadedPosition& p : look_up.positions()) {
    if (!look_up.found().contains(p.n)) empty.push_back(p);
  }
  if (look_up.round() < settings_.confirmations / 2) {
    const auto more = ask_table(empty, look_up.round() + 1);
    requests.insert(requests.end(), more.begin(), more.end());
    return requests;
  }
  for (const UploadedPosition& p : empty) {
    targets_[p.n].end =
        Ending{Outcome::NotFound, fmt::format("no ZTF source there: {} was asked {} times",
                                              settings_.objects_table, look_up.round() + 1)};
  }
  return requests;
}

IrsaConversation::Requests IrsaConversation::table_failed(const LookUp& look_up) {
  if (settings_.query_by == QueryBy::Auto) {
    if (!shared_.table_failed.exchange(true)) {
      shared_.warn(
          fmt::format("{} cannot be asked, so each target is asked for by its position, "
                      "which takes many more requests: {}",
                      settings_.objects_table, look_up.failure()));
    }
    return ask_positions(look_up.positions());
  }
  for (const UploadedPosition& p : look_up.positions()) {
    targets_[p.n].end = Ending{Outcome::Failed, look_up.failure()};
  }
  return {};
}

IrsaConversation::Requests IrsaConversation::answer(const Request& request,
                                                    const Response& response) {
  const Question& question = questions_.at(request.tag);
  switch (question.kind) {
    case Kind::Position:
    case Kind::Ids:
      return curves_answer(question, response);
    case Kind::Rows:
      return rows_answer(question, response);
    case Kind::Table:
      return further(look_ups_[question.place].answer(request, response), question.place);
  }
  return {};
}

IrsaConversation::Requests IrsaConversation::curves_answer(const Question& question,
                                                           const Response& response) {
  std::vector<Curve> curves;
  try {
    curves = parse_answer(response.body, Columns::All);
  } catch (const BadObject& e) {
    return malformed(question, e.what());
  }
  return question.kind == Kind::Ids
             ? ids_answer(question, std::move(curves), response.is_end_known)
             : position_answer(question, std::move(curves), response.is_end_known);
}

IrsaConversation::Requests IrsaConversation::ids_answer(const Question& question,
                                                        std::vector<Curve> curves,
                                                        bool is_end_known) {
  for (const Curve& curve : curves) {
    if (std::ranges::binary_search(question.oids, curve.oid)) continue;
    throw TryAgain(fmt::format("the answer holds object {}, which was not asked for", curve.oid));
  }
  if (curves.empty() && question.oids.size() > 1 && !settings_.has_row_filter()) {
    throw TryAgain(fmt::format("no rows, though {} lists epochs of these {} objects",
                               settings_.objects_table, question.oids.size()));
  }
  std::vector<std::int64_t> again;
  std::vector<std::int64_t> unsure;
  for (const std::int64_t oid : question.oids) {
    const auto found = std::ranges::lower_bound(curves, oid, {}, &Curve::oid);
    RequestedObject& object = requested_.at(oid);
    const bool is_there = found != curves.end() && found->oid == oid;
    object.curve = is_there ? std::move(*found) : Curve();
    const bool is_sure = is_end_known || is_as_announced(object);
    if (!is_sure && !object.there) {
      unsure.push_back(oid);
    } else if (is_sure ? !take(oid) : !take_if_whole(oid)) {
      again.push_back(oid);
    } else {
      object.is_taken = true;
    }
  }
  Requests requests = ask_ids_again(std::move(again), question.times);
  if (!unsure.empty()) {
    Question rows = question;
    rows.kind = Kind::Rows;
    rows.oids = std::move(unsure);
    requests.push_back(ask_curves(std::move(rows)));
  }
  return requests;
}

// Handles the row counts of objects whose response may have been truncated.
IrsaConversation::Requests IrsaConversation::ids_rows_answer(
    const Question& question, const std::map<std::int64_t, std::size_t>& rows) {
  std::vector<std::int64_t> again;
  for (const std::int64_t oid : question.oids) {
    const auto found = rows.find(oid);
    requested_.at(oid).there = found == rows.end() ? 0 : found->second;
    requested_.at(oid).is_taken = take_if_whole(oid);
    if (!requested_.at(oid).is_taken) again.push_back(oid);
  }
  return ask_ids_again(std::move(again), question.times);
}

IrsaConversation::Requests IrsaConversation::ask_ids_again(std::vector<std::int64_t> oids,
                                                           int times) {
  if (oids.empty()) return {};
  counts_.add("archive", "oids asked again", static_cast<std::int64_t>(oids.size()));
  return {ask_ids(std::move(oids), times + 1)};
}

bool IrsaConversation::is_as_announced(const RequestedObject& object) const {
  return !settings_.has_row_filter() &&
         object.curve.epochs.size() == static_cast<std::size_t>(object.announced);
}

// As take(), for a response that may have been truncated.
bool IrsaConversation::take_if_whole(std::int64_t oid) {
  RequestedObject& object = requested_.at(oid);
  if (object.curve.epochs.size() == object.there) return take(oid);
  counts_.add("archive", "cut answers");
  object.curve = {};
  if (++object.cut < kMostCut) return false;
  object.end = Ending{Outcome::Failed,
                      fmt::format("{} answers had not all rows that the archive has of object {}",
                                  object.cut, oid)};
  return true;
}

// Moves the object's rows of a response to `curve`. False if it must be requested again.
bool IrsaConversation::take(std::int64_t oid) {
  RequestedObject& object = requested_.at(oid);
  const std::size_t rows = object.curve.epochs.size();
  const auto announced = static_cast<std::size_t>(object.announced);
  if (rows == 0) {
    if (++object.empty_answers < settings_.confirmations) return false;
    if (settings_.has_row_filter()) return true;
    object.end = Ending{Outcome::Failed,
                        fmt::format("{} lists {} epochs of object {}, but {} answers had none",
                                    settings_.objects_table, announced, oid, object.empty_answers)};
    return true;
  }
  // With a row filter, or rows newer than the table, a different count does not mean truncation.
  if (rows < announced && !settings_.has_row_filter()) {
    if (++object.rows[rows] < kAgreeing) return false;
    counts_.add("archive", "oids with fewer epochs than announced");
  }
  return true;
}

IrsaConversation::Requests IrsaConversation::malformed(const Question& question,
                                                       const std::string& reason) {
  // One bad row must not cost the other objects their light curves.
  if (question.oids.size() > 1) {
    const auto middle =
        question.oids.begin() + static_cast<std::ptrdiff_t>(question.oids.size() / 2);
    std::vector<std::int64_t> first(question.oids.begin(), middle);
    std::vector<std::int64_t> second(middle, question.oids.end());
    const int times = question.times;
    Requests halves;
    halves.push_back(ask_ids(std::move(first), times));
    halves.push_back(ask_ids(std::move(second), times));
    return halves;
  }
  if (question.malformed + 1 < kMostMalformed) {
    Question again = question;
    ++again.malformed;
    return {ask_again(std::move(again))};
  }
  give_up(question, {Outcome::BadObject, reason});
  return {};
}

IrsaConversation::Requests IrsaConversation::failed(const Request& request,
                                                    const std::string& reason) {
  const Question& question = questions_.at(request.tag);
  if (question.kind == Kind::Table) {
    return further(look_ups_[question.place].failed(reason), question.place);
  }
  give_up(question, {Outcome::Failed, reason});
  return {};
}

void IrsaConversation::give_up(const Question& question, const Ending& end) {
  if (question.oids.empty()) targets_[question.place].end = end;
  for (const std::int64_t oid : question.oids) requested_.at(oid).end = end;
}

// The light curves of a target, by oid; none if one of them is not available, with the reason in
// `end`.
std::vector<const Curve*> IrsaConversation::curves_of(const Target& target,
                                                      std::optional<Ending>& end) const {
  std::vector<const Curve*> curves = pointers_to(target.curves);
  end = target.end;
  for (const std::int64_t oid : target.oids) {
    const RequestedObject& object = requested_.at(oid);
    if (!end) end = object.end;
    if (!object.curve.epochs.empty()) curves.push_back(&object.curve);
  }
  return curves;
}

Ending IrsaConversation::settle(std::size_t row, qsohost::Batch& batch,
                                qsohost::Outcomes& outcomes) {
  const Target& target = targets_[row];
  std::optional<Ending> end;
  const std::vector<const Curve*> curves = curves_of(target, end);
  if (end) return *end;
  outcomes.set_detail(row, add_curves(curves, target.position.ra, target.position.dec,
                                      settings_.selection, {batch, counts_, settings_.label}));
  return {Outcome::Matched};
}

// The batch has the epochs now.
void IrsaConversation::free_curves(Target& target) {
  target.curves = {};
  for (const std::int64_t oid : target.oids) {
    RequestedObject& object = requested_.at(oid);
    if (--object.targets == 0) object.curve = {};
  }
}

bool IrsaConversation::is_settled(const Target& target) const {
  if (target.end || !target.curves.empty()) return true;
  return !target.oids.empty() && std::ranges::all_of(target.oids, [&](std::int64_t oid) {
    const RequestedObject& object = requested_.at(oid);
    return object.is_taken || object.end;
  });
}

std::size_t IrsaConversation::unsettled() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(targets_, [&](const Target& target) { return !is_settled(target); }));
}

void IrsaConversation::finish(qsohost::Batch& batch, qsohost::Outcomes& outcomes) {
  outcomes.end_each(batch, [&](const qsohost::Object& object) {
    const Ending end = settle(object.row(), batch, outcomes);
    free_curves(targets_[object.row()]);
    return end;
  });
}

}  // namespace ztf
