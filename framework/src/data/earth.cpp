#include "data/earth.hpp"

#include <erfa.h>
#include <erfam.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>

#include "qsohost/time_system.hpp"

namespace qsohost::inline v1 {

namespace {

using Vector = std::array<double, 3>;

// At 0 h TDB of a day; light seconds, and light seconds per day.
struct Node {
  std::array<Vector, 2> position;  // indexed by Centre
  std::array<Vector, 2> velocity;
  double tdb_minus_tt;
};

constexpr std::size_t kBlockDays = 128;
// A day more at both ends, as dates change by conversion.
constexpr double kFirstDay = kFirstEarthDay - 1;
constexpr auto kBlocks = static_cast<std::size_t>(kLastEarthDay + 1 - kFirstDay) / kBlockDays + 1;

struct Block {
  std::array<Node, kBlockDays + 1> nodes;
};

Vector in_light_seconds(const double (&au)[3]) {
  return {au[0] * ERFA_AULT, au[1] * ERFA_AULT, au[2] * ERFA_AULT};
}

Node node_at(double day) {
  double from_sun[2][3], from_barycentre[2][3];
  eraEpv00(kMjdZero, day, from_sun, from_barycentre);
  return {{in_light_seconds(from_sun[0]), in_light_seconds(from_barycentre[0])},
          {in_light_seconds(from_sun[1]), in_light_seconds(from_barycentre[1])},
          eraDtdb(kMjdZero, day, 0, 0, 0, 0)};
}

// The two days around a date. Blocks are made when a date in them is asked for first.
const Node* nodes_around(const Date& date) {
  static std::array<std::once_flag, kBlocks> is_made;
  static std::array<std::unique_ptr<Block>, kBlocks> blocks;
  const auto days = static_cast<std::size_t>(date.day - kFirstDay);
  const std::size_t index = days / kBlockDays;
  std::call_once(is_made.at(index), [&] {
    auto block = std::make_unique<Block>();
    for (std::size_t i = 0; i < block->nodes.size(); ++i) {
      block->nodes[i] = node_at(kFirstDay + static_cast<double>(index * kBlockDays + i));
    }
    blocks[index] = std::move(block);
  });
  return &blocks[index]->nodes[days % kBlockDays];
}

double dot(const Vector& a, const Vector& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

}  // namespace

// Cubic Hermite interpolation of the projected position.
double light_delay(Centre centre, const Date& tdb, const Direction& to_object) {
  const Node* node = nodes_around(tdb);
  const auto c = static_cast<std::size_t>(centre);
  const double x = tdb.fraction;
  const double y = 1 - x;
  const double p0 = dot(node[0].position[c], to_object);
  const double p1 = dot(node[1].position[c], to_object);
  const double v0 = dot(node[0].velocity[c], to_object);
  const double v1 = dot(node[1].velocity[c], to_object);
  return y * y * ((1 + 2 * x) * p0 + x * v0) + x * x * ((1 + 2 * y) * p1 - y * v1);
}

double tdb_minus_tt(const Date& date) {
  const Node* node = nodes_around(date);
  return node[0].tdb_minus_tt + date.fraction * (node[1].tdb_minus_tt - node[0].tdb_minus_tt);
}

}  // namespace qsohost::inline v1
