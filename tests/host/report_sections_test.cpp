// What the sections of the report draw of the products of fits and of catalogues.
#include <algorithm>
#include <numbers>
#include <numeric>

#include "report/object_columns.hpp"
#include "report/plot_parts.hpp"
#include "report/sections.hpp"
#include "report_fixture.hpp"

using namespace qsohost;
using namespace qsohost::cli;
using namespace report_test;
using Catch::Contains;

namespace {

const std::vector<std::string> kHistory{"stage loo = ou-loo (ou 0.1.0)",
                                        "loo.sigma_bounds = [0.001, 100.0]",
                                        "loo.tau_bounds = [0.1, 10000.0]"};

// A fit in the rest frame as ou-loo writes it.
Table fit_table(const std::vector<std::int64_t>& ids, const std::vector<double>& log_sigma,
                const std::vector<double>& log_tau, const std::vector<double>& z) {
  Table table(ids);
  table.add("z", z)
      .add("log_sigma_post", log_sigma)
      .add("log_tau_post", log_tau, "ln of tau in d, epochs kept; rest frame")
      .add("n_epochs", all(ids.size(), 50))
      .history(kHistory);
  return table;
}

std::vector<double> uniform(std::size_t n, double low, double high, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> value(low, high);
  std::vector<double> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(value(random));
  return out;
}

}  // namespace

TEST_CASE("time scales: fits, flagged fits and those at a bound are drawn apart", "[report]") {
  const Folder folder;
  const double ln10 = std::numbers::ln10;
  // Usual, flagged (a constant is preferred), tau at its upper bound, not fitted, without z.
  fit_table(ids_to(5), {-2, -3, -1, kNan, -2.5}, {2 * ln10, 1 * ln10, 4 * ln10, kNan, 1.5 * ln10},
            {1, 1, 1, 1, kNan})
      .add("flags", {131072, 524288, 0, 1, 0})
      .add("baseline", all(5, 2000))
      .add("median_cadence", all(5, 3))
      .write(folder.path() / "a_loo_ztf_g.fits", "loo.ztf.g");
  const Section section = tau_sigma_section(RunProducts(folder.path()));

  const plot::Figure& rest = figure(section, "tau-sigma-loo-ztf-g-rest");
  CHECK_THAT(layer<plot::Points>(rest, "fits").x, Catch::Approx(std::vector{2, 1.5}));
  CHECK_THAT(layer<plot::Points>(rest, "fits").y,
             Catch::Approx(std::vector{-2 / ln10, -2.5 / ln10}));
  CHECK_THAT(layer<plot::Points>(rest, "flagged").x, Catch::Approx(std::vector{1.0}));
  CHECK_THAT(layer<plot::Points>(rest, "at a bound").x, Catch::Approx(std::vector{4.0}));
  CHECK(layer<plot::Region>(rest, "baseline below 10 tau").x[0] == Approx(std::log10(200)));
  CHECK(layer<plot::Region>(rest, "tau below the cadence").x[1] == Approx(std::log10(3)));
  CHECK(layer<plot::Line>(rest, "bounds of the fit").x[0] == Approx(4));
  CHECK_THAT(rest.caption, Contains("4 of 5 objects"));

  const plot::Figure& observed = figure(section, "tau-sigma-loo-ztf-g-observed");
  CHECK_THAT(layer<plot::Points>(observed, "fits").x,
             Catch::Approx(std::vector{2 + std::log10(2)}));
  CHECK(layer<plot::Region>(observed, "baseline below 10 tau").x[0] == Approx(std::log10(400)));
  CHECK_THAT(observed.caption, Contains("Without z: 1"));
}

