#include "light_curves.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gaia_transits.hpp"
#include "nan.hpp"
#include "random.hpp"

namespace qsohost::skysim {

namespace {

constexpr double kMjdOfGaia = 55197;  // MJD = Gaia's days + 55197

// The unit process (variance 1) at these times, in the order given. Times are days as observed.
std::vector<double> unit_path(Random& random, const std::vector<double>& times, double tau) {
  std::vector<std::size_t> order(times.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return times[a] < times[b]; });
  std::vector<double> path(times.size());
  double before = 0;
  double value = random.normal();
  for (std::size_t k = 0; k < order.size(); ++k) {
    const double time = times[order[k]];
    if (k > 0) {
      const double decay = std::exp(-(time - before) / tau);
      value = value * decay + std::sqrt(1 - decay * decay) * random.normal();
    }
    before = time;
    path[order[k]] = value;
  }
  return path;
}

// Quality columns of a catalogue of the exposure, and the error of the magnitude.
void set_quality(Random& random, ZtfEpoch& epoch) {
  const Exposure& exposure = *epoch.exposure;
  epoch.chi = static_cast<float>(std::exp(random.normal(-0.13, 0.40)));
  epoch.sharp = static_cast<float>(random.normal(0, 0.07));
  if (exposure.is_bad) {
    epoch.catflags = 32768;
    if (random.chance(0.3)) epoch.offset = static_cast<float>(random.uniform(0.05, 0.6));
  }
  if (random.chance(0.02)) {
    constexpr std::array<std::int32_t, 6> local{1, 2, 4, 16, 128, 33};
    epoch.catflags |= local[static_cast<std::size_t>(random.integer(0, 5))];
    if (random.chance(0.3)) epoch.offset += static_cast<float>(random.normal(0, 0.3));
  }
  if (random.chance(0.02)) {
    epoch.sharp = static_cast<float>(random.sign() * random.uniform(0.26, 0.8));
    if (random.chance(0.3)) epoch.offset -= static_cast<float>(random.uniform(0.1, 0.5));
  }
  if (epoch.offset != 0) epoch.why = Why::Flagged;
}

bool passes_cuts(const ZtfEpoch& e) {
  return e.catflags == 0 && std::abs(e.sharp) < 0.25f && e.chi > 0.5f && e.chi < 1.5f &&
         e.exposure->airmass < 1.8f;
}

void set_outlier(Random& random, ZtfEpoch& epoch) {
  if (!passes_cuts(epoch) || !random.chance(0.003)) return;
  constexpr std::array<Why, 3> reasons{Why::Ghost, Why::Cloud, Why::Blend};
  epoch.why = reasons[static_cast<std::size_t>(random.integer(0, 2))];
  const double size = random.uniform(0.6, 1.8);
  epoch.offset = static_cast<float>(epoch.why == Why::Cloud ? size : -size);
}

// Magnitude, error and position of an epoch of a source of this brightness; false if too faint.
bool detect(const Recipe& recipe, Random& random, double true_mag, const Position& where,
            ZtfEpoch& epoch) {
  const double limit = epoch.exposure->limit;
  const double faint = true_mag + epoch.offset;
  if (random.normal(faint, 0.15) > limit) return false;
  const double error =
      recipe.error_law == ErrorLaw::Flat
          ? kFlatError
          : std::hypot(0.012,
                       0.2171 * std::pow(10, 0.4 * (faint - limit)));  // 5 sigma at the limit
  epoch.mag = static_cast<float>(random.normal(faint, error));
  epoch.magerr =
      static_cast<float>(recipe.is_clean ? error : error * std::exp(random.normal(0, 0.04)));
  const double scatter = std::min(0.15, 0.03 + 0.3 * error);  // arcsec
  const double away = scatter * std::abs(random.normal());
  const Position p = offset_by(where, away, random.uniform(0, 360));
  epoch.ra = std::round(p.ra * 1e7) / 1e7;
  epoch.dec = std::round(p.dec * 1e7) / 1e7;
  epoch.hjd = random.chance(0.003) ? kNan : heliocentric(epoch.exposure->mjd, where);
  return true;
}

std::int64_t oid_of(const Field& field, std::size_t band, std::uint64_t serial) {
  return field.number * std::int64_t{1000000000000} +
         (static_cast<std::int64_t>(band) + 1) * 100000000000 +
         field.ccd * std::int64_t{1000000000} + field.quadrant * std::int64_t{100000000} +
         static_cast<std::int64_t>(serial % 100000000);
}

// Objects of one source in all fields that see it, every exposure as an epoch without measurements.
void place_objects(ZtfSurvey& survey, const Position& position, std::uint64_t serial,
                   bool is_quasar, std::vector<ZtfObject>& objects) {
  for (const Field& field : survey.fields_at(position)) {
    for (std::size_t band = 0; band < kZtfBands; ++band) {
      if (!survey.observes(field, band)) continue;
      ZtfObject& object = objects.emplace_back();
      object.oid = oid_of(field, band, serial);
      object.field = field;
      object.band = band;
      object.position = position;
      object.is_quasar = is_quasar;
      for (const Exposure& exposure : survey.exposures(field, band)) {
        object.epochs.emplace_back().exposure = &exposure;
      }
    }
  }
}

// Fills the epochs and removes those in which the source is too faint. `path` begins with this
// object's values.
void measure_object(const Recipe& recipe, const Quasar& quasar, const double* path,
                    double neighbour_mag, ZtfObject& object) {
  Random random(
      recipe.seed, Stream::Curve,
      {quasar.number, static_cast<std::uint64_t>(object.oid), object.is_quasar ? 1u : 0u});
  const Process& process = quasar.processes[object.band];
  // Each field has its own calibration.
  const double zero = recipe.is_clean ? 0 : 0.006 * random.normal();
  std::vector<ZtfEpoch> kept;
  for (std::size_t i = 0; i < object.epochs.size(); ++i) {
    ZtfEpoch epoch = object.epochs[i];
    epoch.chi = 1;
    if (!recipe.is_clean) set_quality(random, epoch);
    if (!recipe.is_clean && object.is_quasar) set_outlier(random, epoch);
    const double mag =
        object.is_quasar ? process.mean + process.sigma * path[i] + process.jitter * random.normal()
                         : neighbour_mag;
    if (detect(recipe, random, mag + zero, object.position, epoch)) kept.push_back(epoch);
  }
  object.epochs = std::move(kept);
}

}  // namespace

