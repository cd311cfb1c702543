#include <sys/resource.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>
#include <qsohost/plugin.hpp>
#include <qsohost/testing.hpp>
#include <random>

#include "binned.hpp"
#include "functions.hpp"

using qsohost::Harness;
using qsohost::LightCurve;

namespace {

double normal(std::mt19937_64& engine) {
  const auto uniform = [&] { return static_cast<double>(engine() >> 11) * 0x1p-53; };
  const double r = std::sqrt(-2 * std::log(1 - uniform()));
  return r * std::cos(2 * std::numbers::pi * uniform());
}

// A damped random walk: sigma 0.2 mag, tau 100 d, errors 0.03 mag, an epoch every few days.
LightCurve walk(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  LightCurve c;
  double t = 0, f = 0.2 * normal(engine);
  for (std::size_t i = 0; i < n; ++i) {
    const double dt = 1 + 8 * (static_cast<double>(engine() >> 11) * 0x1p-53);
    const double a = std::exp(-dt / 100);
    t += dt;
    f = a * f + 0.2 * std::sqrt(1 - a * a) * normal(engine);
    c.time.push_back(t);
    c.mag.push_back(18 + f + 0.03 * normal(engine));
    c.mag_err.push_back(0.03);
  }
  return c;
}

struct Pair {
  double lag, difference, noise;
};

std::vector<Pair> pairs_of(const LightCurve& c, double from, double to) {
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < c.size(); ++i) {
    for (std::size_t j = 0; j < c.size(); ++j) {
      const double lag = c.time[j] - c.time[i];
      if (i == j || lag < from || lag >= to) continue;
      pairs.push_back(
          {lag, c.mag[j] - c.mag[i], c.mag_err[i] * c.mag_err[i] + c.mag_err[j] * c.mag_err[j]});
    }
  }
  return pairs;
}

// Every value of a bin, from its definition.
sf::Bin direct(const LightCurve& c, double from, double to, sf::Estimator estimator) {
  const std::vector<Pair> pairs = pairs_of(c, from, to);
  const auto n = static_cast<double>(pairs.size());
  double lag = 0, squares = 0, noise = 0, spread = 0;
  std::vector<double> sorted;
  for (const Pair& p : pairs) {
    lag += p.lag / n;
    squares += p.difference * p.difference / n;
    noise += p.noise / n;
    sorted.push_back(p.difference);
  }
  for (const Pair& p : pairs)
    spread += std::pow(p.difference * p.difference - p.noise - (squares - noise), 2) / (n - 1);
  if (estimator == sf::Estimator::MeanSquare)
    return {pairs.size(), lag, squares - noise, std::sqrt(spread / n)};
  std::ranges::sort(sorted);
  const auto at = [&](double fraction) {
    const double place = fraction * (n - 1);
    const auto k = static_cast<std::size_t>(place);
    const double above = sorted[std::min(k + 1, sorted.size() - 1)];
    return sorted[k] + (place - static_cast<double>(k)) * (above - sorted[k]);
  };
  const double sigma = (at(0.75) - at(0.25)) / 1.3489795;
  return {pairs.size(), lag, sigma * sigma - noise, 2 * 1.1664 * sigma * sigma / std::sqrt(n)};
}

double result(Harness& h, const std::string& name, std::size_t row = 0) {
  return h.batch().objects().at("structure-function.ztf.g." + name).number(row);
}

}  // namespace

TEST_CASE("bins are those of a direct computation") {
  const LightCurve c = walk(150, 4);
  const std::vector<double> edges = sf::edges_between(2, 500, 9);
  CHECK(edges.front() == 2);
  CHECK(edges.back() == Approx(500));
  for (const auto estimator : {sf::Estimator::MeanSquare, sf::Estimator::Iqr}) {
    const auto bins = sf::bin_pairs(c.time, c.mag, c.mag_err, edges, estimator, 10);
    REQUIRE(bins.size() == 9);
    for (std::size_t k = 0; k < 9; ++k) {
      const sf::Bin expected = direct(c, edges[k], edges[k + 1], estimator);
      CHECK(bins[k].pairs == expected.pairs);
      CHECK(bins[k].lag == Approx(expected.lag));
      CHECK(bins[k].sf2 == Approx(expected.sf2).epsilon(1e-6));
      CHECK(bins[k].sf2_err == Approx(expected.sf2_err).epsilon(1e-6));
    }
  }
}

