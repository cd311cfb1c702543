// What the sections of the report draw of light curves: structure functions and residuals, of
// processes that are known; and runs in which there is little or nothing.
#include <algorithm>
#include <cmath>
#include <fstream>

#include "report/curve_rows.hpp"
#include "report/ensemble_sf.hpp"
#include "report/residuals.hpp"
#include "report/sections.hpp"
#include "report_fixture.hpp"

using namespace qsohost;
using namespace qsohost::cli;
using namespace report_test;
using Catch::Contains;

namespace {

constexpr double kSigma = 0.2, kTau = 80, kError = 0.05, kZ = 1;

// Light curves of one process, tau in rest-frame days; `told` of the errors is what the file says.
std::vector<LightCurve> curves_of(std::size_t n, std::size_t epochs, double told) {
  std::mt19937_64 random(11);
  std::vector<LightCurve> curves;
  for (std::size_t i = 0; i < n; ++i) {
    LightCurve& c =
        curves.emplace_back(simulate(epochs, kSigma, kTau * (1 + kZ), 19, kError, random));
    for (double& e : c.mag_err) e *= told;
  }
  return curves;
}

void write_run(const std::filesystem::path& folder, const std::vector<LightCurve>& curves) {
  const std::size_t n = curves.size();
  Table(ids_to(n))
      .add_curves("g", curves)
      .history({"stage lc = fits-sink (fits-sink 0.1.0)"})
      .write(folder / "a_ztf_lc.fits", "ztf");
  Table(ids_to(n))
      .add("z", all(n, kZ))
      .add("log_sigma", all(n, std::log(kSigma)))
      .add("log_tau", all(n, std::log(kTau)), "ln of tau in d; rest frame")
      .add("mean", all(n, 19))
      .add("n_epochs", all(n, static_cast<double>(curves[0].size())))
      .add("flags", all(n, 0))
      .write(folder / "a_fit_ztf_g.fits", "fit.ztf.g");
}

// Of the first extension: behind two headers of whole blocks.
std::size_t first_data_byte(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string card(80, ' ');
  int ends = 0;
  std::size_t at = 0;
  while (ends < 2 && in.read(card.data(), 80)) {
    at += 80;
    if (!card.starts_with("END     ")) continue;
    ++ends;
    at = (at + 2879) / 2880 * 2880;
    in.seekg(static_cast<std::streamoff>(at));
  }
  return at;
}

std::string all_text(const Section& section) {
  std::string text;
  for (const auto& paragraph : section.paragraphs) text += paragraph + "\n";
  for (const auto& figure : section.figures) {
    text += figure.title + figure.caption + figure.alt + plot::svg(figure) + "\n";
  }
  for (const auto& table : section.tables) {
    for (const auto& row : table.rows) {
      for (const auto& cell : row) text += cell + "\n";
    }
  }
  return text;
}

void check_all_sections(const std::filesystem::path& folder) {
  const RunProducts run(folder);
  for (const auto& make :
       {tau_sigma_section, luminosity_section, structure_function_section, coverage_section,
        sky_section, fit_quality_section, separations_section}) {
    const std::string text = all_text(make(run));
    INFO(text.substr(0, 2000));
    CHECK(text.find("nan") == std::string::npos);
    CHECK(text.find("inf ") == std::string::npos);
  }
}

}  // namespace

TEST_CASE("the structure function of a known process is found within its errors", "[report]") {
  const Folder folder;
  write_run(folder.path(), curves_of(300, 60, 1));
  const Section section = structure_function_section(RunProducts(folder.path()));
  const plot::Figure& f = section.figures.at(0);
  CHECK(f.x.label == "lag (d), rest frame");
  const auto& points = layer<plot::Points>(f, "ztf.g");
  REQUIRE(points.x.size() >= 10);
  for (std::size_t i = 0; i < points.x.size(); ++i) {
    const double expected = std::sqrt(drw_sf_squared(kSigma, kTau, points.x[i]));
    INFO("lag " << points.x[i] << ": " << points.y[i] << ", expected " << expected);
    const double error = points.y_high[i] - points.y[i];
    CHECK(std::abs(points.y[i] - expected) < 4 * error + 0.02 * expected);
    CHECK(error < 0.3 * expected);
  }
  const auto& model = layer<plot::Line>(f, "ztf.g, median fit");
  CHECK(model.y[0] == Approx(std::sqrt(drw_sf_squared(kSigma, kTau, model.x[0]))));
  CHECK_THAT(f.caption, Contains("300 of 300 objects"));
}

