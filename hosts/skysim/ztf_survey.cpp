#include "ztf_survey.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "random.hpp"

namespace qsohost::skysim {

namespace {

constexpr double kDegree = std::numbers::pi / 180;
constexpr double kFieldSize = 7.2;           // degrees
constexpr double kSouthernLimit = -28;       // of ZTF
constexpr std::int64_t kFirstNight = 58194;  // 2018-03-17
constexpr std::int64_t kLastNight = 61005;   // 2025-11-26
constexpr double kLatitude = 33.3563;        // Palomar
constexpr double kMidnight = 0.3246;         // of local time, as fraction of a UTC day
constexpr double kFullMoon = 58208.526;
constexpr double kMonth = 29.530589;

struct Grid {
  double dec_shift;
  double column_shift;  // of a column
  int first_number;
};
// Shifted by more than half a field: with half, gaps would overlap.
constexpr std::array<Grid, 2> kGrids{Grid{0, 0, 0}, Grid{4.3, 0.59, 1000}};

int columns_in_row(double centre_dec) {
  return std::max(1,
                  static_cast<int>(std::ceil(360 * std::cos(centre_dec * kDegree) / kFieldSize)));
}

double row_centre(const Grid& grid, int row) {
  return -90 + grid.dec_shift + (row + 0.5) * kFieldSize;
}

// Maps a fraction of a field [0, 1) to a CCD or quadrant and the position in it; none in gaps.
std::optional<int> cell_of(double part, int cells, double gap, double& rest) {
  const double place = part * cells;
  const int cell = std::min(cells - 1, static_cast<int>(place));
  rest = place - cell;
  if (rest < gap || rest > 1 - gap) return std::nullopt;
  return cell;
}

std::optional<Field> field_on(const Grid& grid, const Position& p) {
  const int row = static_cast<int>(std::floor((p.dec + 90 - grid.dec_shift) / kFieldSize));
  if (row < 0) return std::nullopt;
  const double centre = row_centre(grid, row);
  const int columns = columns_in_row(std::clamp(centre, -89.0, 89.0));
  const double place = p.ra / 360 * columns + grid.column_shift;
  const int column = static_cast<int>(place) % columns;
  int number = grid.first_number + 1 + column;
  for (int r = 0; r < row; ++r)
    number += columns_in_row(std::clamp(row_centre(grid, r), -89.0, 89.0));
  double in_x = 0;
  double in_y = 0;
  const auto x = cell_of(place - std::floor(place), 4, 0.015, in_x);
  const auto y = cell_of((p.dec - centre) / kFieldSize + 0.5, 4, 0.02, in_y);
  if (!x || !y) return std::nullopt;
  Field field;
  field.number = static_cast<std::int16_t>(number);
  field.ccd = static_cast<std::int16_t>(1 + *x + 4 * *y);
  field.quadrant = static_cast<std::int16_t>(1 + (in_x < 0.5 ? 0 : 1) + (in_y < 0.5 ? 0 : 2));
  field.is_secondary = grid.first_number > 0;
  const double middle = (column + 0.5 - grid.column_shift) / columns * 360;
  field.centre = {middle < 0 ? middle + 360 : middle, std::clamp(centre, -90.0, 90.0)};
  return field;
}

double moonlight(double mjd) {  // illuminated part
  return 0.5 * (1 + std::cos(2 * std::numbers::pi * (mjd - kFullMoon) / kMonth));
}

// Airmass at Palomar (plane-parallel is enough); none below 23 degrees of altitude.
std::optional<double> airmass_at(double mjd, const Position& p) {
  // Local sidereal time, degrees; longitude -116.86.
  const double lst = 280.46062 + 360.98564737 * (mjd - 51544.5) - 116.8630;
  const double hour_angle = (lst - p.ra) * kDegree;
  const double sin_altitude =
      std::sin(kLatitude * kDegree) * std::sin(p.dec * kDegree) +
      std::cos(kLatitude * kDegree) * std::cos(p.dec * kDegree) * std::cos(hour_angle);
  if (sin_altitude < 0.39) return std::nullopt;
  return 1 / sin_altitude;
}

double half_night(double mjd) {  // days; long in winter
  return (4.5 + 0.9 * std::cos(2 * std::numbers::pi * (mjd - 58108) / 365.25)) / 24;
}

}  // namespace

double heliocentric(double mjd, const Position& p) {
  const double longitude = (280.46 + 0.9856474 * (mjd - 51544.5)) * kDegree;  // of the sun
  const Position e = ecliptic(p);
  return mjd + 2400000.5 -
         0.0057755 * std::cos(e.dec * kDegree) * std::cos(e.ra * kDegree - longitude);
}

std::vector<Field> ZtfSurvey::fields_at(const Position& position) const {
  std::vector<Field> fields;
  if (position.dec < kSouthernLimit) return fields;
  for (const Grid& grid : kGrids) {
    if (const auto field = field_on(grid, position)) fields.push_back(*field);
  }
  return fields;
}

bool ZtfSurvey::observes(const Field& field, std::size_t band) const {
  Random random(recipe_.seed, Stream::Field, {static_cast<std::uint64_t>(field.number)});
  const bool at_all = !field.is_secondary || random.chance(0.7);
  const bool in_i = random.chance(field.is_secondary ? 0.35 : 0.93);
  return at_all && (band != 2 || in_i);
}

bool ZtfSurvey::is_clear(std::int64_t night) const {
  const auto n = static_cast<std::uint64_t>(night);
  const bool storm = Random(recipe_.seed, Stream::Weather, {n / 5, 1}).chance(0.10);
  return !storm && Random(recipe_.seed, Stream::Weather, {n, 2}).chance(0.80);
}

bool ZtfSurvey::is_chosen(const Field& field, std::size_t band, std::int64_t night) const {
  constexpr std::array<double, 3> rate{0.685, 0.965, 0.195};  // a clear, dark night
  constexpr std::array<double, 3> shyness{0.95, 0.75, 0.3};   // of the full moon
  Random random(
      recipe_.seed, Stream::Exposure,
      {static_cast<std::uint64_t>(field.number), band, static_cast<std::uint64_t>(night)});
  const double light = moonlight(static_cast<double>(night) + kMidnight);
  const double dark = 1 - shyness[band] * std::clamp((light - 0.55) / 0.35, 0.0, 1.0);
  return random.chance(rate[band] * dark * (field.is_secondary ? 0.45 : 1));
}

Exposure ZtfSurvey::expose(const Field& field, std::size_t band, double mjd, double airmass) const {
  constexpr std::array<double, 3> depth{20.95, 20.85, 20.35};
  constexpr std::array<double, 3> zero{26.2, 26.15, 25.5};
  constexpr std::array<double, 3> colour{-0.06, 0.09, 0.0};
  constexpr std::array<double, 3> glare{1.3, 1.0, 0.5};  // mag lost at full moon
  Exposure e;
  // One number for each half minute, different for each field that shares it.
  e.id = static_cast<std::int32_t>((mjd - 57700) * 100000);
  Random random(recipe_.seed, Stream::Exposure,
                {static_cast<std::uint64_t>(field.number), static_cast<std::uint64_t>(e.id)});
  const double light = moonlight(mjd);
  e.mjd = std::round(mjd * 1e7) / 1e7;
  e.airmass = static_cast<float>(std::round(airmass * 1000) / 1000);
  e.is_bad = !recipe_.is_clean && random.chance(0.08);
  e.limit = static_cast<float>(depth[band] - glare[band] * light * light - 0.3 * (airmass - 1) +
                               0.25 * random.normal() - (e.is_bad ? 0.5 : 0));
  e.zero_point = static_cast<float>(zero[band] + 0.04 * random.normal());
  e.zero_rms = static_cast<float>(0.03 * std::exp(0.2 * random.normal()));
  e.colour = static_cast<float>(colour[band] + 0.012 * random.normal());
  e.colour_error = static_cast<float>(2e-5 * std::exp(0.4 * random.normal()));
  return e;
}

std::vector<Exposure> ZtfSurvey::plan(const Field& field, std::size_t band) const {
  std::vector<Exposure> exposures;
  for (std::int64_t night = kFirstNight; night < kLastNight; ++night) {
    if (!is_chosen(field, band, night) || !is_clear(night)) continue;
    Random random(
        recipe_.seed, Stream::Exposure,
        {static_cast<std::uint64_t>(field.number), band, static_cast<std::uint64_t>(night), 5});
    const double middle = static_cast<double>(night) + kMidnight;
    const double half = half_night(middle);
    // Often the better of two times: schedulers prefer fields at high altitude.
    const int attempts = random.chance(0.6) ? 2 : 1;
    double best = 0;
    std::optional<double> airmass;
    for (int attempt = 0; attempt < attempts; ++attempt) {
      const double time = middle + random.uniform(-half, half);
      const auto here = airmass_at(time, field.centre);
      if (!here || (airmass && *airmass <= *here)) continue;
      airmass = here;
      best = time;
    }
    if (!airmass || (*airmass > 2 && random.chance(0.5))) continue;
    exposures.push_back(expose(field, band, best, *airmass));
    if (!random.chance(0.09)) continue;
    const double again = best + random.uniform(0.015, 0.05);
    const auto then = airmass_at(again, field.centre);
    if (then && again < middle + half) exposures.push_back(expose(field, band, again, *then));
  }
  return exposures;
}

const std::vector<Exposure>& ZtfSurvey::exposures(const Field& field, std::size_t band) {
  const std::lock_guard lock(mutex_);
  auto& known = plans_[{field.number, band}];
  if (!known) known = std::make_unique<const std::vector<Exposure>>(plan(field, band));
  return *known;
}

}  // namespace qsohost::skysim