TEST_CASE("quartiles are those of sorted differences to the last bit") {
  const LightCurve smooth = walk(1300, 21);
  std::vector<LightCurve> curves(5, smooth);
  for (double& m : curves[1].mag) m = std::round(m * 100) / 100;  // many equal values
  curves[2].mag.assign(1300, 18);                                 // all equal
  for (std::size_t i = 7; i < 1300; i += 50) curves[3].mag[i] *= 1e9 * static_cast<double>(i);
  for (double& m : curves[4].mag) m = m < 18 ? 17 : 18;
  const std::vector<double> edges = sf::edges_between(1, 7000, 3);
  for (const LightCurve& c : curves) {
    const auto bins = sf::bin_pairs(c.time, c.mag, c.mag_err, edges, sf::Estimator::Iqr, 10);
    for (std::size_t k = 0; k < 3; ++k) {
      std::vector<double> sorted;
      double noise = 0;
      for (std::size_t i = 0; i < c.size(); ++i) {
        for (std::size_t j = i + 1; j < c.size(); ++j) {
          const double lag = c.time[j] - c.time[i];
          if (lag < edges[k] || lag >= edges[k + 1]) continue;
          sorted.push_back(c.mag[j] - c.mag[i]);
          noise += c.mag_err[i] * c.mag_err[i] + c.mag_err[j] * c.mag_err[j];
        }
      }
      std::ranges::sort(sorted);
      const auto n = static_cast<double>(sorted.size());
      const auto quantile = [&](double fraction) {
        const double place = fraction * (n - 1);
        const auto at = static_cast<std::size_t>(place);
        const double rest = place - std::floor(place);
        return rest == 0 ? sorted[at] : sorted[at] + rest * (sorted[at + 1] - sorted[at]);
      };
      const double sigma = 0.741301109 * (quantile(0.75) - quantile(0.25));
      INFO("curve " << &c - curves.data() << ", bin " << k << ", " << n << " pairs");
      CHECK(bins[k].pairs == sorted.size());
      CHECK(bins[k].sf2 == sigma * sigma - noise / n);
    }
  }
}