TEST_CASE("time scales: many fits become counts, none of them is lost", "[report]") {
  const Folder folder;
  const std::size_t n = 2000;
  fit_table(ids_to(n), uniform(n, -3, -1, 1), uniform(n, 3, 6, 2), all(n, 1))
      .add("flags", all(n, 0))
      .write(folder.path() / "a_loo_ztf_g.fits", "loo.ztf.g");
  const Section section = tau_sigma_section(RunProducts(folder.path()));
  const auto& counts = layer<plot::Density>(section.figures.at(0), "objects").counts;
  CHECK(std::accumulate(counts.begin(), counts.end(), 0.0) == n);
}

TEST_CASE("bands of a joint fit share tau", "[report]") {
  const Folder folder;
  Table(ids_to(2))
      .add("log_tau", {5, 6})
      .add("log_sigma_ztf_g", {-2, -2})
      .add("log_sigma_gaia_bp", {-3, -3})
      .write(folder.path() / "a_multi.fits", "multi");
  const Section section = tau_sigma_section(RunProducts(folder.path()));
  REQUIRE(section.figures.size() == 2);
  CHECK(section.figures[0].title == "multi ztf.g, rest frame");
  CHECK(section.figures[1].title == "multi gaia.bp, rest frame");
  CHECK(layer<plot::Points>(section.figures[0], "fits").x ==
        layer<plot::Points>(section.figures[1], "fits").x);
}

TEST_CASE("luminosity: joined by identifier, sentinels left out, the line is found", "[report]") {
  const Folder folder;
  const std::size_t n = 40;
  const std::vector<double> lbol = uniform(n, 44, 47, 3);
  std::vector<double> log_sigma;
  for (const double l : lbol) {
    log_sigma.push_back((std::numbers::ln10 * (-4 - 1.2 * (l - 46)) + 5) / 2);  // ln tau is 5
  }
  fit_table(ids_to(n), log_sigma, all(n, 5), uniform(n, 1, 3, 8))
      .add("flags", all(n, 0))
      .write(folder.path() / "a_loo_ztf_g.fits", "loo.ztf.g");
  // The catalogue is in another order; three have no luminosity.
  std::vector<std::int64_t> ids = ids_to(n);
  std::vector<double> values = lbol;
  values[3] = 0, values[4] = -999, values[5] = kNan;
  std::ranges::reverse(ids);
  std::ranges::reverse(values);
  Table(ids)
      .add("ra", all(n, 10))
      .add("dec", all(n, 0))
      .add("wushen_LOGLBOL", values)
      .write(folder.path() / "a_catalog.fits", "catalog");

  const Section section = luminosity_section(RunProducts(folder.path()));
  const plot::Figure& f = figure(section, "d-lbol-loo-ztf-g");
  const auto& points = layer<plot::Points>(f, "objects");
  REQUIRE(points.x.size() == n - 3);
  for (std::size_t i = 0; i < points.x.size(); ++i) {
    CHECK(points.y[i] == Approx(-4 - 1.2 * (points.x[i] - 46)));
  }
  CHECK_THAT(f.caption, Contains("37 of 40 objects, 3 fits without a value on the x axis"));
  CHECK_THAT(f.caption, Contains("slope -1.2 "));
  // ZTF's g is at 4746 Angstrom: z from 1 to 3 is 3.38 to 3.07 in the rest frame.
  const auto& medians = layer<plot::Points>(figure(section, "d-lambda"), "loo ztf.g");
  CHECK(std::ranges::min(medians.x) > 3.07);
  CHECK(std::ranges::max(medians.x) < 3.38);
}

TEST_CASE("luminosity: M_i takes the place of L_bol, fits at a bound stay out of the line",
          "[report]") {
  const Folder folder;
  const std::size_t n = 30;
  std::vector<double> log_sigma = all(n, -2);
  log_sigma[0] = log_sigma[1] = std::log(0.001);
  fit_table(ids_to(n), log_sigma, all(n, 5), all(n, 1))
      .add("flags", all(n, 0))
      .write(folder.path() / "a_loo_ztf_g.fits", "loo.ztf.g");
  Table(ids_to(n))
      .add("ra", all(n, 10))
      .add("dec", all(n, 0))
      .add("M_I", uniform(n, -27, -22, 4))
      .write(folder.path() / "a_catalog.fits", "catalog");
  const Section section = luminosity_section(RunProducts(folder.path()));
  const plot::Figure& f = figure(section, "d-mi-loo-ztf-g");
  CHECK(f.x.is_reversed);
  CHECK(layer<plot::Points>(f, "objects").x.size() == n - 2);
  CHECK(layer<plot::Points>(f, "at a bound").x.size() == 2);
}

