#include "sphere.hpp"

#include <algorithm>
#include <cmath>

#include <qsohost/sphere.hpp>

namespace qsohost::skysim {

namespace {

double turned(double degrees) {
  const double rest = std::fmod(degrees, 360.0);
  return rest < 0 ? std::min(rest + 360, std::nextafter(360.0, 0.0)) : rest;
}

// Coordinates about another pole: (ra, dec) of that pole, and the longitude of the old pole.
Position about_pole(const Position& p, double pole_ra, double pole_dec, double longitude) {
  const double a = (p.ra - pole_ra) * kDegree;
  const double d = p.dec * kDegree;
  const double d0 = pole_dec * kDegree;
  const double sin_b = std::sin(d) * std::sin(d0) + std::cos(d) * std::cos(d0) * std::cos(a);
  const double y = std::cos(d) * std::sin(a);
  const double x = std::sin(d) * std::cos(d0) - std::cos(d) * std::sin(d0) * std::cos(a);
  return {turned(longitude - std::atan2(y, x) / kDegree),
          std::asin(std::clamp(sin_b, -1.0, 1.0)) / kDegree};
}

std::uint64_t spread(std::uint64_t bits) {  // 0b1011 becomes 0b1000101
  std::uint64_t out = 0;
  for (int i = 0; i < 30; ++i) out |= ((bits >> i) & 1) << (2 * i);
  return out;
}

}  // namespace

Position offset_by(const Position& from, double arcsec, double angle) {
  const double r = arcsec / 3600 * kDegree;
  const double d = from.dec * kDegree;
  const double sin_dec =
      std::sin(d) * std::cos(r) + std::cos(d) * std::sin(r) * std::cos(angle * kDegree);
  const double y = std::sin(angle * kDegree) * std::sin(r) * std::cos(d);
  const double x = std::cos(r) - std::sin(d) * sin_dec;
  return {turned(from.ra + std::atan2(y, x) / kDegree),
          std::asin(std::clamp(sin_dec, -1.0, 1.0)) / kDegree};
}

double separation_arcsec(const Position& a, const Position& b) {
  return qsohost::separation_arcsec(a.ra, a.dec, b.ra, b.dec);
}

Position galactic(const Position& icrs) {
  return about_pole(icrs, 192.85948, 27.12825, 122.93192);
}

Position ecliptic(const Position& icrs) {
  return about_pole(icrs, 270.0, 90 - 23.4392911, 90.0);
}

std::uint64_t healpix_nested(const Position& position, int order) {
  const std::int64_t side = std::int64_t{1} << order;
  const auto n = static_cast<double>(side);
  const double z = std::sin(position.dec * kDegree);
  const double t = turned(position.ra) / 90;  // quarters of a turn, [0, 4)
  std::int64_t face = 0;
  std::int64_t x = 0;
  std::int64_t y = 0;
  if (std::abs(z) <= 2.0 / 3) {
    const auto up = static_cast<std::int64_t>(n * (0.5 + t) - n * z * 0.75);
    const auto down = static_cast<std::int64_t>(n * (0.5 + t) + n * z * 0.75);
    const std::int64_t a = up >> order;
    const std::int64_t b = down >> order;
    face = a == b ? (a & 3) | 4 : a < b ? a & 3 : (b & 3) + 8;
    x = down & (side - 1);
    y = side - (up & (side - 1)) - 1;
  } else {
    const std::int64_t quarter = std::min<std::int64_t>(3, static_cast<std::int64_t>(t));
    const double part = t - static_cast<double>(quarter);
    // 1 - |z| without losing digits near the poles.
    const double c = std::cos(position.dec * kDegree);
    const double from_pole = n * c * std::sqrt(3 / (1 + std::abs(z)));
    const auto p = std::min(side - 1, static_cast<std::int64_t>(part * from_pole));
    const auto q = std::min(side - 1, static_cast<std::int64_t>((1 - part) * from_pole));
    face = z > 0 ? quarter : quarter + 8;
    x = z > 0 ? side - q - 1 : p;
    y = z > 0 ? side - p - 1 : q;
  }
  return static_cast<std::uint64_t>(face) * static_cast<std::uint64_t>(side * side) +
         spread(static_cast<std::uint64_t>(x)) + (spread(static_cast<std::uint64_t>(y)) << 1);
}

}  // namespace qsohost::skysim
