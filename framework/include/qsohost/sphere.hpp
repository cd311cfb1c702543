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

}  // namespace qsohost::inline v1
