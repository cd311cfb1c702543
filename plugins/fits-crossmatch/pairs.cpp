#include "pairs.hpp"

#include <algorithm>
#include <thread>

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

}  // namespace crossmatch