TEST_CASE("fits in the observed frame take z from the catalogue; fits of one band are apart",
          "[report]") {
  const Folder folder;
  const std::size_t n = 40;
  const std::vector<double> z = uniform(n, 1, 3, 9);
  for (const std::string label : {"a", "b"}) {
    Table(ids_to(n))
        .add("z", all(n, kNan))
        .add("log_sigma", all(n, -2))
        .add("log_tau", all(n, 5), "ln of tau in d; observed frame")
        .add("n_epochs", all(n, 50))
        .add("flags", all(n, 0))
        .write(folder.path() / (label + "_ztf_g.fits"), label + ".ztf.g");
  }
  Table(ids_to(n))
      .add("ra", all(n, 10))
      .add("dec", all(n, 0))
      .add("Z", z)
      .write(folder.path() / "c_catalog.fits", "catalog");
  const RunProducts run(folder.path());

  const Section scales = tau_sigma_section(run);
  const double log_tau = 5 / std::numbers::ln10;
  for (const double x : layer<plot::Points>(figure(scales, "tau-sigma-a-ztf-g-observed"), "fits").x)
    CHECK(x == Approx(log_tau));
  const auto& rest = layer<plot::Points>(figure(scales, "tau-sigma-a-ztf-g-rest"), "fits").x;
  REQUIRE(rest.size() == n);
  for (std::size_t i = 0; i < n; ++i) CHECK(rest[i] == Approx(log_tau - std::log10(1 + z[i])));

  const Section d = luminosity_section(run);
  CHECK(figure(d, "d-z").title == "Medians of a");
  CHECK(figure(d, "d-z-2").title == "Medians of b");
  const auto& medians = layer<plot::Points>(figure(d, "d-z"), "a ztf.g");
  for (std::size_t i = 0; i < medians.x.size(); ++i) {  // D is larger by 1 + z in the rest frame
    const double expected = -4 / std::numbers::ln10 - log_tau + std::log10(1 + medians.x[i]);
    CHECK(medians.y[i] == Approx(expected).margin(1e-3));
  }
}

TEST_CASE("coverage counts all objects, those with light curves and those fitted", "[report]") {
  const Folder folder;
  std::vector<std::string> names;
  for (int i = 0; i < 10; ++i) names.push_back("J00" + std::to_string(i));
  std::vector<double> z = uniform(10, 0.5, 3, 5);
  z[9] = -999;
  Table(names)
      .add("ra", all(10, 10))
      .add("dec", all(10, 0))
      .add("z", z)
      .add("phot_g_mean_mag", uniform(10, 18, 20, 6))
      .write(folder.path() / "a_catalog.fits", "catalog");
  std::mt19937_64 random(1);
  Table(std::vector<std::string>{"J003", "J001", "J009"})
      .add_curves("g", std::vector<LightCurve>(3, simulate(20, 0.1, 100, 19, 0.02, random)))
      .write(folder.path() / "a_ztf_lc.fits", "ztf");
  Table(std::vector<std::string>{"J001", "J003"})
      .add("log_sigma", {-2, -2})
      .add("log_tau", {5, kNan})
      .add("n_epochs", {20, 20})
      .add("flags", {0, 8})
      .write(folder.path() / "a_fit_ztf_g.fits", "fit.ztf.g");
  const Section section = coverage_section(RunProducts(folder.path()));
  const plot::Figure& of_z = figure(section, "coverage-z");
  const auto sum = [&](const std::string& label) {
    const auto& counts = layer<plot::Steps>(of_z, label).counts;
    return std::accumulate(counts.begin(), counts.end(), 0.0);
  };
  CHECK(sum("all (9)") == 9);
  CHECK(sum("with light curves (2)") == 2);
  CHECK(sum("fitted (1)") == 1);
  CHECK_THAT(of_z.caption, Contains("1 of 10 objects"));
  CHECK_NOTHROW(figure(section, "coverage-mag"));
  CHECK_NOTHROW(figure(section, "coverage-epochs"));
}