TEST_CASE("errors of the structure function are those between samples", "[report]") {
  std::mt19937_64 random(5);
  double sum = 0, squares = 0, told = 0;
  const int samples = 60;
  for (int s = 0; s < samples; ++s) {
    EnsembleSf sf;
    for (std::size_t i = 0; i < 100; ++i) {
      sf.add(simulate(30, kSigma, kTau, 19, kError, random), i);
    }
    const SfPoint last = sf.points().back();
    sum += last.sf;
    squares += last.sf * last.sf;
    told += last.error / samples;
  }
  const double scatter = std::sqrt(squares / samples - sum / samples * sum / samples);
  CHECK(told == Approx(scatter).epsilon(0.35));
}

TEST_CASE("objects of two sources have no part in structure functions", "[report]") {
  const Folder folder;
  const auto curves = curves_of(20, 40, 1);
  write_run(folder.path(), curves);
  std::vector<double> flags = all(20, 0);
  flags[0] = 8388608;
  Table(ids_to(20))
      .add("z", all(20, kZ))
      .add("log_sigma", all(20, std::log(kSigma)))
      .add("log_tau", all(20, std::log(kTau)))
      .add("n_epochs", all(20, 40))
      .add("flags", flags)
      .write(folder.path() / "a_fit_ztf_g.fits", "fit.ztf.g");
  const Section section = structure_function_section(RunProducts(folder.path()));
  CHECK_THAT(section.figures.at(0).caption, Contains("1 flagged as two sources left out"));
}

TEST_CASE("residuals of true parameters are standard normal, their transform uniform", "[report]") {
  const Folder folder;
  write_run(folder.path(), curves_of(200, 50, 1));
  const RunProducts run(folder.path());
  const auto loo = loo_residuals(fits_of(run).at(0), run);
  REQUIRE(loo);
  CHECK(loo->objects == 200);
  REQUIRE(loo->standardised.size() == 10000);
  double squares = 0;
  for (const double r : loo->standardised) squares += r * r;
  CHECK(squares / 10000 == Approx(1).epsilon(0.05));

  const Section section = fit_quality_section(run);
  const auto& pit = layer<plot::Steps>(figure(section, "pit"), "fit ztf.g");
  REQUIRE(pit.counts.size() == 20);
  double chi2 = 0;
  for (const double density : pit.counts) chi2 += 500 * (density - 1) * (density - 1);
  CHECK(chi2 < 45);  // 19 degrees of freedom: 1 in 1000 is above 43.8
  CHECK_THAT(section.tables.at(0).rows.at(0).at(0), Contains("fit ztf.g"));
}

TEST_CASE("errors that are too small show in the transform and as missing error", "[report]") {
  const Folder folder;
  write_run(folder.path(), curves_of(200, 50, 0.4));
  const Section section = fit_quality_section(RunProducts(folder.path()));
  const auto& pit = layer<plot::Steps>(figure(section, "pit"), "fit ztf.g");
  CHECK(pit.counts.front() > 1.3);
  CHECK(pit.counts.back() > 1.3);
  CHECK_THAT(section.tables.at(0).rows.at(0).at(1), Contains("a_ztf_lc.fits"));
}

