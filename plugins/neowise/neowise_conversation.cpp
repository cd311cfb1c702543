#include "neowise_conversation.hpp"

#include <fmt/format.h>

#include <qsohost/error.hpp>
#include <qsohost/sphere.hpp>

#include <algorithm>
#include <utility>

#include "neowise_columns.hpp"

namespace neowise {

namespace {

using qsohost::Ending;
using qsohost::Outcome;
using qsohost::Request;
using qsohost::Response;

constexpr std::size_t kFewTargets = 3;      // faster by cones than by upload
constexpr std::size_t kMostTargets = 2000;  // in one upload
constexpr std::int64_t kMostRows = 50'000;  // in one answer: some 8 MB
// Halving finds the one position that an archive cannot answer. Where nothing is answered any more
// it would only multiply the requests.
constexpr int kMostFailures = 4;
constexpr int kMostRepeats = 2;  // of a query about one target, while others are answered

}  // namespace

Conversation::Conversation(const Settings& settings, Shared& shared, std::span<const double> ras,
                           std::span<const double> decs, qsohost::Counts& counts)
    : settings_(settings), shared_(shared), counts_(counts) {
  for (std::size_t row = 0; row < ras.size(); ++row) {
    states_.push_back({.target = {row, ras[row], decs[row]}});
  }
}

Conversation::Requests Conversation::begin() {
  std::vector<Target> targets;
  for (State& state : states_) {
    const auto& [n, ra, dec, rows] = state.target;
    if (qsohost::is_on_sky(ra, dec)) {
      targets.push_back(state.target);
    } else {
      state.end =
          Ending{Outcome::BadObject, fmt::format("the target's position ({}, {}) is none on the "
                                                 "sky; correct it in the catalogue (degrees, ICRS)",
                                                 ra, dec)};
    }
  }
  Requests requests;
  ask_all(targets, requests);
  return requests;
}

void Conversation::ask(Ask kind, Lot lot, Requests& requests) {
  const auto delay = lot.round == 0 ? std::chrono::milliseconds(0)
                                    : settings_.confirm_after * (1 << std::min(lot.round - 1, 6));
  Query& query = queries_.emplace_back(settings_, kind, std::move(lot), delay);
  requests.push_back(query.begin());
  requests.back().tag = queries_.size() - 1;
}

void Conversation::ask_all(const std::vector<Target>& targets, Requests& requests) {
  const bool is_auto = settings_.query_by == QueryBy::Auto;
  if (settings_.query_by == QueryBy::Cone ||
      (is_auto && (targets.size() <= kFewTargets || shared_.by_cone))) {
    for (const Target& target : targets) {
      ask(Ask::Counts, {.targets = {target}, .by_cone = true}, requests);
    }
    return;
  }
  for (std::size_t first = 0; first < targets.size(); first += kMostTargets) {
    const auto begin = targets.begin() + static_cast<std::ptrdiff_t>(first);
    const auto n = static_cast<std::ptrdiff_t>(std::min(kMostTargets, targets.size() - first));
    ask(Ask::Counts, {.targets = {begin, begin + n}}, requests);
  }
}

void Conversation::ask_rows(const std::vector<Target>& counted, bool by_cone, Requests& requests) {
  Lot lot{.targets = {}, .by_cone = by_cone};
  std::int64_t rows = 0;
  for (const Target& target : counted) {
    if (!lot.targets.empty() && (by_cone || rows + target.rows > kMostRows)) {
      ask(Ask::Counted, std::exchange(lot, {.targets = {}, .by_cone = by_cone}), requests);
      rows = 0;
    }
    lot.targets.push_back(target);
    rows += target.rows;
  }
  if (!lot.targets.empty()) ask(Ask::Counted, std::move(lot), requests);
}

// The targets of the query that are still without rows. `is_proof`: its answer counts against them.
void Conversation::ask_again(const Query& query, bool is_proof, Requests& requests) {
  Lot again{.targets = {}, .by_cone = query.lot().by_cone, .round = query.lot().round + 1};
  const int needed = query.lot().witness ? 1 : settings_.confirmations;
  for (const Target& target : query.lot().targets) {
    State& state = states_[target.n];
    if (state.is_read || state.target.rows > 0) continue;
    if (is_proof && ++state.empty_answers >= needed) {
      state.end = Ending{Outcome::NotFound,
                         fmt::format("no exposure within the radius: asked {} times", again.round)};
    } else {
      again.targets.push_back(target);
    }
  }
  if (again.targets.empty()) return;
  if (!again.by_cone) again.witness = witness();
  ask(query.kind(), std::move(again), requests);
}

std::optional<Target> Conversation::witness() const {
  const auto known =
      std::ranges::find_if(states_, [](const State& s) { return s.target.rows > 0; });
  return known == states_.end() ? std::nullopt : std::optional(known->target);
}

Conversation::Requests Conversation::answer(const Request& request, const Response& response) {
  return further(queries_.at(request.tag).answer(request, response), request.tag);
}

Conversation::Requests Conversation::failed(const Request& request, const std::string& reason) {
  return further(queries_.at(request.tag).failed(reason), request.tag);
}

// The query's next request, or those that follow when it is over.
Conversation::Requests Conversation::further(std::optional<Request> request, std::size_t query) {
  if (request) {
    request->tag = query;
    return {std::move(*request)};
  }
  Query& done = queries_[query];
  if (done.is_answered() && !done.lot().by_cone) shared_.upload_works = true;
  if (!done.failure().empty()) return query_failed(done);
  failures_ = 0;
  return done.kind() == Ask::Counts ? counts_read(done) : rows_read(done);
}

Conversation::Requests Conversation::counts_read(const Query& query) {
  std::vector<Target> counted;
  for (const auto& [n, rows] : query.counts()) {
    State& state = states_[n];
    if (state.target.rows > 0) continue;  // the witness
    state.target.rows = rows;
    counted.push_back(state.target);
  }
  if (query.lot().round > 0) {
    counts_.add("archive", "wrong empty answers", static_cast<std::int64_t>(counted.size()));
  }
  Requests requests;
  ask_rows(counted, query.lot().by_cone, requests);
  // A list of counts may be cut, too: it proves nothing about other targets if it has new ones.
  ask_again(query, counted.empty(), requests);
  return requests;
}

Conversation::Requests Conversation::rows_read(Query& query) {
  bool has_new = false;
  for (auto& [n, exposures] : query.exposures()) {
    State& state = states_[n];
    if (state.is_read) continue;  // the witness
    counts_.add("archive", "rows", static_cast<std::int64_t>(exposures.size()));
    state.exposures = std::move(exposures);
    state.target.rows = static_cast<std::int64_t>(state.exposures.size());
    state.is_read = true;
    has_new = true;
  }
  query.exposures().clear();
  Requests requests;
  if (query.kind() == Ask::Uncounted) ask_again(query, !has_new, requests);
  return requests;
}

Conversation::Requests Conversation::query_failed(const Query& query) {
  failures_ = query.is_answered() ? 0 : failures_ + 1;
  Requests requests;
  const Lot& lot = query.lot();
  if (query.is_job()) {
    divide(query, kMostAtOnce, requests);
    return requests;
  }
  if (query.kind() == Ask::Counts) {
    if (!shared_.has_warned_of_counts.exchange(true)) {
      shared_.warn(
          fmt::format("the number of rows of {} could not be had, so only the end mark "
                      "of an answer shows that it is whole: {}",
                      kTable, query.failure()));
    }
    ask(Ask::Uncounted, lot, requests);
    return requests;
  }
  const bool may_switch =
      settings_.query_by == QueryBy::Auto && !lot.by_cone && !shared_.upload_works;
  if (may_switch) {
    if (!shared_.by_cone.exchange(true)) {
      shared_.warn(
          fmt::format("positions cannot be uploaded, so each target is asked for by "
                      "itself, which takes many more requests: {}",
                      query.failure()));
    }
    ask_all(lot.targets, requests);
  } else if (lot.targets.size() > 1 && failures_ < kMostFailures) {
    divide(query, (lot.targets.size() + 1) / 2, requests);
  } else if (lot.repeats < kMostRepeats && failures_ < kMostFailures) {
    Lot again = lot;
    ++again.repeats;
    ask(query.kind(), std::move(again), requests);
  } else {
    give_up(query);
  }
  return requests;
}

// Into lots of at most so many targets.
void Conversation::divide(const Query& query, std::size_t most, Requests& requests) {
  counts_.add("archive", "divided queries");
  const std::vector<Target>& targets = query.lot().targets;
  for (std::size_t first = 0; first < targets.size(); first += most) {
    const auto begin = targets.begin() + static_cast<std::ptrdiff_t>(first);
    Lot part = query.lot();
    part.targets.assign(
        begin, begin + static_cast<std::ptrdiff_t>(std::min(most, targets.size() - first)));
    ask(query.kind(), std::move(part), requests);
  }
}

void Conversation::give_up(const Query& query) {
  for (const Target& target : query.lot().targets) {
    states_[target.n].end = Ending{Outcome::Failed, query.failure()};
  }
}

std::size_t Conversation::unsettled() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      states_, [](const State& state) { return !state.end && !state.is_read; }));
}

void Conversation::finish(qsohost::Batch& batch, qsohost::Outcomes& outcomes) {
  outcomes.end_each(batch, [&](const qsohost::Object& object) {
    State& state = states_[object.row()];
    if (state.end) return *state.end;
    outcomes.set_detail(object.row(),
                        add_curves(std::exchange(state.exposures, {}), state.target.ra,
                                   state.target.dec, settings_.radius_arcsec, batch));
    return Ending{Outcome::Matched};
  });
}

}  // namespace neowise
