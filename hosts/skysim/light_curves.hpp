// Observations of one quasar: ZTF objects with their epochs, Gaia transits, and the truth.
#pragma once

#include <vector>

#include "sky.hpp"
#include "ztf_survey.hpp"

namespace qsohost::skysim {

enum class Why : std::int16_t { None, Ghost, Cloud, Blend, Flagged };  // see columns/truth.tsv

struct ZtfEpoch {
  const Exposure* exposure = nullptr;
  double hjd = 0;
  double ra = 0;
  double dec = 0;
  float mag = 0;
  float magerr = 0;
  float chi = 0;
  float sharp = 0;
  std::int32_t catflags = 0;
  float offset = 0;  // error of the magnitude, mag
  Why why = Why::None;
};

struct ZtfObject {
  std::int64_t oid = 0;
  Field field;
  std::size_t band = 0;
  Position position;
  bool is_quasar = true;  // else a neighbour
  std::vector<ZtfEpoch> epochs;
};

struct GaiaTransit {
  std::int64_t id = 0;
  std::array<double, 3> time{};        // G, BP, RP: BJD (TCB) - 2455197.5
  std::array<double, 3> mag{};         // NaN: not measured
  std::array<double, 3> flux_error{};  // relative
  std::array<float, 3> offset{};
  std::array<Why, 3> why{};
  int ccds = 9;
  std::uint32_t flags = 0;  // bits in the order of the flag columns of gaia_epoch
};

struct LightCurves {
  std::vector<ZtfObject> objects;  // of the quasar and of its neighbours
  std::vector<GaiaTransit> transits;
};

// Thread-safe; a twin has none.
LightCurves observe(const Recipe& recipe, ZtfSurvey& survey, const Quasar& quasar);

}  // namespace qsohost::skysim