TEST_CASE("residuals need the epochs that were fitted", "[report]") {
  const Folder folder;
  std::vector<LightCurve> curves = curves_of(10, 30, 1);
  write_run(folder.path(), curves);
  // A product later in the chain, from which a filter took epochs after the fit.
  for (LightCurve& c : curves) c.time.pop_back(), c.mag.pop_back(), c.mag_err.pop_back();
  Table(ids_to(10))
      .add_curves("g", curves)
      .history({"stage lc = fits-sink (fits-sink 0.1.0)", "stage cut = drop-epochs", "stage b"})
      .write(folder.path() / "b_ztf_lc.fits", "ztf");
  const RunProducts run(folder.path());
  CHECK(curve_products(run, "ztf.g").at(0)->file.filename() == "b_ztf_lc.fits");
  const auto loo = loo_residuals(fits_of(run).at(0), run);
  REQUIRE(loo);
  CHECK(loo->curves->file.filename() == "a_ztf_lc.fits");
  CHECK(loo->other_epochs == 0);
}

TEST_CASE("arrays of different lengths are an error that says where", "[report]") {
  const Folder folder;
  const std::filesystem::path file = folder.path() / "a_ztf_lc.fits";
  std::vector<LightCurve> curves = curves_of(3, 5, 1);
  Table(ids_to(3)).add_curves("g", curves).write(file, "ztf");
  // The second row's descriptor of magnitudes says 4 in place of 5.
  const RunProducts run(folder.path());
  {
    std::fstream fits(file, std::ios::in | std::ios::out | std::ios::binary);
    fits.seekp(static_cast<std::streamoff>(first_data_byte(file) + 32 + 8 + 8));
    fits.write("\0\0\0\4", 4);
  }
  const std::vector<std::uint64_t> rows{0, 1, 2};
  CHECK_THROWS_WITH(
      each_curve(run.products()[0], "ztf.g", rows, [](std::size_t, const LightCurve&) {}),
      Contains("a_ztf_lc.fits: row 2: column 'mag_g' has 4 epochs, but 'mjd_g' has 5"));
}

TEST_CASE("runs with little or nothing make no wrong text and no error", "[report]") {
  const Folder folder;
  SECTION("nothing") {}
  SECTION("one object") {
    write_run(folder.path(), curves_of(1, 30, 1));
  }
  SECTION("light curves without epochs") {
    Table(ids_to(3))
        .add_curves("g", std::vector<LightCurve>(3))
        .write(folder.path() / "a_ztf_lc.fits", "ztf");
  }
  SECTION("NaN everywhere") {
    const std::size_t n = 20;
    std::vector<LightCurve> curves = curves_of(n, 10, 1);
    for (LightCurve& c : curves) std::ranges::fill(c.mag, kNan);
    Table(ids_to(n)).add_curves("g", curves).write(folder.path() / "a_ztf_lc.fits", "ztf");
    Table(ids_to(n))
        .add("log_sigma", all(n, kNan))
        .add("log_tau", all(n, kNan))
        .add("n_epochs", all(n, kNan))
        .add("flags", all(n, kNan))
        .write(folder.path() / "a_fit_ztf_g.fits", "fit.ztf.g");
    Table(ids_to(n))
        .add("ra", all(n, kNan))
        .add("dec", all(n, kNan))
        .add("z", all(n, kNan))
        .add("m_i", all(n, kNan))
        .add("match_separation", all(n, kNan))
        .write(folder.path() / "a_catalog.fits", "catalog");
  }
  SECTION("equal everywhere") {
    const std::size_t n = 700;
    Table(ids_to(n))
        .add("z", all(n, 1))
        .add("log_sigma", all(n, -2))
        .add("log_tau", all(n, 5))
        .add("n_epochs", all(n, 50))
        .add("flags", all(n, 0))
        .add("baseline", all(n, 500))
        .write(folder.path() / "a_fit_ztf_g.fits", "fit.ztf.g");
    Table(ids_to(n))
        .add("ra", all(n, 10))
        .add("dec", all(n, 10))
        .add("z", all(n, 1))
        .add("m_i", all(n, -25))
        .add("match_separation", all(n, 0))
        .write(folder.path() / "a_catalog.fits", "catalog");
  }
  check_all_sections(folder.path());
}
