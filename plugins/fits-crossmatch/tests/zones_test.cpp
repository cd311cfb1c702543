// Zones and pairs against brute force.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "pairs.hpp"
#include "zones.hpp"

using namespace crossmatch;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
using Found = std::set<std::pair<std::uint64_t, std::uint64_t>>;

std::vector<Place> places(const std::vector<std::pair<double, double>>& positions) {
  std::vector<Place> out;
  for (const auto& [ra, dec] : positions) {
    REQUIRE(qsohost::is_on_sky(ra, dec));
    out.push_back(place_of(ra, dec, out.size()));
  }
  return out;
}

std::vector<Pair> match(const std::vector<Place>& left, const std::vector<Place>& right,
                        double radius, int threads = 1) {
  std::vector<Pair> pairs;
  find_pairs(Zones(left, radius), Indexed::Left, right, threads, pairs);
  return pairs;
}

Found found(const std::vector<Pair>& pairs) {
  Found out;
  for (const Pair& pair : pairs) CHECK(out.insert({pair.left, pair.right}).second);
  return out;
}

Found brute_force(const std::vector<Place>& left, const std::vector<Place>& right, double radius) {
  Found out;
  for (const Place& a : left) {
    for (const Place& b : right) {
      if (qsohost::separation_arcsec(a.ra, a.dec, b.ra, b.dec) <= radius)
        out.insert({a.row, b.row});
    }
  }
  return out;
}

std::size_t count(double ra1, double dec1, double ra2, double dec2, double radius) {
  return match(places({{ra1, dec1}}), places({{ra2, dec2}}), radius).size();
}

// Clumps of places in a cap around (ra, dec): pairs at all separations down to 0.
std::vector<Place> cap(std::mt19937_64& random, std::size_t n, double ra, double dec,
                       double degrees) {
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<std::pair<double, double>> out;
  while (out.size() < n) {
    const double d = std::clamp(dec + degrees * uniform(random), -90.0, 90.0);
    const double spread = degrees / std::max(1e-3, std::cos(d * qsohost::kDegree));
    const double a = ra + std::min(spread, 180.0) * uniform(random);
    out.emplace_back(std::remainder(a, 360.0), d);
    if (random() % 4 == 0) out.push_back(out.back());
  }
  return places(out);
}

}  // namespace

TEST_CASE("what is no position is told apart") {
  CHECK(qsohost::is_on_sky(0, 90));
  CHECK(qsohost::is_on_sky(360, -90));
  CHECK(qsohost::is_on_sky(-10, 0));
  CHECK_FALSE(qsohost::is_on_sky(kNaN, 0));
  CHECK_FALSE(qsohost::is_on_sky(0, kNaN));
  CHECK_FALSE(qsohost::is_on_sky(0, 90.0001));
  CHECK_FALSE(qsohost::is_on_sky(-999, -99));
  CHECK_FALSE(qsohost::is_on_sky(std::numeric_limits<double>::infinity(), 0));
  CHECK_FALSE(qsohost::is_on_sky(1e300, 0));
  CHECK(place_of(360, 1, 7).ra == 0);
  CHECK(place_of(370, 1, 7).ra == 10);
  CHECK(place_of(-350 - 360e6, 1, 7).ra == 10);
  CHECK(place_of(-1e-20, 1, 7).ra == 0);
  CHECK(place_of(std::nextafter(720, 0), 1, 7).ra < 360);
  CHECK(place_of(-10, 1, 7).ra == 350);
  CHECK(place_of(-1e-20, 1, 7).ra == 0);
  CHECK(place_of(-1e-20, 1, 7).row == 7);
}

TEST_CASE("RA wraps, whichever way it is written") {
  CHECK(count(359.9999, 10, 0.0001, 10, 1) == 1);
  CHECK(count(0.0001, 10, 359.9999, 10, 1) == 1);
  CHECK(count(360, 10, 0, 10, 0) == 1);
  CHECK(count(-0.0001, 10, 0.0001, 10, 1) == 1);
  CHECK(count(-90, 10, 270, 10, 0.001) == 1);
  CHECK(count(359.9999, 10, 0.01, 10, 1) == 0);
}

TEST_CASE("poles are points") {
  CHECK(count(10, 90, 200, 90, 0.001) == 1);
  CHECK(count(10, -90, 200, -90, 0.001) == 1);
  CHECK(count(10, 89.9999, 190, 89.9999, 0.73) == 1);
  CHECK(count(10, 89.9999, 190, 89.9999, 0.71) == 0);
  CHECK(count(10, -89.9999, 100, -90, 0.37) == 1);
  CHECK(count(0, 90, 0, -90, 36000) == 0);
}

TEST_CASE("the radius is included, and not more than it") {
  // At run time: a compiler's own sines may differ in the last bit.
  volatile double ra = 10;
  const double away = qsohost::separation_arcsec(ra, 20, 10.0001, 20.0001);
  CHECK(count(10, 20, 10.0001, 20.0001, away) == 1);
  CHECK(count(10, 20, 10.0001, 20.0001, std::nextafter(away, 0.0)) == 0);
  CHECK(count(10, 20, 10, 20, 0) == 1);
  CHECK(count(10, 20, 10, std::nextafter(20.0, 21.0), 0) == 0);
}

