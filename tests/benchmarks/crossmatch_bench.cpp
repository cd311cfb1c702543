// Matches positions in memory as fits-crossmatch does, each left row's nearest; for crossmatch.py:
//
//   crossmatch_bench LEFT RIGHT RADIUS_ARCSEC THREADS
//
// LEFT and RIGHT hold doubles: all RAs, then all declinations, in degrees. Prints the best of three
// times (seconds by the clock, then of the processor), the number of matched left rows, and the sum
// of their separations (arcsec).
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "pairs.hpp"

namespace {

using crossmatch::Pair;
using crossmatch::Place;

struct Positions {
  std::vector<double> ra;
  std::vector<double> dec;
};

Positions read(const std::filesystem::path& file) {
  const std::size_t n = std::filesystem::file_size(file) / (2 * sizeof(double));
  Positions positions{std::vector<double>(n), std::vector<double>(n)};
  std::ifstream in(file, std::ios::binary);
  for (auto* values : {&positions.ra, &positions.dec}) {
    in.read(reinterpret_cast<char*>(values->data()),
            static_cast<std::streamsize>(n * sizeof(double)));
  }
  return positions;
}

// In the blocks in which the plugin reads the larger table.
template <class F>
void for_each_block(const Positions& positions, std::size_t size, const F& see) {
  std::vector<Place> places;
  for (std::size_t i = 0; i < positions.ra.size(); ++i) {
    if (!qsohost::is_on_sky(positions.ra[i], positions.dec[i])) continue;
    places.push_back(crossmatch::place_of(positions.ra[i], positions.dec[i], i));
    if (places.size() < size) continue;
    see(places);
    places.clear();
  }
  see(places);
}

std::vector<Pair> match(const Positions& left, const Positions& right, double radius, int threads) {
  constexpr std::size_t block = std::size_t{1} << 17;
  std::vector<Place> kept;
  kept.reserve(left.ra.size());
  for_each_block(left, block, [&](const std::vector<Place>& places) {
    kept.insert(kept.end(), places.begin(), places.end());
  });
  const crossmatch::Zones zones(kept, radius);
  std::vector<Pair> pairs;
  for_each_block(right, block, [&](const std::vector<Place>& places) {
    crossmatch::find_pairs(zones, crossmatch::Indexed::Left, places, threads, pairs);
  });
  std::vector<std::uint32_t> ranks(qsohost::right_rows(pairs).size());
  std::iota(ranks.begin(), ranks.end(), std::uint32_t{0});
  qsohost::set_ranks(pairs, ranks);
  qsohost::choose_pairs(pairs, qsohost::PairsKept::Nearest, qsohost::RepeatsKept::All);
  return pairs;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    fmt::print(stderr, "crossmatch_bench LEFT RIGHT RADIUS_ARCSEC THREADS\n");
    return 2;
  }
  const Positions left = read(argv[1]);
  const Positions right = read(argv[2]);
  double best = std::numeric_limits<double>::infinity();
  double least = best;
  std::vector<Pair> pairs;
  for (int i = 0; i < 3; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const std::clock_t cpu = std::clock();
    pairs = match(left, right, std::stod(argv[3]), std::stoi(argv[4]));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    best = std::min(best, took.count());
    least = std::min(least, static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC);
  }
  double sum = 0;
  for (const Pair& pair : pairs) sum += pair.separation;
  fmt::print("{:.4f} {:.4f} {} {:.6f}\n", best, least, pairs.size(), sum);
}
