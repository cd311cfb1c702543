#include "make.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "atlas_curves.hpp"
#include "catalogue.hpp"
#include "curve_tables.hpp"
#include "light_curve_product.hpp"
#include "neowise.hpp"
#include "properties_catalogue.hpp"
#include "qsohost/error.hpp"
#include "quaia_catalogue.hpp"
#include "table.hpp"
#include "ztf_query.hpp"

namespace qsohost::skysim {

namespace {

// Of fixed size, so that pieces do not depend on threads.
constexpr std::uint64_t kCatalogueBlock = 4000;
constexpr std::uint64_t kStarBlock = 16000;
constexpr std::uint64_t kCurveBlock = 200;

constexpr double kAnswerRadius = 3;  // arcsec; larger than the radius for the same source

std::uint64_t blocks(std::uint64_t rows, std::uint64_t block) {
  return (rows + block - 1) / block;
}

// Quasars [first, last).
std::vector<Quasar> make_quasars(const Recipe& recipe, std::uint64_t first, std::uint64_t last) {
  std::vector<Quasar> quasars;
  for (std::uint64_t i = first; i < last; ++i) quasars.push_back(make_quasar(recipe, i));
  return quasars;
}

std::vector<Quasar> quasars_of(const Recipe& recipe, std::uint64_t first, std::uint64_t block) {
  return make_quasars(recipe, first, std::min(recipe.sources, first + block));
}

void make_catalogues(const MakeOptions& options) {
  const Recipe& recipe = options.recipe;
  TableParts sdss(options.folder / "sdss_dr16q.fits", "sdss_dr16q");
  TableParts gaia(options.folder / "gaia_source.fits", "gaia_source");
  const std::uint64_t quasar_blocks = blocks(recipe.sources, kCatalogueBlock);
  const std::uint64_t star_blocks = blocks(recipe.stars, kStarBlock);
  in_parallel(quasar_blocks + star_blocks, options.threads, [&](std::uint64_t k) {
    if (k < quasar_blocks) {
      const std::uint64_t first = k * kCatalogueBlock;
      const auto quasars = quasars_of(recipe, first, kCatalogueBlock);
      sdss.add(k, sdss_rows(recipe, first, quasars));
      gaia.add(k, gaia_rows(recipe, first, quasars));
    } else {
      const std::uint64_t first = (k - quasar_blocks) * kStarBlock;
      gaia.add(k, star_rows(recipe, first, std::min(kStarBlock, recipe.stars - first)));
    }
  });
  in_parallel(2, options.threads, [&](std::uint64_t k) {
    if (k == 0) sdss.merge();
    if (k == 1) gaia.merge("source_id");  // like Gaia's own files
  });
}

// dr16q_prop.fits: the table of what was measured, and in a second HDU the same rows of DR16Q.
void make_properties(const MakeOptions& options) {
  const Recipe& recipe = options.recipe;
  const std::filesystem::path file = options.folder / "dr16q_prop.fits";
  const std::filesystem::path second = options.folder / "dr16q_prop_sdss.fits";
  TableParts measured(file, "dr16q_prop");
  TableParts sdss(second, "dr16q_prop_sdss");
  in_parallel(blocks(recipe.sources, kCatalogueBlock), options.threads, [&](std::uint64_t k) {
    const std::uint64_t first = k * kCatalogueBlock;
    const auto quasars = quasars_of(recipe, first, kCatalogueBlock);
    Table rows = sdss_rows(recipe, first, quasars);
    const PropertyTables tables = property_rows(recipe, quasars, rows);
    measured.add(k, tables.measured);
    sdss.add(k, tables.sdss);
  });
  measured.merge();
  sdss.merge();
  append_hdu(file, second);
  std::filesystem::remove(second);
}

void make_quaia(const MakeOptions& options) {
  const Recipe& recipe = options.recipe;
  TableParts quaia(options.folder / "quaia.fits", "quaia");
  const std::uint64_t numbers = quaia_numbers(recipe);
  in_parallel(blocks(numbers, kCatalogueBlock), options.threads, [&](std::uint64_t k) {
    const std::uint64_t first = k * kCatalogueBlock;
    const std::uint64_t last = std::min(numbers, first + kCatalogueBlock);
    quaia.add(k, quaia_rows(recipe, make_quasars(recipe, first, last)));
  });
  quaia.merge("source_id");
}

void make_curves(const MakeOptions& options) {
  const Recipe& recipe = options.recipe;
  ZtfSurvey survey(recipe);
  TableParts gaia(options.folder / "gaia_epoch.fits", "gaia_epoch");
  TableParts objects(options.folder / "ztf_objects.fits", "ztf_objects");
  TableParts curves(options.folder / "ztf_light_curves.fits", "ztf_light_curves");
  TableParts truth(options.folder / "truth.fits", "truth");
  TableParts products(options.folder / "ztf_lc.fits", "ztf_lc");
  in_parallel(blocks(recipe.sources, kCurveBlock), options.threads, [&](std::uint64_t k) {
    CurveTables tables;
    Table ztf_lc("ztf_lc");
    for (const Quasar& quasar : quasars_of(recipe, k * kCurveBlock, kCurveBlock)) {
      const LightCurves observed = observe(recipe, survey, quasar);
      tables.add(quasar, observed);
      if (options.has_products) add_light_curve_row(quasar, observed, ztf_lc);
    }
    gaia.add(k, tables.gaia_epoch);
    objects.add(k, tables.ztf_objects);
    curves.add(k, tables.ztf_light_curves);
    truth.add(k, tables.truth);
    if (options.has_products) products.add(k, ztf_lc);
  });
  in_parallel(5, options.threads, [&](std::uint64_t k) {
    if (k == 0) curves.merge();
    if (k == 1) gaia.merge("source_id");
    if (k == 2) objects.merge();
    if (k == 3)
      truth.merge("", recipe.relation ? keywords_of(*recipe.relation) : std::vector<FitsKeyword>{});
    if (k == 4 && options.has_products) products.merge("", light_curve_keywords());
  });
}

void make_neowise(const MakeOptions& options) {
  const Recipe& recipe = options.recipe;
  TableParts exposures(options.folder / "neowise.fits", "neowise");
  TableParts truth(options.folder / "neowise_truth.fits", "neowise_truth");
  in_parallel(blocks(recipe.sources, kCurveBlock), options.threads, [&](std::uint64_t k) {
    NeowiseTables tables;
    for (const Quasar& quasar : quasars_of(recipe, k * kCurveBlock, kCurveBlock)) {
      tables.add(recipe, quasar);
    }
    exposures.add(k, tables.exposures);
    truth.add(k, tables.truth);
  });
  exposures.merge();
  truth.merge();
}

void make_atlas(const MakeOptions& options) {
  const Recipe& recipe = options.recipe;
  TableParts curves(options.folder / "atlas.fits", "atlas");
  TableParts truth(options.folder / "atlas_truth.fits", "atlas_truth");
  in_parallel(blocks(recipe.sources, kCurveBlock), options.threads, [&](std::uint64_t k) {
    AtlasTables tables;
    for (const Quasar& quasar : quasars_of(recipe, k * kCurveBlock, kCurveBlock)) {
      tables.add(recipe, quasar);
    }
    curves.add(k, tables.curves);
    truth.add(k, tables.truth);
  });
  curves.merge();
  truth.merge();
}

void write_file(const std::filesystem::path& file, std::string_view text) {
  std::ofstream out(file, std::ios::binary);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out) throw RunError(fmt::format("{}: cannot be written", file.string()));
}

// The quasars in Gaia as a catalogue of targets, and the responses of IRSA for each.
void write_answers(const MakeOptions& options) {
  const Recipe& recipe = options.recipe;
  const ZtfStore store(options.folder);
  const std::filesystem::path folder = options.folder / "irsa";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  std::vector<std::string> lines(blocks(recipe.sources, kCurveBlock));
  in_parallel(lines.size(), options.threads, [&](std::uint64_t k) {
    for (const Quasar& quasar : quasars_of(recipe, k * kCurveBlock, kCurveBlock)) {
      if (!quasar.in_gaia || !quasar.is_final) continue;
      lines[k] +=
          fmt::format("{},{},{},{}\n", quasar.source_id, quasar.gaia.ra, quasar.gaia.dec, quasar.z);
      ZtfQuery query;
      query.centre = quasar.gaia;
      query.radius = kAnswerRadius;
      query.format = TextFormat::Csv;
      write_file(folder / fmt::format("{}.csv", quasar.source_id), answer(store, query).body);
    }
  });
  std::string targets = "source_id,ra,dec,z\n";
  for (const std::string& part : lines) targets += part;
  write_file(options.folder / "targets.csv", targets);
}

}  // namespace

void make_sky(const MakeOptions& options) {
  std::filesystem::create_directories(options.folder);
  make_catalogues(options);
  if (options.is_catalogue_only) return;
  make_properties(options);
  make_quaia(options);
  make_curves(options);
  if (options.has_neowise) make_neowise(options);
  if (options.has_atlas) make_atlas(options);
  if (options.has_answers) write_answers(options);
}

}  // namespace qsohost::skysim