TEST_CASE("memory does not grow with the number of pairs") {
  const auto peak = [] {  // kB
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const LightCurve c = walk(5000, 2);
  const auto edges = sf::edges_between(1, 30000, 12);
  const auto before = peak();
  const auto bins = sf::bin_pairs(c.time, c.mag, c.mag_err, edges, sf::Estimator::Iqr, 20);
  CHECK(bins.back().pairs > 1000000);
  CHECK(peak() - before < 16 * 1024);  // pairs of 8 bytes: 100 MB
}

TEST_CASE("a stop is obeyed before the pairs are through") {
  const LightCurve c = walk(500, 3);
  const auto edges = sf::edges_between(1, 3000, 4);
  for (const auto estimator : {sf::Estimator::MeanSquare, sf::Estimator::Iqr}) {
    int asked = 0;
    const auto stop = [&] { return ++asked > 300; };
    CHECK(sf::bin_pairs(c.time, c.mag, c.mag_err, edges, estimator, 10, stop).empty());
    CHECK(asked == 301);
  }
}

TEST_CASE("on average it is that of the damped random walk, without the errors' share") {
  const std::vector<double> edges = sf::edges_between(5, 600, 6);
  for (const auto estimator : {sf::Estimator::MeanSquare, sf::Estimator::Iqr}) {
    std::vector<double> sum(6), lags(6);
    constexpr int kCurves = 150;
    for (int i = 0; i < kCurves; ++i) {
      const LightCurve c = walk(400, 100 + static_cast<std::uint64_t>(i));
      const auto bins = sf::bin_pairs(c.time, c.mag, c.mag_err, edges, estimator, 10);
      for (std::size_t k = 0; k < 6; ++k) {
        sum[k] += bins[k].sf2 / kCurves;
        lags[k] += bins[k].lag / kCurves;
      }
    }
    for (std::size_t k = 0; k < 6; ++k) {
      const double expected = 2 * 0.2 * 0.2 * -std::expm1(-lags[k] / 100);
      INFO("estimator " << static_cast<int>(estimator) << ", lag " << lags[k]);
      // The average of this number of curves scatters by 3.5 % at the longest lags.
      CHECK(sum[k] == Approx(expected).epsilon(0.12));
    }
  }
}

TEST_CASE("power law and saturation are recovered from bins that follow them") {
  std::vector<sf::Bin> power, saturating;
  for (double lag = 2; lag < 2000; lag *= 1.7) {
    power.push_back({100, lag, std::pow(0.3 * std::pow(lag / 365.25, 0.42), 2), 1e-4});
    saturating.push_back({100, lag, 0.09 * -std::expm1(-lag / 80), 1e-3});
  }
  power.push_back({3, 3000, std::nan(""), std::nan("")});
  const auto law = sf::fit_power_law(power);
  REQUIRE(law);
  CHECK(law->amplitude == Approx(0.3));
  CHECK(law->slope == Approx(0.42));
  const auto found = sf::fit_saturation(saturating);
  REQUIRE(found);
  CHECK(found->sf_inf == Approx(0.3).epsilon(1e-6));
  CHECK(found->ln_tau == Approx(std::log(80)).epsilon(1e-6));
  CHECK_FALSE(found->at_bound);
  const auto rising = sf::fit_saturation(std::span(power).first(5));
  REQUIRE(rising);
  CHECK(rising->sf_inf > 0);
  CHECK_FALSE(sf::fit_power_law(std::span(power).last(1)));
  CHECK_FALSE(sf::fit_saturation(std::span(saturating).first(2)));
}

TEST_CASE("the stage gives an array element per bin, a summary, and rest-frame lags") {
  const LightCurve good = walk(120, 9);
  LightCurve flat = good;
  flat.mag.assign(120, 18);
  Harness h("structure-function", {{"groups", R"(["ztf.g"])"}, {"bins", "8"}, {"lag_max", "300"}});
  h.light_curves("ztf.g", {good, walk(5, 1), flat});
  qsohost::Column& z = h.batch().objects().add({"z", qsohost::DType::F64, "", "redshift"});
  for (int i = 0; i < 3; ++i) z.append(1.0);
  h.run();
  const qsohost::Group& arrays = h.batch().group("structure-function.ztf.g");
  CHECK(arrays.slice(0).count == 8);
  CHECK(arrays.slice(1).count == 0);
  LightCurve rest = good;
  for (double& t : rest.time) t /= 2;
  const auto edges = sf::edges_between(1, 300, 8);
  for (std::size_t k = 0; k < 8; ++k) {
    const sf::Bin expected = direct(rest, edges[k], edges[k + 1], sf::Estimator::MeanSquare);
    CHECK(arrays.at("pairs").values<std::int64_t>()[k] ==
          static_cast<std::int64_t>(expected.pairs));
    if (expected.pairs >= 20 && expected.sf2 > 0)
      CHECK(arrays.at("sf").values<double>()[k] == Approx(std::sqrt(expected.sf2)));
  }
  CHECK(result(h, "n_epochs") == 120);
  CHECK(result(h, "slope") == Approx(0.4).margin(0.4));
  CHECK(result(h, "sf_inf") == Approx(0.28).margin(0.2));
  CHECK(result(h, "flags", 1) == 1);
  CHECK(static_cast<int>(result(h, "flags", 2)) == 16);
  CHECK(std::isnan(result(h, "sf_inf", 2)));
  CHECK_THROWS_WITH((Harness("structure-function", {{"groups", R"(["ztf.g"])"}, {"lag_max", "1"}})),
                    Catch::Contains("lag_max"));
}
