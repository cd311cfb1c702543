// Pairs of rows that match, and which of them are kept.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <qsohost/io/crossmatch.hpp>

#include "zones.hpp"

namespace crossmatch {

struct Pair {
  std::uint64_t left = 0;  // rows, counted from 0
  std::uint64_t right = 0;
  double separation = 0;       // arcsec
  std::uint32_t rank = 0;      // of the right row's identifier among all matches
  std::int32_t n_matches = 0;  // right rows within the radius of the left row
};

// Which table's places are in the zones; the other table's places are looked up in them.
enum class Indexed : std::uint8_t { Left, Right };

// Adds the pairs of `places` with the places in the zones. The pairs and their order do not depend
// on the number of threads.
void find_pairs(const Zones& zones, Indexed indexed, std::span<const Place> places, int threads,
                std::vector<Pair>& pairs);

using Unique = qsohost::RepeatsKept;

// The right rows of the pairs, ascending, each once; sorts the pairs by them.
std::vector<std::uint64_t> right_rows(std::vector<Pair>& pairs);

// Sets each pair's rank of its right row: `ranks` in the order of right_rows().
void set_ranks(std::vector<Pair>& pairs, std::span<const std::uint32_t> ranks);

struct Chosen {
  std::uint64_t left_rows = 0;  // that have a match
  std::uint64_t contested = 0;  // identifiers in several pairs
};

// Counts each left row's matches, selects by the rules in qsohost/io/crossmatch.hpp and sorts the
// rest in their order.
Chosen choose(std::vector<Pair>& pairs, bool nearest_only, Unique unique);

}  // namespace crossmatch
