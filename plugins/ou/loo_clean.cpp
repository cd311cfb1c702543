#include "loo_clean.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

namespace ou {
namespace {

Cleaned give_up(Cleaned result, Ending why) {
  result.ending = why;
  result.removed.clear();
  return result;
}

}  // namespace

bool Pass::too_many_failed(double fraction, std::size_t n) const {
  const auto failed =
      std::count_if(fits.begin(), fits.end(), [](const Fit& f) { return !f.converged; });
  return !most || static_cast<double>(failed) > fraction * static_cast<double>(n);
}

bool Pass::removes(const Rule& rule) const {
  return most && std::abs(change) >= rule.min_abs_delta_ln_d &&
         !(rule.only_if_d_decreases && change >= 0);
}

// Of equals the earlier epoch, so that the order of the guesses does not matter.
void Pass::choose(const Fit& full) {
  most.reset();
  for (std::size_t k = 0; k < fits.size(); ++k) {
    if (!fits[k].converged) continue;
    const double by = fits[k].ln_d() - full.ln_d();
    if (most && (std::abs(by) < std::abs(change) ||
                 (std::abs(by) == std::abs(change) && epochs[k] > epochs[*most]))) {
      continue;
    }
    most = k;
    change = by;
  }
}

Pass make_pass(const Refits& refit, const Fit& full, std::size_t n, const Rule& rule) {
  constexpr std::size_t kImprobable = 4, kAtATime = 8, kFew = 32;
  constexpr double kDoubt = 0.7;  // above this, guesses are trusted
  const double least = kDoubt * rule.min_abs_delta_ln_d;
  const std::vector<Refits::Guess> guesses = refit.guesses(kImprobable, least);
  // Where D is hardly constrained, a hundredth of its error is too much.
  const bool is_vague = refit.is_vague();
  const Precision precision = is_vague ? Precision::Full : Precision::Screening;
  Pass pass;
  const bool all = rule.mode == Mode::Exact || n <= kFew;
  for (std::size_t first = 0; first < n;) {
    const double threshold = std::max(least, kDoubt * std::abs(pass.change));
    if (!all && guesses[first].change < threshold) break;
    if (rule.stop_requested()) {
      pass.stopped = true;
      return pass;
    }
    std::vector<std::size_t> some;
    for (; first < n && some.size() < kAtATime; ++first) {
      if (!all && guesses[first].change < threshold) break;
      some.push_back(guesses[first].epoch);
    }
    for (Fit& fit : refit(some, precision)) pass.fits.push_back(fit);
    pass.epochs.insert(pass.epochs.end(), some.begin(), some.end());
    pass.choose(full);
  }
  if (precision == Precision::Screening) pass.polish(refit, full, rule);
  return pass;
}

void Pass::polish(const Refits& refit, const Fit& full, const Rule& rule) {
  constexpr double kUncertain = 0.05;                                   // of ln D, after screening
  if (std::abs(change) < rule.min_abs_delta_ln_d - kUncertain) return;  // none is removed
  for (std::size_t k = 0; k < fits.size(); ++k) {
    const bool may_be = std::abs(fits[k].ln_d() - full.ln_d()) >= std::abs(change) - kUncertain;
    if (fits[k].converged && may_be) fits[k] = refit.polished(epochs[k], fits[k]);
  }
  choose(full);
}

double median(std::vector<double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

Series series_of(const Curve& curve) {
  return make_series(curve.time, curve.mag, curve.mag_err, median(curve.mag));
}

Cleaned clean(const Curve& curve, const Rule& rule) {
  Cleaned result;
  std::vector<std::size_t> position(curve.size());
  std::iota(position.begin(), position.end(), std::size_t{0});

  Series series = series_of(curve);
  Ridge ridge = look_along_tau(series, rule.box, rule.mean);
  result.full = result.post = fit_global(series, rule.box, rule.mean, ridge);
  if (!result.full.converged) return give_up(result, Ending::FitFailed);

  for (std::size_t turn = 1;; ++turn) {
    result.passes = std::min(turn, rule.max_passes);
    const bool may_remove = turn <= rule.max_passes;
    const Pass pass = make_pass(Refits(series, result.post, ridge, rule.box, rule.mean),
                                result.post, series.size(), rule);
    if (pass.stopped) return give_up(result, Ending::Stopped);
    if (may_remove && pass.too_many_failed(rule.max_failed_fraction, series.size()))
      return give_up(result, Ending::TooManyFailed);
    if (!pass.removes(rule)) return result;
    if (may_remove && rule.too_many(curve.size(), result.removed.size() + 1))
      return give_up(result, Ending::TooManyRemoved);
    if (!may_remove || !rule.leaves_enough(series.size(), 1)) {
      result.ending = may_remove ? Ending::AtFewest : Ending::PassesUsedUp;
      return result;
    }

    const std::size_t chosen = pass.epochs[*pass.most];
    result.removed.push_back(position[chosen]);
    position.erase(position.begin() + static_cast<std::ptrdiff_t>(chosen));
    series = without(series, {chosen});
    ridge = look_along_tau(series, rule.box, rule.mean, &ridge);
    const std::array refitted{pass.fits[*pass.most].parameters()};
    result.post = fit_global(series, rule.box, rule.mean, ridge, refitted);
    if (!result.post.converged) return give_up(result, Ending::FitFailed);
  }
}

}  // namespace ou