TEST_CASE("separations: pairs by chance are estimated beyond half of the radius", "[report]") {
  const Folder folder;
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal(0, 0.1);
  std::uniform_real_distribution<double> area(0, 1);
  std::vector<double> separation;
  for (int i = 0; i < 5000; ++i) separation.push_back(std::hypot(normal(random), normal(random)));
  for (int i = 0; i < 1000; ++i) separation.push_back(2 * std::sqrt(area(random)));
  separation.push_back(kNan);
  const std::size_t n = separation.size();
  std::vector<double> n_matches = all(n, 1);
  n_matches[0] = n_matches[1] = 2;
  Table(ids_to(n))
      .add("ra", all(n, 10))
      .add("dec", all(n, 0))
      .add("match_separation", separation)
      .add("n_matches", n_matches)
      .history({"stage x = fits-crossmatch (fits-crossmatch 0.1.0)", "x.radius_arcsec = 2.0"})
      .write(folder.path() / "a_catalog.fits", "catalog");
  const Section section = separations_section(RunProducts(folder.path()));
  const plot::Figure& f = section.figures.at(0);
  // A bin at r of width 0.05 holds 1000 pairs 2 r 0.05 / 2^2 by chance.
  CHECK(layer<plot::Line>(f, "by chance").y[1] == Approx(1000 * 2 * 2 * 0.05 / 4).epsilon(0.08));
  CHECK_THAT(f.caption, Contains("6000 pairs within 2, 1 without a separation"));
  CHECK_THAT(f.caption, Contains("2 pairs are ambiguous"));
}

TEST_CASE("sky: positions that are none are counted", "[report]") {
  const Folder folder;
  Table(ids_to(4))
      .add("ra", {10, 20, kNan, 30})
      .add("dec", {0, 91, 0, -90})
      .write(folder.path() / "a_catalog.fits", "catalog");
  const Section section = sky_section(RunProducts(folder.path()));
  CHECK_THAT(section.figures.at(0).caption, Contains("2 of 4 objects"));
}

TEST_CASE("samples do not depend on the order of rows", "[report]") {
  const Folder folder;
  std::vector<std::int64_t> ids = ids_to(100);
  Table(ids).add("x", all(100, 0)).write(folder.path() / "a.fits", "a");
  std::ranges::reverse(ids);
  Table(ids).add("x", all(100, 0)).write(folder.path() / "b.fits", "b");
  const RunProducts run(folder.path());
  const auto a = sample_rows(run.products()[0], 10, 1), b = sample_rows(run.products()[1], 10, 1);
  REQUIRE(a.size() == 10);
  for (std::size_t i = 0; i < 10; ++i) CHECK(a[i] == 99 - b[9 - i]);
  CHECK(sample_rows(run.products()[0], 10, 2) != a);
  CHECK(sample_rows(run.products()[0], 1000, 1).size() == 100);
}

TEST_CASE("quantiles and counts in bins", "[report]") {
  CHECK(median({3, kNan, 1, 2}) == 2);
  CHECK(quantile({0, 10}, 0.16) == Approx(1.6));
  CHECK(std::isnan(median({kNan})));
  CHECK(histogram(std::vector<double>{0, 0.5, 1, 1.5, kNan}, equal_bins(0, 1, 2)) ==
        std::vector<double>{1, 2});
}
