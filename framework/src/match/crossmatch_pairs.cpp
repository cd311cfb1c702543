// Which pairs are kept, and in which order.
#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "qsohost/io/crossmatch_tables.hpp"

namespace qsohost::inline io_v1 {

namespace {

// Calls see(first, end) for each run of pairs that have the same key.
template <class Key, class F>
void for_each_run(std::vector<MatchPair>& pairs, const Key& key, const F& see) {
  for (auto first = pairs.begin(); first != pairs.end();) {
    const auto end =
        std::find_if(first, pairs.end(), [&](const MatchPair& p) { return key(p) != key(*first); });
    see(first, end);
    first = end;
  }
}

constexpr std::uint32_t kRemoved = std::numeric_limits<std::uint32_t>::max();

void remove_marked(std::vector<MatchPair>& pairs) {
  std::erase_if(pairs, [](const MatchPair& p) { return p.rank == kRemoved; });
}

}  // namespace

std::vector<std::uint64_t> right_rows(std::vector<MatchPair>& pairs) {
  std::ranges::sort(pairs, {}, [](const MatchPair& p) { return std::pair(p.right, p.left); });
  std::vector<std::uint64_t> rows;
  for (const MatchPair& pair : pairs) {
    if (rows.empty() || rows.back() != pair.right) rows.push_back(pair.right);
  }
  return rows;
}

void set_ranks(std::vector<MatchPair>& pairs, std::span<const std::uint32_t> ranks) {
  auto rank = ranks.begin();
  const auto same_right = [](const MatchPair& p) { return p.right; };
  for_each_run(pairs, same_right, [&](auto first, auto end) {
    for (auto it = first; it != end; ++it) it->rank = *rank;
    ++rank;
  });
}

CrossmatchPairs choose_pairs(std::vector<MatchPair>& pairs, PairsKept match, RepeatsKept unique) {
  CrossmatchPairs chosen{.found = pairs.size()};
  std::ranges::sort(pairs, {}, [](const MatchPair& p) {
    return std::tuple(p.left, p.separation, p.rank, p.right);
  });
  for_each_run(
      pairs, [](const MatchPair& p) { return p.left; },
      [&](auto first, auto end) {
        ++chosen.left_rows;
        for (auto it = first; it != end; ++it) {
          it->n_matches = static_cast<std::int32_t>(end - first);
          if (match == PairsKept::Nearest && it != first) it->rank = kRemoved;
        }
      });
  remove_marked(pairs);
  std::ranges::sort(pairs, {}, [](const MatchPair& p) {
    return std::tuple(p.rank, p.separation, p.left, p.right);
  });
  for_each_run(
      pairs, [](const MatchPair& p) { return p.rank; },
      [&](auto first, auto end) {
        if (end - first == 1) return;
        ++chosen.contested;
        if (unique == RepeatsKept::All) return;
        for (auto it = first + 1; it != end; ++it) it->rank = kRemoved;
        if (unique == RepeatsKept::None) first->rank = kRemoved;
      });
  remove_marked(pairs);
  chosen.kept = pairs.size();
  return chosen;
}

}  // namespace qsohost::inline io_v1
