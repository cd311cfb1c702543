#include "http/concurrency_limit.hpp"

#include <algorithm>
#include <cmath>

namespace qsohost::inline v1 {

namespace {

constexpr int kFirstLevel = 2;
constexpr int kHighestLevel = 64;
constexpr int kSlowFrom = 8;
constexpr int kOpenTo = 8;
constexpr double kBeforeMore = 200;  // answers, before a higher level is tried
constexpr double kSlower = 1.6;      // ratio of the time of a round to that of the round before
// A request counts as overdue after this multiple of the typical time at the earliest, and as at
// most this multiple.
constexpr double kOverdue = 2;
constexpr double kLongest = 6;
// Answers, times the level, that a decision needs at least and at most.
constexpr double kFewest = 12;
constexpr double kFewestPerLevel = 6;
constexpr double kMostPerLevel = 12;
constexpr double kImprobable = 0.01;
constexpr double kVeryImprobable = 0.001;
constexpr double kMemory = 200;  // answers that a score remembers
// Answers, times the level, before a step that did not pay is tried again: the first wait and the
// longest.
constexpr double kWaitPerLevel = 60;
constexpr double kLongestLevelWait = 5000;

// More where there is less to gain and more to lose.
double fewest(int level) {
  return std::max(kFewest, std::min(0.6 * level * level, kFewestPerLevel * level));
}

// Ratio of the rate at `to` to that at `from`, above which the step pays.
double worth(int from, int to) {
  return 0.5 * (from + to) / to;
}

// Probability of at least `bad` of `n` when each is bad with probability p.
double tail(double n, double bad, double p) {
  double term = std::pow(1 - p, n);  // of none
  double below = 0;
  for (double k = 0; k < bad; ++k) {
    below += term;
    term *= (n - k) / (k + 1) * p / (1 - p);
  }
  return std::max(0.0, 1 - below);
}

}  // namespace

void ConcurrencyLimit::Score::add(double good, double seconds) {
  n += 1;
  g += good;
  s += seconds;
  gg += good * good;
  gs += good * seconds;
  ss += seconds * seconds;
}

void ConcurrencyLimit::Score::add(const Score& other) {
  n += other.n;
  g += other.g;
  s += other.s;
  gg += other.gg;
  gs += other.gs;
  ss += other.ss;
}

void ConcurrencyLimit::Score::fade(double most) {
  if (n <= most) return;
  const double factor = most / n;
  for (double* sum : {&n, &g, &s, &gg, &gs, &ss}) *sum *= factor;
}

void ConcurrencyLimit::Scores::add(const Scores& other) {
  all.add(other.all);
  good.add(other.good);
}

void ConcurrencyLimit::Scores::fade(double most) {
  all.fade(most);
  good.fade(most);
}

// Of a ratio of sums (Cochran, Sampling Techniques, 1977, eq. 2.46).
double ConcurrencyLimit::Score::variance() const {
  if (n < 2 || s <= 0) return 0;
  const double r = rate();
  return std::max(0.0, gg - 2 * r * gs + r * r * ss) / (s * s) * n / (n - 1);
}

ConcurrencyLimit::ConcurrencyLimit(int most)
    : most_(most > 0 ? std::min(most, kHighestLevel) : kHighestLevel),
      level_(std::min(kFirstLevel, most_)),
      highest_(level_) {}

void ConcurrencyLimit::cap(int most) {
  if (most <= 0 || most >= most_) return;
  most_ = most;
  if (level_ > most_) {
    from_ = 0;
    move_to(most_, era_begin_);
  }
}

void ConcurrencyLimit::begin(std::uint64_t id, Seconds now) {
  open_[id] = {era_, now};
}

ConcurrencyLimit::Sample ConcurrencyLimit::end(std::uint64_t id, Seconds now) {
  const auto node = open_.extract(id);
  if (node.empty()) return {};
  return {node.mapped().era, (now - node.mapped().begin).count()};
}

double ConcurrencyLimit::capped(double seconds) const {
  return typical_ > 0 ? std::min(seconds, kLongest * typical_) : seconds;
}

void ConcurrencyLimit::judge(const Sample& sample, bool is_good, Seconds now) {
  if (is_good) learn_time(std::max(sample.took, 1e-6));
  if (sample.era != era_) return;
  // A refusal costs at least as much as an answer, however fast it comes.
  const double took = is_good ? sample.took : std::max(sample.took, typical_);
  window_.all.add(is_good ? 1 : 0, capped(took));
  if (is_good) window_.good.add(1, capped(took));
  ++answers_here_;
  if (is_opening_) evaluate_opening(is_good, now);
  if (sample.era != era_) return;
  if (from_ > 0) {
    evaluate_step(now);
  } else {
    evaluate_hold(now);
  }
}

// Steps up and down are weighted so that the estimates settle at a quantile: the median and the
// 97th percentile.
void ConcurrencyLimit::learn_time(double took) {
  if (typical_ <= 0) typical_ = slow_ = took;
  constexpr double stride = 1.05;
  typical_ *= took > typical_ ? stride : 1 / stride;
  slow_ *= took > slow_ ? std::pow(stride, 0.97 / 0.03) : 1 / stride;
  slow_ = std::clamp(slow_, kOverdue * typical_, kLongest * typical_);
}

void ConcurrencyLimit::starved() {
  window_ = {};
}

void ConcurrencyLimit::restart(Seconds now) {
  is_opening_ = false;
  scores_.clear();
  move_to(std::max(1, (from_ > 0 ? from_ : level_) / 2), now);
}

ConcurrencyLimit::Scores ConcurrencyLimit::with_overdue(Seconds now) const {
  Scores out = window_;
  if (typical_ <= 0) return out;
  for (const auto& [id, request] : open_) {
    const double age = (now - request.begin).count();
    if (request.era == era_ && age > slow_) out.all.add(0, capped(age));
  }
  return out;
}

void ConcurrencyLimit::move_to(int level, Seconds now) {
  level_ = std::clamp(level, 1, most_);
  highest_ = std::max(highest_, level_);
  ++era_;
  era_begin_ = now;
  from_ = 0;
  window_ = {};
}

void ConcurrencyLimit::set_ceiling(int level) {
  const bool again = ceiling_.level > 0 && std::abs(ceiling_.level - level) <= 1;
  ceiling_.wait = again ? std::min(3 * ceiling_.wait, kLongestLevelWait) : kWaitPerLevel * level;
  ceiling_.level = level;
  answers_here_ = 0;
}

void ConcurrencyLimit::step_back(int to, Seconds now) {
  set_ceiling(level_);
  scores_.erase(level_);
  move_to(to, now);
}

void ConcurrencyLimit::halve(Seconds now) {
  set_ceiling(level_);
  scores_.clear();
  move_to(level_ / 2, now);
}

int ConcurrencyLimit::next_level() const {
  int next = std::min(level_ + std::max(1, level_ / 8), most_);
  if (ceiling_.level > 0) {
    const bool is_due = answers_here_ >= ceiling_.wait;
    next = std::min(next, is_due ? ceiling_.level : ceiling_.level - 1);
  }
  return next;
}

void ConcurrencyLimit::step_up_if_due(Seconds now) {
  const int next = next_level();
  if (next <= level_) return;
  const int from = level_;
  scores_[from].add(with_overdue(now));  // overdue requests end in a later era, uncounted
  move_to(next, now);
  from_ = from;
}

namespace {

// By how many standard errors a score is above `times` the reference.
template <class Score>
double sigmas(const Score& score, const Score& reference, double factor) {
  const double difference = score.rate() - factor * reference.rate();
  // The spread of a few similar requests is unknown; it is hardly less than the reference's.
  const double alike = score.n > 0 ? reference.variance() * reference.n / score.n : 0;
  const double variance =
      std::max(score.variance(), factor * factor * alike) + factor * factor * reference.variance();
  return variance > 0 ? difference / std::sqrt(variance) : difference * 1e9;
}

}  // namespace

// Failures that occur at every level carry no information; more failures here than below do.
bool ConcurrencyLimit::fails_more(const Score& score, double improbable) const {
  Score below;
  for (const auto& [level, other] : scores_) {
    if (level < level_) below.add(other.all);
  }
  const double bad = below.n - below.g + 1;
  const double usual = std::min(0.95, (bad + std::sqrt(bad)) / (below.n + 2));  // at most
  return tail(std::round(score.n), std::round(score.n - score.g), usual) < improbable;
}

// Compares two levels by a few answers each, enough to see that one of them queues.
void ConcurrencyLimit::evaluate_opening(bool is_good, Seconds now) {
  const Score& good = window_.good;
  const bool is_late = with_overdue(now).all.n > window_.all.n;
  if (!is_good || is_late || level_ >= most_) {
    is_opening_ = false;
    return;
  }
  if (level_ >= kOpenTo) {
    is_opening_ = false;
    ceiling_ = {level_ + 1, kBeforeMore};
    return;
  }
  if (good.n < level_) return;
  const double took = good.s / good.n;
  if (round_before_ > 0 && took > kSlower * round_before_) {
    is_opening_ = false;
    return step_back(level_ / 2, now);
  }
  round_before_ = took;
  move_to(std::min(2 * level_, kOpenTo), now);
}

void ConcurrencyLimit::evaluate_step(Seconds now) {
  const Scores scores = with_overdue(now);
  const double n = scores.all.n;
  if (n < kFewest / 2) return;
  const double factor = worth(from_, level_);
  const Scores& below = scores_[from_];
  const double faster = sigmas(scores.good, below.good, factor);
  const double more = sigmas(scores.all, below.all, factor);
  const bool is_enough = n >= fewest(level_);
  const bool is_last = n >= kMostPerLevel * level_ + 2 * kFewest;
  const bool is_slower = faster < (is_last ? 0 : is_enough ? -1 : -2.5);
  if (is_slower || more < (is_enough ? -2 : -3) || fails_more(scores.all, kImprobable)) {
    return step_back(from_, now);
  }
  // Not before requests that never return have had time to be missed.
  const bool is_old = (now - era_begin_).count() > 2 * slow_;
  if (!is_enough || !is_old || faster < (is_last ? 0 : 0.3) || (!is_last && more < -1)) return;
  if (level_ >= ceiling_.level) ceiling_ = {};
  scores_[level_] = scores;
  move_to(level_, now);  // the overdue requests are counted
  // Slowly at high levels: the next step only after another evaluation of this level.
  if (level_ < kSlowFrom) step_up_if_due(now);
}

void ConcurrencyLimit::evaluate_hold(Seconds now) {
  const Scores recent = with_overdue(now);
  const double n = recent.all.n;
  Scores& own = scores_[level_];
  const bool nothing = recent.all.g == 0 && n >= std::max(8, level_);
  const bool much_worse =
      own.all.n >= kFewest && n >= kFewest / 2 && sigmas(recent.all, own.all, 0.6) < -3;
  const auto here = scores_.find(level_);
  const bool knows_below = here != scores_.begin();
  if (nothing || much_worse) {
    const bool is_new = knows_below && own.all.n < 0.5 * kMemory;
    return is_new ? step_back(std::prev(here)->first, now) : halve(now);
  }
  Scores together = own;
  together.add(recent);
  if (knows_below && own.all.n < kMemory && fails_more(together.all, kVeryImprobable)) {
    return step_back(std::prev(here)->first, now);
  }
  if (window_.all.n < fewest(level_)) return;
  own.add(window_);
  own.fade(kMemory);
  window_ = {};
  for (auto& [level, scores] : scores_) {
    if (level != level_) scores.fade(0.9 * scores.all.n);  // old samples lose weight
  }
  if (knows_below) {
    const auto& [level, below] = *std::prev(here);
    const double factor = worth(level, level_);
    const bool is_slower = sigmas(own.good, below.good, factor) < -2;
    if (is_slower || sigmas(own.all, below.all, factor) < -2) return step_back(level, now);
  }
  step_up_if_due(now);
}

}  // namespace qsohost::inline v1
