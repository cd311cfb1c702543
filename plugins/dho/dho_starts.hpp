// Where climbs to the global maximum start.
#pragma once

#include <span>
#include <vector>

#include "dho_climb.hpp"

namespace dho {

// What a light curve constrains: its variance beyond the errors in mag^2, and times in d.
struct Extent {
  double variance = 0;
  double shortest = 0;  // between epochs
  double usual = 0;     // a tenth of the steps between epochs are shorter
  double baseline = 0;
};
Extent extent_of(const Series& series);

// Damped random walks: a second time r in the oscillator, tau_perturb = r, cancels out and leaves
// cov = sigma^2 exp(-lag / tau). The coordinates are ln sigma and ln tau, sigma 0.001 to 100 mag
// and tau 0.1 to 10,000 d, as in ou-fit; r is tau / 4.
const Space& walks();

// Walks at the peaks of the likelihood along tau.
std::vector<Trial> walk_starts(const Series& series, const Extent& extent, Mean mean);

// The highest on a grid of oscillators, those that are weakly damped spaced by the width of their
// lines; none of them near a higher one. The fewer epochs, the more, since more lines fit them.
std::vector<Trial> oscillator_starts(const Series& series, const Extent& extent, Mean mean);

// A walk to which a second time r adds some variance, or takes some away: by as much as the score
// test says at each r, from the shortest to the longest times, where the likelihood has a peak.
std::vector<Trial> second_time_starts(const Series& series, const Extent& extent, Mean mean,
                                      const Trial& walk);

}  // namespace dho
