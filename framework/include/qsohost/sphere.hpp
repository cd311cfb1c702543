// Positions on the sky.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

namespace qsohost::inline v1 {

inline constexpr double kDegree = std::numbers::pi / 180;  // in radians

// Great-circle distance of two positions (degrees) in arcsec, by the haversine formula: good to
// 1e-9 arcsec for neighbours wherever they are, at the poles and across RA 0 too; to some
// milliarcsec for opposite points.
inline double separation_arcsec(double ra1, double dec1, double ra2, double dec2) {
  const double half_ra = std::sin(0.5 * kDegree * std::remainder(ra2 - ra1, 360.0));
  const double half_dec = std::sin(0.5 * kDegree * (dec2 - dec1));
  const double h =
      half_dec * half_dec + std::cos(kDegree * dec1) * std::cos(kDegree * dec2) * half_ra * half_ra;
  return 2 * std::asin(std::sqrt(std::min(1.0, h))) / kDegree * 3600;
}

// False for NaN, infinity and invalid positions (degrees): dec beyond the poles, RA beyond 1e15, of
// which a double does not know the tenths of a degree.
inline bool is_on_sky(double ra, double dec) {
  return std::abs(dec) <= 90 && std::abs(ra) <= 1e15;
}

// RA of a position that is_on_sky() in [0, 360): 360 becomes 0 and -10 becomes 350.
inline double wrapped_ra(double ra) {
  ra = std::fmod(ra, 360);
  if (ra < 0) ra += 360;
  return ra >= 360 ? 0 : ra;
}

// How far in RA (degrees) a position can be from one at `dec` that is at most `reach` degrees away;
// 180: anywhere. Never too little, by rounding either.
inline double ra_reach(double dec, double reach) {
  constexpr double kNearPole = 1e-3;  // deg; nearer, the root below would lose digits
  constexpr double kSlack = 1e-9;     // deg
  if (std::abs(dec) + reach >= 90 - kNearPole) return 180;
  // The arcsine of x is less than its tangent, x / sqrt(1 - x^2), and nearly equal for small x.
  const double x = std::sin(reach * kDegree) / std::cos(dec * kDegree);
  return x / std::sqrt(1 - x * x) / kDegree + kSlack;
}

}  // namespace qsohost::inline v1
