// Pairs of rows that match.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <qsohost/io/crossmatch_tables.hpp>

#include "zones.hpp"

namespace crossmatch {

using Pair = qsohost::MatchPair;

// Which table's places are in the zones; the other table's places are looked up in them.
enum class Indexed : std::uint8_t { Left, Right };

// Adds the pairs of `places` with the places in the zones. The pairs and their order do not depend
// on the number of threads.
void find_pairs(const Zones& zones, Indexed indexed, std::span<const Place> places, int threads,
                std::vector<Pair>& pairs);

}  // namespace crossmatch
