#include "neowise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string_view>
#include <vector>

#include "nan.hpp"
#include "random.hpp"

namespace qsohost::skysim {

namespace {

constexpr double kFirst = 56639.8;  // MJD of the survey's first and last day
constexpr double kLast = 60523;
constexpr double kYear = 365.2422;
constexpr double kOrbit = 0.0661;                        // days
constexpr std::array<double, 2> kFiveSigma{15.3, 14.6};  // W1, W2: single exposures
constexpr std::array<double, 2> kSaturated{8, 7};
// Signal to noise: an exposure needs the first in one band; a band below the second has a limit at
// best.
constexpr double kDetected = 3.5;
constexpr double kMeasured = 2;
struct Model {
  double tau = 0;  // days as observed
  std::array<double, 2> mean{};
  std::array<double, 2> sigma{};
};

// The light of the dust follows that of the disk: smaller amplitude, longer time-scale.
Model model_of(const Quasar& quasar, Random& random) {
  const double sigma = quasar.processes[1].sigma;
  const double w1 = quasar.g_mag - random.normal(3.3, 0.4);
  Model model;
  model.tau = 1.5 * quasar.tau * (1 + quasar.z);
  model.mean = {w1, w1 - random.normal(1.0, 0.15)};
  model.sigma = {0.8 * sigma, 0.7 * sigma};
  return model;
}

// The satellite looks along circles at right angles to the Sun: a place is seen when the Sun is 90
// degrees away in longitude. Circles meet at the poles, where visits are longer.
std::vector<double> exposure_times(const Position& position, Random& random) {
  const Position at = ecliptic(position);
  const double sun_per_day = 360 / kYear;
  const double first = 51544.5 + (at.ra + 90 - 280.46) / sun_per_day;
  const double cosine = std::max(0.3, std::cos(at.dec * std::numbers::pi / 180));
  const int exposures = static_cast<int>(12 / cosine);
  const double before = std::ceil((kFirst - first) / (kYear / 2));
  std::vector<double> times;
  for (double visit = first + before * kYear / 2; visit < kLast; visit += kYear / 2) {
    for (int k = 0; k < exposures; ++k) {
      const double time = visit + (2 * k - exposures) * kOrbit + random.uniform(0, 1e-4);
      if (time >= kFirst && time <= kLast) times.push_back(time);
    }
  }
  return times;
}

// What is wrong with an exposure.
struct Quality {
  std::string cc_flags = "0000";
  std::string moon_masked = "0000";
  double qi_fact = 1;
  int qual_frame = 10;
  double saa_sep = 60;
  int nb = 1;
  int na = 0;
  double offset = 0;  // error of the magnitudes

