#include "catalogue.hpp"

#include <fmt/format.h>

#include <cmath>

#include "random.hpp"

namespace qsohost::skysim {

namespace {

constexpr std::int64_t kSolution = 1636148068921376768;  // that of Gaia DR3

// A row of gaia_source before it becomes columns.
struct GaiaRow {
  std::int64_t source_id = 0;
  Position position;
  double g = 0;
  double bp_rp = 0;
  bool is_quasar = false;
  bool has_epochs = false;
  bool is_duplicated = false;
  Motion motion{};
};

Motion motion_of(const Recipe& recipe, std::int64_t source_id, double g, bool moves) {
  Random random(recipe.seed, Stream::SourceTable, {static_cast<std::uint64_t>(source_id), 7});
  Motion m;
  m.error = 0.02 * std::pow(10, 0.2 * std::max(0.0, g - 15));
  m.pmra = m.error * random.normal() + (moves ? 8 * random.normal() : 0);
  m.pmdec = m.error * random.normal() + (moves ? 8 * random.normal() : 0);
  m.parallax = m.error * random.normal() + (moves ? std::exp(random.normal(-0.7, 0.7)) : 0);
  return m;
}

double flux(double mag, std::size_t band) {
  return std::pow(10, 0.4 * (kGaiaZero[band] - mag));
}

void fill_photometry(Table& table, const std::vector<GaiaRow>& rows) {
  constexpr std::array<std::string_view, 3> names{"g", "bp", "rp"};
  constexpr std::array<double, 3> relative{0.0008, 0.008, 0.006};  // error at G = 18
  for (std::size_t b = 0; b < names.size(); ++b) {
    const auto mag = [&rows, b](std::size_t i) {
      return rows[i].g + (b == 1 ? 0.45 : b == 2 ? -0.55 : 0.0) * rows[i].bp_rp;
    };
    const auto ratio = [&rows, &relative, b](std::size_t i) {
      return relative[b] * std::pow(10, 0.3 * (rows[i].g - 18));
    };
    const std::string mean = fmt::format("phot_{}_mean_", names[b]);
    const std::size_t n = rows.size();
    table.fill(mean + "flux", n, [&](std::size_t i) { return flux(mag(i), b); });
    table.fill(mean + "flux_error", n, [&](std::size_t i) { return flux(mag(i), b) * ratio(i); });
    table.fill(mean + "flux_over_error", n, [&](std::size_t i) { return 1 / ratio(i); });
    table.fill(mean + "mag", n, mag);
  }
  table.fill("bp_rp", rows.size(), [&](std::size_t i) { return rows[i].bp_rp; });
  table.fill("bp_g", rows.size(), [&](std::size_t i) { return 0.45 * rows[i].bp_rp; });
  table.fill("g_rp", rows.size(), [&](std::size_t i) { return 0.55 * rows[i].bp_rp; });
  table.fill("phot_bp_rp_excess_factor", rows.size(),
             [&](std::size_t i) { return 1.15 + 0.05 * rows[i].bp_rp; });
}

void fill_astrometry(Table& table, const std::vector<GaiaRow>& rows) {
  const std::size_t n = rows.size();
  table.fill("ra", n, [&](std::size_t i) { return rows[i].position.ra; });
  table.fill("dec", n, [&](std::size_t i) { return rows[i].position.dec; });
  for (const char* column :
       {"ra_error", "dec_error", "parallax_error", "pmra_error", "pmdec_error"}) {
    table.fill(column, n, [&](std::size_t i) { return rows[i].motion.error; });
  }
  table.fill("parallax", n, [&](std::size_t i) { return rows[i].motion.parallax; });
  table.fill("parallax_over_error", n,
             [&](std::size_t i) { return rows[i].motion.parallax / rows[i].motion.error; });
  table.fill("pmra", n, [&](std::size_t i) { return rows[i].motion.pmra; });
  table.fill("pmdec", n, [&](std::size_t i) { return rows[i].motion.pmdec; });
  table.fill("pm", n, [&](std::size_t i) { return rows[i].motion.total(); });
  table.fill("l", n, [&](std::size_t i) { return galactic(rows[i].position).ra; });
  table.fill("b", n, [&](std::size_t i) { return galactic(rows[i].position).dec; });
  table.fill("ecl_lon", n, [&](std::size_t i) { return ecliptic(rows[i].position).ra; });
  table.fill("ecl_lat", n, [&](std::size_t i) { return ecliptic(rows[i].position).dec; });
}

Table gaia_table(const Recipe& recipe, std::uint64_t first_row, std::vector<GaiaRow> rows) {
  Table table("gaia_source");
  const std::size_t n = rows.size();
  for (GaiaRow& row : rows) {
    row.motion = motion_of(recipe, row.source_id, row.g, !row.is_quasar);
  }
  table.fill("solution_id", n, [](std::size_t) { return kSolution; });
  table.fill("designation", n,
             [&](std::size_t i) { return fmt::format("Gaia DR3 {}", rows[i].source_id); });
  table.fill("source_id", n, [&](std::size_t i) { return rows[i].source_id; });
  table.fill("random_index", n, [&](std::size_t i) {
    return static_cast<std::int64_t>(mixed(static_cast<std::uint64_t>(rows[i].source_id)) >> 33);
  });
  table.fill("duplicated_source", n, [&](std::size_t i) { return rows[i].is_duplicated ? 1 : 0; });
  table.fill("in_qso_candidates", n, [&](std::size_t i) { return rows[i].is_quasar ? 1 : 0; });
  table.fill("has_epoch_photometry", n, [&](std::size_t i) { return rows[i].has_epochs ? 1 : 0; });
  table.fill("phot_variable_flag", n, [&](std::size_t i) {
    return std::string_view(rows[i].has_epochs ? "VARIABLE" : "NOT_AVAILABLE");
  });
  fill_astrometry(table, rows);
  fill_photometry(table, rows);
  table.fill_rest(recipe.seed, first_row, n);
  return table;
}

GaiaRow row_of(const Star& star) {
  GaiaRow row;
  row.source_id = star.source_id;
  row.position = star.position;
  row.g = star.g_mag;
  row.bp_rp = star.bp_rp;
  return row;
}

void fill_sdss_photometry(Table& table, std::span<const Quasar> quasars, std::uint64_t seed) {
  constexpr std::array<double, 5> colour{0.45, 0.2, 0.0, -0.1, -0.15};  // ugriz - G
  for (const Quasar& q : quasars) {
    Random random(seed, Stream::Catalogue, {q.number, 99});
    const double dust = 0.12 * random.uniform();
    for (std::size_t k = 0; k < colour.size(); ++k) {
      const double mag = q.g_mag + colour[k] + 0.1 * random.normal();
      const double error = 0.01 + 0.02 * std::pow(10, 0.4 * (mag - 20));
      const double nanomaggies = std::pow(10, 0.4 * (22.5 - mag));
      const double flux_error = nanomaggies * error / 1.0857;
      table.append_number("psfmag", mag);
      table.append_number("psfmagerr", error);
      table.append_number("psfflux", nanomaggies);
      table.append_number("psfflux_ivar", 1 / (flux_error * flux_error));
      table.append_number("extinction", dust * (1.6 - 0.3 * static_cast<double>(k)));
    }
  }
}

// SDSS has the data of Gaia DR2: other designations, and positions at epoch 2015.5.
void fill_sdss_gaia(Table& table, std::span<const Quasar> quasars) {
  const std::size_t n = quasars.size();
  const auto known = [&](double Position::*member) {
    return [&quasars, member](std::size_t i) {
      return quasars[i].in_gaia ? quasars[i].gaia.*member : -1.0;
    };
  };
  const auto mag = [&](double colour) {
    return [&quasars, colour](std::size_t i) {
      return quasars[i].in_gaia ? quasars[i].g_mag + colour * quasars[i].bp_rp : -1.0;
    };
  };
  table.fill("gaia_matched", n, [&](std::size_t i) { return quasars[i].in_gaia ? 1 : 0; });
  table.fill("gaia_designation", n, [&](std::size_t i) {
    return quasars[i].in_gaia ? fmt::format("Gaia DR2 {}", quasars[i].source_id + 128)
                              : std::string();
  });
  table.fill("gaia_ra", n, known(&Position::ra));
  table.fill("gaia_dec", n, known(&Position::dec));
  table.fill("gaia_g_mag", n, mag(0));
  table.fill("gaia_bp_mag", n, mag(0.45));
  table.fill("gaia_rp_mag", n, mag(-0.55));
  table.fill("sdss2gaia_sep", n, [&](std::size_t i) {
    return quasars[i].in_gaia ? separation_arcsec(quasars[i].sdss, quasars[i].gaia) : -1.0;
  });
}

}  // namespace

Motion quasar_motion(const Recipe& recipe, const Quasar& quasar) {
  return motion_of(recipe, quasar.source_id, quasar.g_mag, false);
}

Table sdss_rows(const Recipe& recipe, std::uint64_t first, std::span<const Quasar> quasars) {
  Table table("sdss_dr16q");
  const std::size_t n = quasars.size();
  const auto draw = [&](std::size_t i, std::int64_t low, std::int64_t high, std::uint64_t what) {
    return static_cast<double>(
        Random(recipe.seed, Stream::Catalogue, {quasars[i].number, what}).integer(low, high));
  };
  table.fill("sdss_name", n, [&](std::size_t i) { return sdss_name(quasars[i].sdss); });
  table.fill("ra", n, [&](std::size_t i) { return quasars[i].sdss.ra; });
  table.fill("dec", n, [&](std::size_t i) { return quasars[i].sdss.dec; });
  table.fill("plate", n, [&](std::size_t i) { return draw(i, 266, 12547, 11); });
  table.fill("mjd", n, [&](std::size_t i) { return draw(i, 51578, 58543, 12); });
  table.fill("fiberid", n, [&](std::size_t i) { return draw(i, 1, 1000, 13); });
  table.fill("is_qso_final", n, [&](std::size_t i) { return quasars[i].is_final ? 1 : 0; });
  table.fill("z", n, [&](std::size_t i) { return quasars[i].z; });
  table.fill("source_z", n, [&](std::size_t i) {
    return std::string_view(draw(i, 0, 9, 14) < 6 ? "PIPE" : "VI");
  });
  table.fill("z_pipe", n, [&](std::size_t i) { return quasars[i].z; });
  table.fill("thing_id", n, [&](std::size_t i) {
    return static_cast<std::int64_t>(300000000 + quasars[i].number);
  });
  table.fill("objid", n, [&](std::size_t i) {
    return fmt::format("{}", 1237645000000000000 + quasars[i].number * 1048577);
  });
  table.fill("m_i", n, [&](std::size_t i) { return quasars[i].m_i; });
  fill_sdss_photometry(table, quasars, recipe.seed);
  fill_sdss_gaia(table, quasars);
  table.fill_rest(recipe.seed, first, n, [&](std::size_t i) { return quasars[i].z; });
  return table;
}

Table gaia_rows(const Recipe& recipe, std::uint64_t first, std::span<const Quasar> quasars) {
  std::vector<GaiaRow> rows;
  for (const Quasar& q : quasars) {
    if (!q.in_gaia) continue;
    GaiaRow row{.source_id = q.source_id, .position = q.gaia, .g = q.g_mag, .bp_rp = q.bp_rp};
    row.is_quasar = true;
    row.has_epochs = q.has_gaia_epochs;
    row.is_duplicated = q.is_duplicated;
    rows.push_back(row);
    if (q.is_duplicated) {
      row.position = offset_by(q.gaia, 0.1, static_cast<double>(q.number % 360));
      rows.push_back(row);
    }
    if (q.has_companion) rows.push_back(row_of(make_companion(recipe, q)));
  }
  return gaia_table(recipe, 4 * first, std::move(rows));
}

Table star_rows(const Recipe& recipe, std::uint64_t first, std::size_t count) {
  std::vector<GaiaRow> rows;
  for (std::size_t i = 0; i < count; ++i) rows.push_back(row_of(make_star(recipe, first + i)));
  return gaia_table(recipe, (std::uint64_t{1} << 40) + first, std::move(rows));
}

}  // namespace qsohost::skysim
