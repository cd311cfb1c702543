#include "quaia_catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "catalogue.hpp"

namespace qsohost::skysim {

namespace {

constexpr double kFaintest = 20.5;      // G
constexpr double kCompleteness = 0.92;  // of quasars brighter than that
constexpr double kCatastrophic = 0.06;  // of the redshifts
constexpr double kFarOff = 0.2;         // |dz| / (1 + z) of those, at least

struct Redshift {
  double value = 0;
  double error = 0;
};

Redshift measure(Random& random, double z) {
  const double relative = std::clamp(0.025 * std::exp(0.6 * random.normal()), 0.01, 0.1);
  Redshift measured{random.normal(z, relative * (1 + z)), relative * (1 + z)};
  if (random.chance(kCatastrophic)) {
    do {
      measured.value = random.uniform(0.1, 4.5);
    } while (std::abs(measured.value - z) < kFarOff * (1 + z));
  }
  measured.value = std::max(measured.value, 0.01);
  return measured;
}

// "1497p015o0012345": the tile of unWISE, and a number in it.
std::string unwise_name(const Quasar& quasar) {
  const double dec = quasar.gaia.dec;
  return fmt::format("{:04}{}{:03}o{:07}", static_cast<int>(quasar.gaia.ra * 10),
                     dec < 0 ? 'm' : 'p', static_cast<int>(std::abs(dec) * 10),
                     quasar.number % 10000000);
}

void add_row(const Recipe& recipe, const Quasar& quasar, Random& random, Table& table) {
  const auto put = [&](std::string_view column, double value) {
    table.append_number(column, value);
  };
  const Redshift redshift = measure(random, quasar.z);
  const Position plane = galactic(quasar.gaia);
  const Motion motion = quasar_motion(recipe, quasar);
  const double w1 = quasar.g_mag - random.normal(3.3, 0.4);
  table.at("source_id").append<std::int64_t>(quasar.source_id);
  table.at("unwise_objid").append_string(unwise_name(quasar));
  put("redshift_quaia", redshift.value);
  put("redshift_quaia_err", redshift.error);
  put("ra", quasar.gaia.ra);
  put("dec", quasar.gaia.dec);
  put("l", plane.ra);
  put("b", plane.dec);
  put("phot_g_mean_mag", quasar.g_mag);
  put("phot_bp_mean_mag", quasar.processes[4].mean);
  put("phot_rp_mean_mag", quasar.processes[5].mean);
  put("mag_w1_vg", w1);
  put("mag_w2_vg", w1 - random.normal(1.1, 0.2));
  put("pm", motion.total());
  put("pmra", motion.pmra);
  put("pmdec", motion.pmdec);
  put("pmra_error", motion.error);
  put("pmdec_error", motion.error);
}

}  // namespace

std::uint64_t quaia_numbers(const Recipe& recipe) {
  return recipe.sources + recipe.sources / 2;
}

Table quaia_rows(const Recipe& recipe, std::span<const Quasar> quasars) {
  Table table("quaia");
  for (const Quasar& quasar : quasars) {
    Random random(recipe.seed, Stream::Quaia, {quasar.number});
    if (!quasar.in_gaia || quasar.g_mag >= kFaintest || !random.chance(kCompleteness)) continue;
    add_row(recipe, quasar, random, table);
  }
  return table;
}

}  // namespace qsohost::skysim