LightCurves observe(const Recipe& recipe, ZtfSurvey& survey, const Quasar& quasar) {
  LightCurves curves;
  if (quasar.is_twin) return curves;
  Random random(recipe.seed, Stream::Neighbour, {quasar.number});
  place_objects(survey, quasar.sdss, 3 * quasar.number + 1, true, curves.objects);
  const auto neighbour = [&](double near, double far, std::uint64_t serial) {
    place_objects(survey, scattered(random, quasar.gaia, near, far), serial, false, curves.objects);
  };
  if (quasar.has_neighbour) neighbour(0.9, 1.8, 3 * quasar.number + 2);
  if (quasar.has_far_neighbour) neighbour(2.3, 6, 3 * quasar.number + 3);
  if (quasar.has_gaia_epochs) curves.transits = gaia_transits(recipe, quasar);

  std::vector<double> times;
  for (const ZtfObject& object : curves.objects) {
    if (!object.is_quasar) continue;
    for (const ZtfEpoch& epoch : object.epochs) times.push_back(epoch.exposure->mjd);
  }
  for (const GaiaTransit& t : curves.transits) times.push_back(t.time[0] + kMjdOfGaia);
  Random walk(recipe.seed, Stream::Curve, {quasar.number});
  const std::vector<double> path = unit_path(walk, times, quasar.tau * (1 + quasar.z));

  const double* at = path.data();
  for (ZtfObject& object : curves.objects) {
    const std::size_t epochs = object.epochs.size();
    measure_object(recipe, quasar, at, random.uniform(16.5, 19.5), object);
    if (object.is_quasar) at += epochs;
  }
  std::erase_if(curves.objects, [](const ZtfObject& object) { return object.epochs.empty(); });
  measure(recipe, quasar, {at, curves.transits.size()}, curves.transits);
  return curves;
}

}  // namespace qsohost::skysim
