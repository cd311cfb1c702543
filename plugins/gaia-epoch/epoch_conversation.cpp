#include "epoch_conversation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include <qsohost/error.hpp>

#include "tap_epochs.hpp"

namespace gaia {

namespace {

using qsohost::Ending;
using qsohost::Outcome;
using qsohost::Request;
using qsohost::Response;
using std::chrono::milliseconds;

constexpr std::size_t kMostIds = 1000;    // in a query that gives one row for each
constexpr std::int64_t kMostRows = 1500;  // of sync answers, which end at 2,000 without a sign
constexpr int kMostEmpty = 5;             // answers without a source that has epochs
constexpr int kMostDoubted = 4;

void append(std::vector<Request>& requests, std::vector<Request> more) {
  std::ranges::move(more, std::back_inserter(requests));
}

// SplitMix64: neighbours of the sky, whose identifiers are alike, get far from each other.
std::uint64_t shuffled(std::int64_t id) {
  std::uint64_t x = static_cast<std::uint64_t>(id) + 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

}  // namespace

EpochConversation::EpochConversation(const RemoteSettings& settings, RemoteState& state,
                                     std::span<const std::int64_t> ids, qsohost::Counts& counts)
    : settings_(settings),
      state_(state),
      counts_(counts),
      ids_(ids.begin(), ids.end()),
      unsettled_(ids.size()) {
  std::ranges::sort(ids_, {}, [](std::int64_t id) { return std::pair(shuffled(id), id); });
  for (const std::int64_t id : ids_) sources_[id];
}

std::string EpochConversation::words(std::string_view reason) const {
  return fmt::format("{}: {}", settings_.service, reason);
}

std::size_t EpochConversation::unsettled() const {
  return unsettled_;
}

void EpochConversation::settle(std::int64_t id, Ending end) {
  Source& source = sources_.at(id);
  if (source.is_settled) return;
  source.is_settled = true;
  --unsettled_;
  if (end.outcome != Outcome::Matched) found_.endings[id] = std::move(end);
}

EpochConversation::Requests EpochConversation::begin() {
  if (ids_.empty()) return {};
  const bool is_known = settings_.road == Road::DataLink || !selection().empty();
  return is_known ? start() : ask({Kind::Columns, ids_}, {});
}

EpochConversation::Requests EpochConversation::start() {
  return settings_.road == Road::Vizier ? ask_rows(Kind::Counts, ids_) : ask_epochs(ids_);
}

std::string EpochConversation::selection() {
  const std::lock_guard lock(state_.mutex);
  return state_.selection.value_or("");
}

EpochConversation::Exchange EpochConversation::exchange_of(Question& question, milliseconds delay) {
  if (question.kind == Kind::Epochs && settings_.road == Road::DataLink) {
    return DataLinkExchange(
        settings_, state_, question.ids, question.turn, delay,
        [&question](EpochAnswer answer) { question.epochs = std::move(answer); });
  }
  const Ids& ids = question.ids;
  const std::string about = fmt::format("{} sources from {} on", ids.size(), ids.front());
  const auto tap = [&](const std::string& url, std::string adql, auto read) {
    return qsohost::TapExchange(tap_query(url, std::move(adql), about, question.turn, delay),
                                [read](const qsohost::TapAnswer& answer) { read(answer.body); });
  };
  switch (question.kind) {
    case Kind::Columns:
      return tap(settings_.url, columns_query(settings_),
                 [this, &question](const std::string& body) {
                   question.selection = selection_of(body, settings_);
                 });
    case Kind::Counts:
      return tap(settings_.url, counts_query(settings_, ids), [&question](const std::string& body) {
        question.counts = read_counts(body, question.ids);
      });
    case Kind::Flags:
      return tap(settings_.tap_url, flags_query(settings_, ids),
                 [&question](const std::string& body) {
                   question.flags = read_flags(body, question.ids);
                 });
    case Kind::Epochs:
      break;
  }
  return tap(settings_.url, epochs_query(settings_, selection(), ids),
             [this, &question](const std::string& body) {
               question.epochs = read_epochs(body, question.ids, settings_);
             });
}

EpochConversation::Requests EpochConversation::ask(Question question, milliseconds delay,
                                                   bool is_fresh) {
  questions_.push_back(std::move(question));
  Question& asked = questions_.back();
  asked.exchange.emplace(exchange_of(asked, delay));
  if (asked.kind == Kind::Epochs || asked.kind == Kind::Counts) {
    ++lists_;
    for (const std::int64_t id : asked.ids) ++sources_.at(id).asked;
  }
  Request request = std::visit([](auto& exchange) { return exchange.begin(); }, *asked.exchange);
  request.tag = questions_.size() - 1;
  request.of_stage = asked.kind == Kind::Columns;
  request.fresh = request.fresh || is_fresh;
  return {std::move(request)};
}

// In lists of as many sources as a request may have; those of counted rows have few rows too.
EpochConversation::Requests EpochConversation::ask_epochs(const Ids& ids) {
  Requests requests;
  Ids list;
  std::int64_t rows = 0;
  const auto send = [&] {
    if (list.empty()) return;
    append(requests, ask({Kind::Epochs, std::exchange(list, {})}, {}));
    rows = 0;
  };
  for (const std::int64_t id : ids) {
    const std::int64_t more = sources_.at(id).rows.value_or(0);
    if (list.size() >= settings_.ids_per_request || rows + more > kMostRows) send();
    list.push_back(id);
    rows += more;
  }
  send();
  return requests;
}

// Queries that give one row for each source.
EpochConversation::Requests EpochConversation::ask_rows(Kind kind, const Ids& ids) {
  Requests requests;
  for (std::size_t first = 0; first < ids.size(); first += kMostIds) {
    const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(first);
    const auto count = static_cast<std::ptrdiff_t>(std::min(kMostIds, ids.size() - first));
    append(requests, ask({kind, Ids(begin, begin + count)}, {}));
  }
  return requests;
}

// Of the sources that answers left out.
EpochConversation::Requests EpochConversation::ask_flags() {
  const Ids ids = std::exchange(absent_, {});
  return settings_.tap_url.empty() ? after_flags(ids, false) : ask_rows(Kind::Flags, ids);
}

EpochConversation::Requests EpochConversation::ask_alone(std::int64_t id, bool is_fresh) {
  const int before = sources_.at(id).asked;
  const milliseconds pause = settings_.confirm_after * (1 << std::min(before - 1, 6));
  // VizieR's rows are counted before they are asked for.
  const bool is_counted = sources_.at(id).rows.has_value();
  const Kind kind = settings_.road == Road::Vizier && !is_counted ? Kind::Counts : Kind::Epochs;
  counts_.add("archive", "sources asked for again alone");
  return ask({kind, {id}, before}, pause, is_fresh);
}

EpochConversation::Requests EpochConversation::answer(const Request& request,
                                                      const Response& response) {
  Question& question = questions_.at(request.tag);
  auto next = std::visit([&](auto& exchange) { return exchange.answer(request, response); },
                         *question.exchange);
  question.is_kept = response.is_kept;
  return further(request.tag, std::move(next));
}

EpochConversation::Requests EpochConversation::failed(const Request& request,
                                                      const std::string& reason) {
  Question& question = questions_.at(request.tag);
  auto next =
      std::visit([&](auto& exchange) { return exchange.failed(reason); }, *question.exchange);
  return further(request.tag, std::move(next));
}

EpochConversation::Requests EpochConversation::further(std::size_t place,
                                                       std::optional<Request> next) {
  Question& question = questions_[place];
  if (next) {
    next->tag = place;
    next->of_stage = question.kind == Kind::Columns;
    return {std::move(*next)};
  }
  const std::string failure =
      std::visit([](const auto& exchange) { return exchange.failure(); }, *question.exchange);
  Requests requests = failure.empty() ? read(question) : lost(question, failure);
  if (question.kind == Kind::Epochs || question.kind == Kind::Counts) --lists_;
  question.exchange.reset();  // memory must stay flat
  question.epochs = {};
  if (lists_ == 0 && !absent_.empty()) {
    append(requests, ask_flags());
  }
  return requests;
}

EpochConversation::Requests EpochConversation::read(Question& question) {
  switch (question.kind) {
    case Kind::Columns: {
      {
        const std::lock_guard lock(state_.mutex);
        state_.selection = question.selection;
      }
      return start();
    }
    case Kind::Counts:
      return counts_read(question);
    case Kind::Epochs:
      return epochs_read(question);
    case Kind::Flags:
      return flags_read(question);
  }
  return {};
}

EpochConversation::Requests EpochConversation::lost(const Question& question,
                                                    const std::string& reason) {
  if (question.kind == Kind::Flags) {
    if (!state_.has_warned_flags.exchange(true)) {
      state_.warn(fmt::format(
          "has_epoch_photometry cannot be asked for at {}, so each source without epochs is asked "
          "for twice: {}",
          settings_.tap_url, reason));
    }
    return after_flags(question.ids, false);
  }
  const bool is_list = question.kind != Kind::Columns && question.ids.size() > 1;
  if (!is_list) {
    for (const std::int64_t id : question.ids) settle(id, {Outcome::Failed, words(reason)});
    return {};
  }
  counts_.add("archive", "lists halved");
  const auto middle = question.ids.begin() + static_cast<std::ptrdiff_t>(question.ids.size() / 2);
  Requests halves = ask({question.kind, Ids(question.ids.begin(), middle), question.turn}, {});
  append(halves, ask({question.kind, Ids(middle, question.ids.end()), question.turn}, {}));
  return halves;
}

EpochConversation::Requests EpochConversation::counts_read(const Question& question) {
  Requests requests;
  Ids present;
  for (const std::int64_t id : question.ids) {
    const auto count = question.counts.find(id);
    if (count == question.counts.end()) {
      append(requests, absent(id, question));
      continue;
    }
    sources_.at(id).rows = count->second;
    sources_.at(id).has_epochs = true;
    present.push_back(id);
  }
  append(requests, ask_epochs(present));
  return requests;
}

EpochConversation::Requests EpochConversation::epochs_read(Question& question) {
  std::unordered_map<std::int64_t, std::int64_t> rows;
  for (const Block& block : question.epochs.blocks) {
    for (std::size_t row = 0; row < block.ids.size(); ++row) {
      // In arrays or not, the time has an element for each transit.
      rows[block.ids[row]] += static_cast<std::int64_t>(block.cells.front().count(row));
    }
  }
  if (!rows.empty()) state_.has_answered = true;
  Requests requests;
  std::set<std::int64_t> trusted;
  for (const std::int64_t id : question.ids) {
    Requests more;
    const Source& source = sources_.at(id);
    const auto doubt_of = question.epochs.doubts.find(id);
    const auto found = rows.find(id);
    if (doubt_of != question.epochs.doubts.end()) {
      more = doubt(id, doubt_of->second, question.is_kept);
    } else if (found == rows.end()) {
      more = absent(id, question);
    } else if (source.rows && *source.rows != found->second) {
      more = doubt(id, fmt::format("{} of {} rows", found->second, *source.rows), question.is_kept);
    } else {
      settle(id, {Outcome::Matched});
      trusted.insert(id);
    }
    append(requests, std::move(more));
  }
  take(std::move(question.epochs.blocks), trusted);
  return requests;
}

void EpochConversation::take(std::vector<Block> blocks, const std::set<std::int64_t>& trusted) {
  constexpr std::int64_t nobody = std::numeric_limits<std::int64_t>::min();
  for (Block& block : blocks) {
    for (std::int64_t& id : block.ids) {
      if (!trusted.contains(id)) id = nobody;
    }
    found_.blocks.push_back(std::move(block));
  }
}

EpochConversation::Requests EpochConversation::absent(std::int64_t id, const Question& question) {
  Source& source = sources_.at(id);
  ++source.empty;
  if (source.empty == 1 && !source.has_epochs) {
    absent_.push_back(id);
    return {};
  }
  if (source.has_epochs.value_or(false)) {
    if (source.empty < kMostEmpty) return ask_alone(id, question.is_kept);
    settle(id,
           {Outcome::Failed,
            words(fmt::format("{} answers had no epochs, though the archive says that there are",
                              source.empty))});
    return {};
  }
  settle(id, {Outcome::NotFound,
              fmt::format("no epochs published in {}: {} answers had none, the last to a request "
                          "for this source alone",
                          settings_.release, source.empty)});
  return {};
}

EpochConversation::Requests EpochConversation::doubt(std::int64_t id, const std::string& reason,
                                                     bool is_kept) {
  counts_.add("archive", "parts of answers not trusted");
  if (++sources_.at(id).doubted < kMostDoubted) return ask_alone(id, is_kept);
  settle(id, {Outcome::Failed, words(reason)});
  return {};
}

EpochConversation::Requests EpochConversation::flags_read(const Question& question) {
  Ids known;
  Ids unknown;
  for (const std::int64_t id : question.ids) {
    const auto flag = question.flags.find(id);
    if (flag != question.flags.end()) sources_.at(id).has_epochs = flag->second;
    (flag != question.flags.end() ? known : unknown).push_back(id);
  }
  // gaia_source has a row for every source: an answer without one may be incomplete.
  Requests requests = after_flags(known, question.is_kept);
  const bool is_last = question.turn > 0 || unknown.empty();
  Requests more = is_last ? after_flags(unknown, question.is_kept)
                          : ask({Kind::Flags, unknown, question.turn + 1}, {}, question.is_kept);
  append(requests, std::move(more));
  return requests;
}

EpochConversation::Requests EpochConversation::after_flags(const Ids& ids, bool is_fresh) {
  Requests requests;
  for (const std::int64_t id : ids) {
    if (sources_.at(id).has_epochs == false) {
      settle(id, {Outcome::NotFound,
                  fmt::format("no epochs published in {}: has_epoch_photometry is false",
                              settings_.release)});
      continue;
    }
    append(requests, ask_alone(id, is_fresh));
  }
  return requests;
}

}  // namespace gaia
