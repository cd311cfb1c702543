#include "gaia_transits.hpp"

#include <algorithm>
#include <cmath>

#include "nan.hpp"
#include "random.hpp"

namespace qsohost::skysim {

namespace {

// Positions of flags in the list of columns: noisy_data, sm and af1-9 and bp, rp unavailable, the
// same rejected, then the variability flags of G, BP, RP.
constexpr std::uint32_t flag(int place) {
  return std::uint32_t{1} << place;
}
constexpr int kNoisy = 0;
constexpr int kUnavailable = 1;
constexpr int kReject = 13;
constexpr int kVariability = 25;
constexpr int kBp = 10;  // within the twelve of a kind
constexpr int kRp = 11;

void add_group(Random& random, double time, std::vector<GaiaTransit>& transits) {
  // Both fields of view see a source 106.5 minutes apart, for up to some consecutive turns of six
  // hours.
  const int turns = static_cast<int>(random.integer(1, 3));
  for (int turn = 0; turn < turns; ++turn) {
    for (int view = 0; view < 2; ++view) {
      if (random.chance(0.25)) continue;
      GaiaTransit transit;
      const double at = time + 0.25 * turn + 0.07396 * view;
      transit.time = {at, at + 0.000316, at + 0.000371};
      transit.id = static_cast<std::int64_t>((at - 1500) * 2.4e13) + random.integer(0, 1 << 20);
      transits.push_back(transit);
    }
  }
}

void set_flags(Random& random, GaiaTransit& transit) {
  if (random.chance(0.01)) transit.flags |= flag(kNoisy);
  for (int unit = 0; unit < 12; ++unit) {
    if (random.chance(unit < kBp ? 0.01 : 0.03)) transit.flags |= flag(kUnavailable + unit);
    if (random.chance(unit < kBp ? 0.005 : 0.02)) transit.flags |= flag(kReject + unit);
  }
  for (int unit = 1; unit <= 9; ++unit) {
    const std::uint32_t lost = flag(kUnavailable + unit) | flag(kReject + unit);
    if ((transit.flags & lost) != 0) --transit.ccds;
  }
  if (random.chance(0.01)) transit.ccds = std::max(1, transit.ccds - 4);
}

}  // namespace

std::vector<GaiaTransit> gaia_transits(const Recipe& recipe, const Quasar& quasar) {
  Random random(recipe.seed, Stream::GaiaEpochs, {quasar.number});
  std::vector<GaiaTransit> transits;
  // A scan every month or two from 2014 to 2017; more of them near ecliptic latitudes of 45
  // degrees.
  const double latitude = std::abs(ecliptic(quasar.gaia).dec);
  const double step = 58 - 22 * std::exp(-std::pow((latitude - 45) / 12, 2));
  for (double time = 1670 + random.uniform(0, step); time < 2704;
       time += step * random.uniform(0.5, 1.5)) {
    add_group(random, time, transits);
  }
  if (transits.empty()) add_group(random, 2000, transits);
  return transits;
}

void measure(const Recipe& recipe, const Quasar& quasar, std::span<const double> path,
             std::span<GaiaTransit> transits) {
  constexpr std::array<double, 3> noise{0.0075, 0.075, 0.055};  // relative, at 18 mag
  constexpr std::array<double, 3> floor{0.0015, 0.006, 0.006};
  constexpr std::array<double, 3> gross{0.003, 0.01, 0.01};
  Random random(recipe.seed, Stream::GaiaEpochs, {quasar.number, 1});
  for (std::size_t i = 0; i < transits.size(); ++i) {
    GaiaTransit& t = transits[i];
    if (!recipe.is_clean) set_flags(random, t);
    for (std::size_t b = 0; b < 3; ++b) {
      const Process& process = quasar.processes[kZtfBands + b];
      const double mag = process.mean + process.sigma * path[i] + process.jitter * random.normal();
      const double error =
          recipe.error_law == ErrorLaw::Flat
              ? kFlatError / 1.0857
              : std::hypot(floor[b], noise[b] * std::pow(10, (b == 0 ? 0.3 : 0.36) * (mag - 18)));
      const double excess = recipe.is_clean ? 1 : std::exp(0.1 * random.normal());
      t.flux_error[b] = error * excess;
      t.mag[b] = mag + 1.0857 * error * random.normal();
      if (recipe.is_clean) continue;
      if (random.chance(gross[b])) {
        t.why[b] = random.chance(0.7) ? Why::Blend : Why::Ghost;
        t.offset[b] = static_cast<float>(-random.uniform(0.6, 1.6));
      }
      const int unit = b == 1 ? kBp : kRp;
      const bool is_lost = b > 0 && (t.flags & flag(kUnavailable + unit)) != 0;
      const bool is_rejected = b > 0 && (t.flags & flag(kReject + unit)) != 0;
      if (is_rejected || random.chance(0.01)) {
        t.flags |= flag(kVariability + static_cast<int>(b));
        if (t.why[b] != Why::None) t.why[b] = Why::Flagged;
      }
      t.mag[b] += t.offset[b];
      if (!is_lost) continue;
      t.mag[b] = t.time[b] = t.flux_error[b] = kNan;
      t.why[b] = Why::None;
    }
  }
}

}  // namespace qsohost::skysim