  bool is_good() const {
    return cc_flags == "0000" && moon_masked == "0000" && qi_fact >= 1 && qual_frame > 0 &&
           saa_sep >= 5 && nb < 2 && na < 1;
  }
};
Quality quality_of(Random& random) {
  Quality quality;
  quality.saa_sep = random.uniform(-5, 130);
  if (random.chance(0.03)) {
    constexpr std::array<const char*, 4> flags{"hH00", "dd00", "P000", "0o00"};
    quality.cc_flags = flags[static_cast<std::size_t>(random.integer(0, 3))];
    if (random.chance(0.5)) quality.offset = -random.uniform(0.3, 1);
  }
  if (random.chance(0.03)) {
    quality.moon_masked = "1100";
    quality.offset += random.normal(0, 0.3);
  }
  if (random.chance(0.02)) quality.qi_fact = random.chance(0.5) ? 0.5 : 0;
  if (random.chance(0.01)) quality.qual_frame = 0;
  if (random.chance(0.02)) quality.nb = 2;
  if (random.chance(0.01)) quality.na = 1;
  if (quality.saa_sep < 0) quality.offset += random.normal(0, 0.3);
  return quality;
}

struct Measured {
  double mag = kNan;
  double error = kNan;
  double snr = 0;
  double chi2 = 1;
  char grade = 'U';
};
Measured measure(double true_mag, double five_sigma, Random& random) {
  // The flux in units of its noise.
  const double signal = 5 * std::pow(10, 0.4 * (five_sigma - true_mag));
  const double relative = std::hypot(1 / signal, 0.02);
  Measured measured;
  measured.chi2 = std::exp(random.normal(0, 0.2));
  measured.snr = std::max(0.0, signal * (1 + relative * random.normal()));
  const auto mag_of = [&](double snr) { return five_sigma - 2.5 * std::log10(snr / 5); };
  if (measured.snr >= kMeasured) {
    measured.mag = mag_of(measured.snr);
    measured.error = 1.0857 * std::hypot(1 / measured.snr, 0.02);
    measured.grade = measured.snr >= 10 ? 'A' : measured.snr >= 3 ? 'B' : 'C';
  } else if (random.chance(0.8)) {
    measured.mag = mag_of(measured.snr + 2);  // a limit, without error
  }
  return measured;
}

struct NeowiseExposure {
  double time = 0;
  Position position;
  Quality quality;
  std::array<Measured, 2> bands;
  std::int64_t frame = 0;
};

// Those in which the quasar is detected.
std::vector<NeowiseExposure> expose(const Recipe& recipe, const Quasar& quasar, const Model& model,
                                    Random& random) {
  std::vector<NeowiseExposure> exposures;
  double path = random.normal();
  double before = 0;
  for (const double time : exposure_times(quasar.sdss, random)) {
    const double decay = before > 0 ? std::exp(-(time - before) / model.tau) : 1;
    path = path * decay + std::sqrt(1 - decay * decay) * random.normal();
    before = time;
    NeowiseExposure exposure{.time = time, .position = {}, .quality = {}, .bands = {}};
    if (!recipe.is_clean) exposure.quality = quality_of(random);
    for (std::size_t b = 0; b < 2; ++b) {
      const double mag = model.mean[b] + model.sigma[b] * path + exposure.quality.offset;
      exposure.bands[b] = measure(mag, kFiveSigma[b], random);
    }
    const double best = std::max(exposure.bands[0].snr, exposure.bands[1].snr);
    const double away = (0.03 + 0.6 / std::max(best, 1.0)) * std::abs(random.normal());
    exposure.position = offset_by(quasar.sdss, std::min(away, 1.0), random.uniform(0, 360));
    exposure.frame = random.integer(1, 260);
    if (best >= kDetected) exposures.push_back(exposure);
  }
  return exposures;
}

void put_row(Table& table, std::int64_t row, std::int64_t allwise,
             const NeowiseExposure& exposure) {
  const Quality& quality = exposure.quality;
  table.at("cntr").append<std::int64_t>(row);
  table.append_number("ra", exposure.position.ra);
  table.append_number("dec", exposure.position.dec);
  table.append_number("mjd", exposure.time);
  for (std::size_t b = 0; b < 2; ++b) {
    const Measured& measured = exposure.bands[b];
    const std::string band = b == 0 ? "w1" : "w2";
    table.append_number(band + "mpro", measured.mag);
    table.append_number(band + "sigmpro", measured.error);
    table.append_number(band + "snr", measured.snr);
    table.append_number(band + "rchi2", measured.chi2);
    table.append_number(band + "sat", measured.mag < kSaturated[b] ? 0.1 : 0);
  }
  table.append_number("nb", quality.nb);
  table.append_number("na", quality.na);
  table.at("cc_flags").append_string(quality.cc_flags);
  table.at("ph_qual").append_string(
      fmt::format("{}{}", exposure.bands[0].grade, exposure.bands[1].grade));
  table.append_number("qi_fact", quality.qi_fact);
  table.append_number("qual_frame", quality.qual_frame);
  table.append_number("saa_sep", quality.saa_sep);
  table.at("moon_masked").append_string(quality.moon_masked);
  table.at("allwise_cntr").append<std::int64_t>(allwise);
  const int scan = static_cast<int>((exposure.time - kFirst) / kOrbit);
  table.at("scan_id").append_string(fmt::format("{:05}r", scan));
  table.append_number("frame_num", static_cast<double>(exposure.frame));
}

int visits_of(const std::vector<NeowiseExposure>& exposures) {
  constexpr double kGap = 30;  // days
  int visits = 0;
  double before = 0;
  for (const NeowiseExposure& exposure : exposures) {
    if (exposure.time > before + kGap) ++visits;
    before = exposure.time;
  }
  return visits;
}

template <class F>
void put_count(Table& table, std::string_view column, const std::vector<NeowiseExposure>& exposures,
               const F& is_counted) {
  table.append_number(column, static_cast<double>(std::ranges::count_if(exposures, is_counted)));
}

}  // namespace

void NeowiseTables::add(const Recipe& recipe, const Quasar& quasar) {
  if (quasar.is_twin) return;
  Random random(recipe.seed, Stream::Neowise, {quasar.number});
  const Model model = model_of(quasar, random);
  const std::vector<NeowiseExposure> seen = expose(recipe, quasar, model, random);
  const auto number = static_cast<std::int64_t>(quasar.number);
  const std::int64_t allwise = 1'000'000'000'000 + number;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    put_row(exposures, number * 10000 + static_cast<std::int64_t>(i), allwise, seen[i]);
  }
  truth.at("number").append<std::int64_t>(number);
  truth.at("source_id").append<std::int64_t>(quasar.in_gaia ? quasar.source_id : 0);
  truth.append_number("ra", quasar.sdss.ra);
  truth.append_number("dec", quasar.sdss.dec);
  truth.at("allwise_cntr").append<std::int64_t>(allwise);
  truth.append_number("tau", model.tau);
  truth.append_number("mean_w1", model.mean[0]);
  truth.append_number("sigma_w1", model.sigma[0]);
  truth.append_number("mean_w2", model.mean[1]);
  truth.append_number("sigma_w2", model.sigma[1]);
  truth.append_number("n_visits", visits_of(seen));
  put_count(truth, "n_rows", seen, [](const NeowiseExposure&) { return true; });
  for (std::size_t b = 0; b < 2; ++b) {
    put_count(truth, b == 0 ? "n_w1" : "n_w2", seen,
              [b](const NeowiseExposure& e) { return !std::isnan(e.bands[b].mag); });
  }
  put_count(truth, "n_good", seen, [](const NeowiseExposure& e) { return e.quality.is_good(); });
}

}  // namespace qsohost::skysim
