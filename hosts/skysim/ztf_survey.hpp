// Times and fields of ZTF: two grids of fields shifted against each other, with gaps between CCDs;
// nights, weather, moon, airmass. All sources of a field share its exposures.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "sky.hpp"

namespace qsohost::skysim {

struct Field {
  std::int16_t number = 0;
  std::int16_t ccd = 0;       // 1 to 16
  std::int16_t quadrant = 0;  // 1 to 4
  bool is_secondary = false;
  Position centre;
};

struct Exposure {
  double mjd = 0;
  std::int32_t id = 0;
  float airmass = 0;
  float limit = 0;  // 5 sigma, mag
  float zero_point = 0;
  float zero_rms = 0;
  float colour = 0;
  float colour_error = 0;
  bool is_bad = false;  // clouds or calibration: all epochs have catflags 32768
};

class ZtfSurvey {
 public:
  explicit ZtfSurvey(const Recipe& recipe) : recipe_(recipe) {}

  // The fields that contain this position: none, one or two.
  std::vector<Field> fields_at(const Position& position) const;
  bool observes(const Field& field, std::size_t band) const;
  // In time order. The reference stays valid; thread-safe.
  const std::vector<Exposure>& exposures(const Field& field, std::size_t band);

 private:
  std::vector<Exposure> plan(const Field& field, std::size_t band) const;
  bool is_clear(std::int64_t night) const;
  bool is_chosen(const Field& field, std::size_t band, std::int64_t night) const;
  Exposure expose(const Field& field, std::size_t band, double mjd, double airmass) const;

  Recipe recipe_;
  std::mutex mutex_;
  std::map<std::pair<int, std::size_t>, std::unique_ptr<const std::vector<Exposure>>> plans_;
};

// Heliocentric Julian date of a Modified Julian date, to some seconds.
double heliocentric(double mjd, const Position& position);

}  // namespace qsohost::skysim
