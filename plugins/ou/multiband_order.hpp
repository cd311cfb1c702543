// What the sweeps over all bands take: the epochs in the order of the recursion, and the trials.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "multiband_likelihood.hpp"

namespace ou::multiband {

// Which band comes first where times, shifted by the lags, are equal.
enum class Ties : std::uint8_t { FirstBand, LastBand };

struct Ordered {
  std::vector<std::size_t> place;  // in the series
  std::vector<double> dt;          // d since the epoch before, lags taken off; 0 for the first
  std::vector<double> y, var;
  std::vector<std::uint8_t> band;
  std::vector<std::uint8_t> ignored;  // empty: none
  bool has_ties = false;              // of epochs of different bands
  std::size_t size() const { return y.size(); }
};

Ordered in_order(const Series& series, const PerBand<double>& lag, Ties ties,
                 std::span<const std::uint8_t> ignored = {});

// Parameters of each trial; `incoherent` is empty for model M.
struct Trials {
  std::span<const Parameters> coherent;
  std::span<const Incoherent> incoherent;
  std::size_t size() const { return coherent.size(); }
  Trials part(std::size_t first, std::size_t count) const {
    return {coherent.subspan(first, count),
            incoherent.empty() ? incoherent : incoherent.subspan(first, count)};
  }
};

// Calls work.operator()<B>() for B = bands: loops of a known length are several times faster.
template <class Work, int... B>
void with_bands(std::size_t bands, const Work& work, std::integer_sequence<int, B...>) {
  (void)((bands == B + 1 && (work.template operator()<B + 1>(), true)) || ...);
}
template <class Work>
void with_bands(std::size_t bands, const Work& work) {
  with_bands(bands, work, std::make_integer_sequence<int, kMostBands>());
}

}  // namespace ou::multiband
