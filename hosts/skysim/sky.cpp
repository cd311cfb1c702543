#include "sky.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "luminosity.hpp"

namespace qsohost::skysim {

namespace {

// Uniform on the sphere between these limits; RA may wrap at 0.
Position inside(Random& random, double ra, double ra_width, double dec_low, double dec_high) {
  constexpr double degree = std::numbers::pi / 180;
  const double low = std::sin(dec_low * degree);
  const double high = std::sin(dec_high * degree);
  Position p;
  p.ra = std::fmod(ra + ra_width * random.uniform() + 360, 360.0);
  p.dec = std::asin(random.uniform(low, high)) / degree;
  return p;
}

// The footprint of SDSS, roughly: the two Galactic caps and Stripe 82; in addition, error-prone
// places: RA 0, the pole, and the south, which ZTF does not see.
Position in_footprint(Random& random) {
  const double part = random.uniform();
  if (part < 0.62) return inside(random, 110, 150, -2, 66);
  if (part < 0.92) return inside(random, 318, 102, -9, 34);
  if (part < 0.975) return inside(random, 310, 110, -1.25, 1.25);
  if (part < 0.985) return inside(random, -0.02, 0.04, -5, 30);
  if (part < 0.99) return inside(random, 0, 360, 86, 89.99);
  return inside(random, 0, 360, -45, -28.5);
}

double redshift(Random& random) {
  if (random.chance(0.03)) return random.uniform(0.02, 0.5);
  for (;;) {
    const double z = std::exp(random.normal(std::log(1.62), 0.5));
    if (z >= 0.02 && z <= 5) return z;
  }
}

// Counts grow by 10^0.35 per magnitude.
double magnitude(Random& random) {
  constexpr double slope = 0.35;
  const double low = std::pow(10, slope * (16 - 21.0));
  return 21 + std::log10(random.uniform(low, 1)) / slope;
}

void set_processes(Quasar& quasar, Random& random, bool is_clean) {
  // Offsets from G, and amplitudes, which fall with wavelength.
  constexpr std::array<double, 6> colour{0.15, -0.05, -0.15, 0.0, 0.0, 0.0};
  constexpr std::array<double, 6> amplitude{1.12, 1.0, 0.9, 1.0, 1.1, 0.9};
  const double sigma = std::exp(random.normal(std::log(0.16), 0.4));
  quasar.tau = std::clamp(std::exp(random.normal(std::log(200.0), 0.8)), 5.0, 5000.0);
  for (std::size_t b = 0; b < kBands.size(); ++b) {
    Process& process = quasar.processes[b];
    process.sigma = amplitude[b] * sigma;
    process.mean = quasar.g_mag + colour[b] + (b < kZtfBands ? 0.05 * random.normal() : 0.0);
    process.jitter = is_clean ? 0 : 0.004 * std::exp(0.5 * random.normal());
  }
  quasar.processes[4].mean = quasar.g_mag + 0.45 * quasar.bp_rp;
  quasar.processes[5].mean = quasar.g_mag - 0.55 * quasar.bp_rp;
}

Quasar make_alone(const Recipe& recipe, std::uint64_t number) {
  Random random(recipe.seed, Stream::Quasar, {number});
  Quasar q;
  q.number = number;
  q.sdss = in_footprint(random);
  q.z = std::round(redshift(random) * 1e5) / 1e5;
  q.g_mag = magnitude(random);
  q.bp_rp = random.normal(0.6, 0.2);
  q.gaia = scattered(random, q.sdss, 0.05, 0.5);
  q.source_id = gaia_source_id(q.gaia, number);
  set_luminosity(recipe.seed, q);
  set_processes(q, random, recipe.is_clean);
  if (recipe.relation) set_variability(*recipe.relation, recipe.seed, q);
  q.has_gaia_epochs = random.chance(0.46);
  if (recipe.is_clean) return q;
  q.is_final = random.chance(0.95);
  q.in_gaia = random.chance(0.93);
  q.has_gaia_epochs = q.has_gaia_epochs && q.in_gaia;
  q.has_companion = random.chance(0.006) && q.in_gaia;
  q.is_duplicated = random.chance(0.0015) && q.in_gaia;
  q.has_split_epochs = random.chance(0.004) && q.has_gaia_epochs;
  q.has_neighbour = random.chance(0.02);
  q.has_far_neighbour = random.chance(0.04);
  return q;
}

bool is_twin(const Recipe& recipe, std::uint64_t number) {
  return !recipe.is_clean && number % 2 == 1 &&
         Random(recipe.seed, Stream::SourceTable, {number}).chance(0.002);
}

}  // namespace

Position scattered(Random& random, const Position& from, double low, double high) {
  const double arcsec = random.uniform(low, high);
  return offset_by(from, arcsec, random.uniform(0, 360));
}

std::int64_t gaia_source_id(const Position& position, std::uint64_t serial) {
  return static_cast<std::int64_t>((healpix_nested(position, 12) << 35) | (serial << 7) |
                                   (mixed(serial) & 0x7f));
}

Quasar make_quasar(const Recipe& recipe, std::uint64_t number) {
  Quasar q = make_alone(recipe, number);
  if (!is_twin(recipe, number)) return q;
  Random random(recipe.seed, Stream::SourceTable, {number, 1});
  const Quasar first = make_alone(recipe, number - 1);
  q.sdss = scattered(random, first.sdss, 0.1, 0.4);
  q.z = first.z;
  q.g_mag = first.g_mag;
  q.m_i = first.m_i;
  q.loglbol = first.loglbol;
  q.logmbh = first.logmbh;
  q.is_twin = true;
  q.is_final = true;
  q.in_gaia = q.has_gaia_epochs = q.has_companion = q.is_duplicated = false;
  q.has_split_epochs = q.has_neighbour = q.has_far_neighbour = false;
  return q;
}

std::string sdss_name(const Position& position) {
  // Truncated, not rounded, like IAU names.
  const auto time = static_cast<std::int64_t>(position.ra / 15 * 3600 * 100);
  const auto arc = static_cast<std::int64_t>(std::abs(position.dec) * 3600 * 10);
  return fmt::format("{:02}{:02}{:02}.{:02}{}{:02}{:02}{:02}.{}", time / 360000, time / 6000 % 60,
                     time / 100 % 60, time % 100, position.dec < 0 ? '-' : '+', arc / 36000,
                     arc / 600 % 60, arc / 10 % 60, arc % 10);
}

Star make_star(const Recipe& recipe, std::uint64_t number) {
  Random random(recipe.seed, Stream::Star, {number});
  Star star;
  star.position = in_footprint(random);
  // Every tenth star is near a quasar, so that a match must choose.
  if (random.chance(0.1) && recipe.sources > 0) {
    const auto near = static_cast<std::uint64_t>(
        random.integer(0, static_cast<std::int64_t>(recipe.sources) - 1));
    star.position = scattered(random, make_quasar(recipe, near).sdss, 2, 60);
    // Near, but never so near that it could be mistaken for the quasar.
    if (recipe.is_clean) star.position.dec += star.position.dec > 0 ? -0.1 : 0.1;
  }
  star.g_mag = magnitude(random) - random.uniform(0, 3);
  star.bp_rp = random.normal(1.2, 0.5);
  star.source_id = gaia_source_id(star.position, 2 * recipe.sources + number);
  return star;
}

Star make_companion(const Recipe& recipe, const Quasar& quasar) {
  Random random(recipe.seed, Stream::SourceTable, {quasar.number, 2});
  Star star;
  star.position = scattered(random, quasar.sdss, 0.55, 0.95);
  star.g_mag = quasar.g_mag + random.uniform(0.2, 2);
  star.bp_rp = random.normal(1.0, 0.4);
  star.source_id = gaia_source_id(star.position, recipe.sources + quasar.number);
  return star;
}

}  // namespace qsohost::skysim
