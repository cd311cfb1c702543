#include "atlas_curves.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

#include "random.hpp"

namespace qsohost::skysim {

namespace {

constexpr double kFirst = 57232;  // MJD of the first night
constexpr double kYear = 365.2422;
constexpr double kMonth = 29.53;
constexpr double kFromSun = 60;                          // degrees of longitude, at least
constexpr double kNightStep = 10;                        // days from night to night, on average
constexpr double kExposureStep = 0.01;                   // days
constexpr int kExposures = 4;                            // a night
constexpr double kAbZero = 23.9;                         // of uJy
constexpr std::array<double, 2> kFiveSigma{19.6, 19.1};  // c, o
constexpr double kUnobserved = 0.03;                     // of the quasars

struct Model {
  double tau = 0;  // days as observed
  std::array<double, 2> mean{};
  std::array<double, 2> sigma{};
};

// c covers g and r, o covers r and i.
Model model_of(const Quasar& quasar) {
  Model model;
  model.tau = quasar.tau * (1 + quasar.z);
  for (std::size_t b = 0; b < 2; ++b) {
    const Process& blue = quasar.processes[b];
    const Process& red = quasar.processes[b + 1];
    model.mean[b] = (blue.mean + red.mean) / 2;
    model.sigma[b] = (blue.sigma + red.sigma) / 2;
  }
  return model;
}

struct Night {
  double time = 0;
  std::size_t band = 0;
};
// c is used near new Moon only.
std::vector<Night> nights_of(const Position& position, Random& random) {
  const double longitude = ecliptic(position).ra;
  std::vector<Night> nights;
  for (double day = kFirst + random.uniform(0, kNightStep); day < kAtlasLast;
       day += random.uniform(0.2 * kNightStep, 1.8 * kNightStep)) {
    const double sun = 280.46 + (day - 51544.5) * 360 / kYear;
    const double away = std::abs(std::remainder(longitude - sun, 360));
    const double phase = std::abs(std::remainder(day - kFirst, kMonth)) / kMonth;  // 0: new
    const std::size_t band = phase < 0.18 ? 0 : 1;
    const double time = std::floor(day) + random.uniform(0.25, 0.6);
    if (away >= kFromSun) nights.push_back({time, band});
  }
  return nights;
}

struct AtlasExposure {
  Night at;
  double flux = 0;
  double error = 0;
  int err = 0;
  double chi = 1;
  double x = 0;
  double y = 0;
  double major = 0;
  double minor = 0;
  double phi = 0;
  double apfit = 0;
  double limit = 0;
  double sky = 0;
  bool is_good = true;
};

// One of the things that the cuts of the service's manual remove; half of the time the flux is
// wrong too.
void spoil(AtlasExposure& exposure, Random& random) {
  exposure.is_good = false;
  switch (random.integer(0, 6)) {
    case 0:
      exposure.err = 1;
      break;
    case 1:
      exposure.error = random.uniform(10'100, 30'000);
      exposure.flux += exposure.error * random.normal();
      return;
    case 2:
      exposure.x = random.uniform(1, 99);
      break;
    case 3:
      exposure.major = random.uniform(5.1, 9);
      break;
    case 4:
      exposure.apfit = random.uniform(-0.09, 0.3);
      break;
    case 5:
      exposure.sky = random.uniform(14, 16.9);
      break;
    default:
      exposure.chi = random.uniform(11, 200);
      exposure.flux *= random.uniform(1.5, 3);
      return;
  }
  if (random.chance(0.5)) exposure.flux *= random.uniform(0.3, 1.7);
}

AtlasExposure expose(const Recipe& recipe, const Night& at, double mag, double limit,
                     Random& random) {
  AtlasExposure exposure{.at = at};
  exposure.limit = limit;
  const double noise = std::pow(10, 0.4 * (kAbZero - limit)) / 5;
  const double flux = std::pow(10, 0.4 * (kAbZero - mag));
  exposure.error = std::hypot(noise, 0.01 * flux);
  exposure.flux = flux + exposure.error * random.normal();
  exposure.chi = std::exp(random.normal(0, 0.3));
  exposure.x = random.uniform(120, 10'440);
  exposure.y = random.uniform(120, 10'440);
  exposure.minor = random.uniform(1.8, 3);
  exposure.major = exposure.minor * random.uniform(1, 1.4);
  exposure.phi = random.uniform(-90, 90);
  exposure.apfit = random.uniform(-0.5, -0.35);
  exposure.sky = limit + random.normal(2, 0.1);
  if (!recipe.is_clean && random.chance(0.05)) spoil(exposure, random);
  return exposure;
}

std::vector<AtlasExposure> observe_all(const Recipe& recipe, const Quasar& quasar,
                                       const Model& model, Random& random) {
  std::vector<AtlasExposure> exposures;
  if (!recipe.is_clean && random.chance(kUnobserved)) return exposures;
  double path = random.normal();
  double before = 0;
  for (const Night& night : nights_of(quasar.sdss, random)) {
    const double limit = std::clamp(kFiveSigma[night.band] + random.normal(0, 0.25), 18.0, 20.5);
    for (int k = 0; k < kExposures; ++k) {
      const Night at{night.time + k * kExposureStep + random.uniform(0, 1e-3), night.band};
      const double decay = before > 0 ? std::exp(-(at.time - before) / model.tau) : 1;
      path = path * decay + std::sqrt(1 - decay * decay) * random.normal();
      before = at.time;
      const double mag = model.mean[at.band] + model.sigma[at.band] * path;
      exposures.push_back(expose(recipe, at, mag, limit, random));
    }
  }
  return exposures;
}

void put_identity(Table& table, const Quasar& quasar) {
  table.at("number").append<std::int64_t>(static_cast<std::int64_t>(quasar.number));
  table.at("source_id").append<std::int64_t>(quasar.in_gaia ? quasar.source_id : 0);
  table.append_number("ra", quasar.sdss.ra);
  table.append_number("dec", quasar.sdss.dec);
}

void put_exposure(Table& table, const AtlasExposure& exposure) {
  table.append_number("band", static_cast<double>(exposure.at.band));
  table.append_number("mjd", exposure.at.time);
  table.append_number("flux", exposure.flux);
  table.append_number("flux_err", exposure.error);
  table.append_number("err", exposure.err);
  table.append_number("chi_n", exposure.chi);
  table.append_number("x", exposure.x);
  table.append_number("y", exposure.y);
  table.append_number("maj", exposure.major);
  table.append_number("min", exposure.minor);
  table.append_number("phi", exposure.phi);
  table.append_number("apfit", exposure.apfit);
  table.append_number("mag5sig", exposure.limit);
  table.append_number("sky", exposure.sky);
}

template <class F>
void put_count(Table& table, std::string_view column, const std::vector<AtlasExposure>& exposures,
               const F& is_counted) {
  table.append_number(column, static_cast<double>(std::ranges::count_if(exposures, is_counted)));
}

}  // namespace

void AtlasTables::add(const Recipe& recipe, const Quasar& quasar) {
  if (quasar.is_twin) return;
  Random random(recipe.seed, Stream::Atlas, {quasar.number});
  const Model model = model_of(quasar);
  const std::vector<AtlasExposure> exposures = observe_all(recipe, quasar, model, random);
  put_identity(curves, quasar);
  for (const AtlasExposure& exposure : exposures) put_exposure(curves, exposure);
  curves.end_row("epochs");
  put_identity(truth, quasar);
  truth.append_number("tau", model.tau);
  truth.append_number("mean_c", model.mean[0]);
  truth.append_number("sigma_c", model.sigma[0]);
  truth.append_number("mean_o", model.mean[1]);
  truth.append_number("sigma_o", model.sigma[1]);
  put_count(truth, "n_c", exposures, [](const AtlasExposure& e) { return e.at.band == 0; });
  put_count(truth, "n_o", exposures, [](const AtlasExposure& e) { return e.at.band == 1; });
  put_count(truth, "n_good", exposures, [](const AtlasExposure& e) { return e.is_good; });
}

}  // namespace qsohost::skysim
