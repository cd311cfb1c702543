// Positions on the sky, in degrees.
#pragma once

#include <cstdint>

namespace qsohost::skysim {

struct Position {
  double ra = 0;  // [0, 360)
  double dec = 0;
};

// The position `arcsec` away, in the direction `angle` (degrees, north through east).
Position offset_by(const Position& from, double arcsec, double angle);

// Great-circle distance in arcsec.
double separation_arcsec(const Position& a, const Position& b);

Position galactic(const Position& icrs);  // l, b (IAU 1958, J2000)
Position ecliptic(const Position& icrs);  // obliquity of J2000

// Pixel of a HEALPix grid of this order in the nested scheme (Gorski et al. 2005).
std::uint64_t healpix_nested(const Position& position, int order);

}  // namespace qsohost::skysim