TEST_CASE("pairs are those of brute force, whatever the radius and the place") {
  std::mt19937_64 random(42);
  const auto [ra, dec] =
      GENERATE(std::pair(0.0, 0.0), std::pair(180.0, 45.0), std::pair(1.0, 89.99),
               std::pair(77.0, -89.0), std::pair(0.0, 60.0), std::pair(300.0, -30.0));
  const auto [radius, size] =
      GENERATE(std::pair(1.0, 0.003), std::pair(0.0, 0.003), std::pair(30.0, 0.1),
               std::pair(60.0, 0.5), std::pair(3600.0, 5.0), std::pair(36000.0, 60.0));
  INFO("around " << ra << ", " << dec << ", radius " << radius);
  const std::vector<Place> left = cap(random, 150, ra, dec, size);
  std::vector<Place> right = cap(random, 300, ra, dec, size);
  for (std::size_t i = 0; i < 40; ++i) right.push_back({left[i].ra, left[i].dec, right.size()});
  const Found expected = brute_force(left, right, radius);
  CHECK(expected.size() >= 40);
  CHECK(found(match(left, right, radius)) == expected);
}

TEST_CASE("pairs are the same from either side and for any number of threads") {
  std::mt19937_64 random(7);
  const std::vector<Place> left = cap(random, 3000, 0, 20, 0.2);
  const std::vector<Place> right = cap(random, 20000, 0, 20, 0.2);
  const std::vector<Pair> one = match(left, right, 20, 1);
  const std::vector<Pair> three = match(left, right, 20, 3);
  const auto key = [](const Pair& p) { return std::tuple(p.left, p.right, p.separation); };
  CHECK(one.size() > 1000);
  CHECK(std::ranges::equal(one, three, {}, key, key));
  std::vector<Pair> turned;
  find_pairs(Zones(right, 20), Indexed::Right, left, 2, turned);
  const Found pairs = found(one);
  CHECK(found(turned) == pairs);
  std::vector<Pair> sorted = one;
  std::ranges::sort(sorted, {}, key);
  std::ranges::sort(turned, {}, key);
  CHECK(std::ranges::equal(sorted, turned, {}, key, key));  // identical separations to the last bit
}

TEST_CASE("empty tables have no pairs") {
  CHECK(match({}, places({{1, 2}}), 1).empty());
  CHECK(match(places({{1, 2}}), {}, 1).empty());
}

namespace {

// Pairs with identifiers that rank like the given right rows.
using Unique = qsohost::RepeatsKept;

std::vector<Pair> chosen(std::vector<Pair> pairs, bool nearest, Unique unique,
                         const std::vector<std::uint32_t>& ranks) {
  CHECK(qsohost::right_rows(pairs).size() == ranks.size());
  qsohost::set_ranks(pairs, ranks);
  qsohost::choose_pairs(pairs, nearest ? qsohost::PairsKept::Nearest : qsohost::PairsKept::All,
                        unique);
  return pairs;
}

std::vector<std::pair<int, int>> rows(const std::vector<Pair>& pairs) {
  std::vector<std::pair<int, int>> out;
  for (const Pair& p : pairs) out.emplace_back(p.left, p.right);
  return out;
}

using Rows = std::vector<std::pair<int, int>>;

}  // namespace

TEST_CASE("pairs are ordered by identifier, separation, left row") {
  const std::vector<Pair> pairs{{0, 5, 0.5}, {0, 9, 0.1}, {1, 5, 0.2}, {2, 5, 0.2}};
  const std::vector<Pair> all = chosen(pairs, false, Unique::All, {1, 0});
  CHECK(rows(all) == Rows{{0, 9}, {1, 5}, {2, 5}, {0, 5}});
  CHECK(all[0].n_matches == 2);
  CHECK(all[1].n_matches == 1);
}

TEST_CASE("the nearest of a left row is chosen before contested identifiers are looked at") {
  const std::vector<Pair> pairs{{0, 5, 0.5}, {0, 9, 0.6}, {1, 5, 0.2}};
  const std::vector<Pair> nearest = chosen(pairs, true, Unique::All, {0, 1});
  CHECK(rows(nearest) == Rows{{1, 5}, {0, 5}});
  CHECK(nearest[1].n_matches == 2);
  CHECK(rows(chosen(pairs, true, Unique::Nearest, {0, 1})) == Rows{{1, 5}});
  CHECK(rows(chosen(pairs, true, Unique::None, {0, 1})).empty());
  CHECK(rows(chosen(pairs, false, Unique::Nearest, {0, 1})) == Rows{{1, 5}, {0, 9}});
  CHECK(rows(chosen(pairs, false, Unique::None, {0, 1})) == Rows{{0, 9}});
}

TEST_CASE("ties go to the smaller identifier") {
  const std::vector<Pair> pairs{{0, 5, 0.5}, {0, 9, 0.5}};
  CHECK(rows(chosen(pairs, true, Unique::All, {1, 0})) == Rows{{0, 9}});
  CHECK(rows(chosen(pairs, true, Unique::All, {0, 1})) == Rows{{0, 5}});
}

TEST_CASE("two right rows of one identifier are one object") {
  const std::vector<Pair> pairs{{0, 5, 0.5}, {0, 9, 0.3}};
  CHECK(rows(chosen(pairs, false, Unique::All, {0, 0})) == Rows{{0, 9}, {0, 5}});
  CHECK(rows(chosen(pairs, false, Unique::Nearest, {0, 0})) == Rows{{0, 9}});
}
