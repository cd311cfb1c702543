#include "pairs.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <thread>
#include <tuple>

namespace crossmatch {

namespace {

void find_in(const Zones& zones, Indexed indexed, std::span<const Place> places,
             std::vector<Pair>& pairs) {
  for (const Place& place : places) {
    zones.for_each_near(place, [&](const Place& other, double separation) {
      const bool is_left = indexed == Indexed::Left;
      pairs.push_back(
          {is_left ? other.row : place.row, is_left ? place.row : other.row, separation, 0, 0});
    });
  }
}

// Calls see(first, end) for each run of pairs that have the same key.
template <class Key, class F>
void for_each_run(std::vector<Pair>& pairs, const Key& key, const F& see) {
  for (auto first = pairs.begin(); first != pairs.end();) {
    const auto end =
        std::find_if(first, pairs.end(), [&](const Pair& p) { return key(p) != key(*first); });
    see(first, end);
    first = end;
  }
}

constexpr std::uint32_t kRemoved = std::numeric_limits<std::uint32_t>::max();

void remove_marked(std::vector<Pair>& pairs) {
  std::erase_if(pairs, [](const Pair& p) { return p.rank == kRemoved; });
}

}  // namespace

void find_pairs(const Zones& zones, Indexed indexed, std::span<const Place> places, int threads,
                std::vector<Pair>& pairs) {
  constexpr std::size_t kLeast = 4096;  // below this a thread costs more than it saves
  const std::size_t parts =
      std::clamp<std::size_t>(places.size() / kLeast, 1, static_cast<std::size_t>(threads));
  const std::vector<Place> sorted = zones.by_zone(places);
  if (parts == 1) return find_in(zones, indexed, sorted, pairs);
  std::vector<std::vector<Pair>> found(parts);
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < parts; ++i) {
      const std::size_t begin = places.size() * i / parts;
      const std::size_t end = places.size() * (i + 1) / parts;
      workers.emplace_back([&, i, part = std::span(sorted).subspan(begin, end - begin)] {
        find_in(zones, indexed, part, found[i]);
      });
    }
  }
  for (const auto& part : found) pairs.insert(pairs.end(), part.begin(), part.end());
}

std::vector<std::uint64_t> right_rows(std::vector<Pair>& pairs) {
  std::ranges::sort(pairs, {}, [](const Pair& p) { return std::pair(p.right, p.left); });
  std::vector<std::uint64_t> rows;
  for (const Pair& pair : pairs) {
    if (rows.empty() || rows.back() != pair.right) rows.push_back(pair.right);
  }
  return rows;
}

void set_ranks(std::vector<Pair>& pairs, std::span<const std::uint32_t> ranks) {
  auto rank = ranks.begin();
  const auto same_right = [](const Pair& p) { return p.right; };
  for_each_run(pairs, same_right, [&](auto first, auto end) {
    for (auto it = first; it != end; ++it) it->rank = *rank;
    ++rank;
  });
}

Chosen choose(std::vector<Pair>& pairs, bool nearest_only, Unique unique) {
  Chosen chosen;
  std::ranges::sort(
      pairs, {}, [](const Pair& p) { return std::tuple(p.left, p.separation, p.rank, p.right); });
  for_each_run(
      pairs, [](const Pair& p) { return p.left; },
      [&](auto first, auto end) {
        ++chosen.left_rows;
        for (auto it = first; it != end; ++it) {
          it->n_matches = static_cast<std::int32_t>(end - first);
          if (nearest_only && it != first) it->rank = kRemoved;
        }
      });
  remove_marked(pairs);
  std::ranges::sort(
      pairs, {}, [](const Pair& p) { return std::tuple(p.rank, p.separation, p.left, p.right); });
  for_each_run(
      pairs, [](const Pair& p) { return p.rank; },
      [&](auto first, auto end) {
        if (end - first == 1) return;
        ++chosen.contested;
        if (unique == Unique::All) return;
        for (auto it = first + 1; it != end; ++it) it->rank = kRemoved;
        if (unique == Unique::None) first->rank = kRemoved;
      });
  remove_marked(pairs);
  return chosen;
}

}  // namespace crossmatch
