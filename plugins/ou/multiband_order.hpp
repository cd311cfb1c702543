// The epochs of all bands in the order in which the recursion takes them.
#pragma once

#include <cstddef>
#include <cstdint>
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

}  // namespace ou::multiband
