#include <catch2/catch.hpp>

#include <cmath>

#include "sphere.hpp"

using namespace qsohost::skysim;

TEST_CASE("the upper bits of Gaia's source_id are the pixel of order 12") {
  struct Known {
    std::int64_t source_id;
    double ra;
    double dec;
  };
  // Gaia DR3, archive of ESA.
  const Known known[] = {
      {103999471976858496, 30.363339489736195, 23.831315013435162},
      {114808397128552576, 42.206509510666756, 26.725550181206316},
      {1191504471436192512, 238.23369723378391, 12.912078879866238},
      {1228266814506156928, 218.52805085391768, 15.138229197094363},
      {1410345596469085184, 249.80937742578254, 47.81018003151219},
      {1893101535448502400, 330.6989312504781, 27.836431991229265},
      {1893512958955407232, 331.08609761075326, 28.389375404628375},
      {2935237657195591424, 105.59604072856526, -17.825320217342515},
      {3345661467822106624, 93.20533167424408, 15.11169950473285},
      {3446909137068558464, 80.15994844850371, 30.80610140063581},
      {3750072904055666176, 162.54412234541314, -14.076931454936705},
      {4318508939464901760, 295.35418696818675, 15.381811847693582},
      {5146019876066016000, 37.32145017443509, -15.064215806337529},
      {6555925496084361344, 349.01224480468346, -32.77824769403533},
      {6770227729752288256, 289.49474827968044, -24.594811846898754},
  };
  for (const Known& k : known) {
    CHECK(healpix_nested({k.ra, k.dec}, 12) == static_cast<std::uint64_t>(k.source_id >> 35));
  }
}

TEST_CASE("pixels at the poles and at RA 0 are on the sphere") {
  const std::uint64_t pixels = 12ull << 24;
  for (const double dec : {-90.0, -89.9999999, -41.8103, 0.0, 41.8103, 89.9999999, 90.0}) {
    for (const double ra : {0.0, 1e-12, 89.9999999999, 90.0, 359.9999999999, 360.0}) {
      CHECK(healpix_nested({ra, dec}, 12) < pixels);
    }
  }
  CHECK(healpix_nested({45, 90}, 0) == 0);
  CHECK(healpix_nested({315, -90}, 0) == 11);
}

TEST_CASE("offsets have the length that was asked for, also across RA 0 and at the pole") {
  for (const Position p : {Position{0, 10}, Position{359.99999, -30}, Position{12, 89.9999}}) {
    for (double angle = 0; angle < 360; angle += 37) {
      const Position q = offset_by(p, 0.7, angle);
      CHECK(separation_arcsec(p, q) == Approx(0.7).epsilon(1e-4));
      CHECK((q.ra >= 0 && q.ra < 360));
    }
  }
}

TEST_CASE("galactic and ecliptic coordinates") {
  CHECK(galactic({192.85948, 27.12825}).dec == Approx(90).margin(1e-4));
  const Position centre = galactic({266.40499, -28.93617});  // l = b = 0
  CHECK(std::abs(std::remainder(centre.ra, 360)) < 1e-3);
  CHECK(std::abs(centre.dec) < 1e-3);
  const Position solstice = ecliptic({90, 23.4392911});
  CHECK(solstice.ra == Approx(90));
  CHECK(std::abs(solstice.dec) < 1e-9);
}
