// The population behind objects of which each is known by nodes only, as products hold them.
#include "relate/hierarchical.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>
#include <random>

#include "relate/robust.hpp"

namespace {

using namespace qsohost::cli;
using std::numbers::ln10;

const PosteriorSetup kSetup{true, std::log(0.1), std::log(1e4)};

// Of an object whose light curve says ln D = d +- d_err and ln tau = t +- t_err: 16 slices of tau
// with Gauss's rule of 4 points along sigma.
struct Object {
  double x, d, d_err, t, t_err;
};

struct Nodes {
  std::vector<double> ln_sigma, ln_tau, ln_weight;
};

Nodes nodes_of(const Object& o, double by_prior) {
  constexpr std::array<double, 4> kAt{-2.334414, -0.741964, 0.741964, 2.334414};
  constexpr std::array<double, 4> kWeight{0.0458759, 0.4541241, 0.4541241, 0.0458759};
  Nodes out;
  const double low = std::max(o.t - 3.5 * o.t_err, kSetup.ln_tau_min);
  const double high = std::min(o.t + 3.5 * o.t_err, kSetup.ln_tau_max);
  for (int k = 0; k < 16; ++k) {
    const double t = low + (high - low) * k / 15, off = (t - o.t) / o.t_err;
    for (std::size_t j = 0; j < 4; ++j) {
      const double s = (o.d + kAt[j] * o.d_err + t) / 2;
      out.ln_sigma.push_back(s);
      out.ln_tau.push_back(t);
      out.ln_weight.push_back(std::log(kWeight[j] * (k % 15 == 0 ? 0.5 : 1)) - off * off / 2 +
                              by_prior * (s + t));
    }
  }
  return out;
}

// log D = -3.8 - 1.2 (x - 46), scatter 0.35 dex; ln tau about 5 with scatter 0.6. Objects vary from
// hardly to strongly in what their light curves tell.
std::vector<Object> objects_of(std::uint32_t seed, std::size_t n) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<Object> out;
  for (std::size_t i = 0; i < n; ++i) {
    const double x = 46 + 0.5 * normal(random);
    const double d = ln10 * (-3.8 - 1.2 * (x - 46) + 0.35 * normal(random));
    const double t = 5 + 0.6 * normal(random);
    const double d_err = 0.3 + 0.7 * static_cast<double>(i % 10) / 10;
    const double t_err = 0.4 + static_cast<double>(i % 7) / 7;
    out.push_back({x, d + d_err * normal(random), d_err, t + t_err * normal(random), t_err});
  }
  return out;
}

HierarchicalFit fit_of(const std::vector<Object>& objects, bool is_log_uniform = true) {
  PosteriorSetup setup = kSetup;
  setup.is_log_uniform = is_log_uniform;
  PosteriorNodes nodes(kLogD, kLogTau);
  std::vector<std::vector<double>> x(1);
  std::vector<double> y, t;
  for (const Object& o : objects) {
    const Nodes n = nodes_of(o, is_log_uniform ? 0 : 1);
    nodes.add(setup, n.ln_sigma, n.ln_tau, n.ln_weight);
    x[0].push_back(o.x);
    y.push_back(o.d / ln10);
    t.push_back(o.t / ln10);
  }
  return fit_population(nodes, x, y, t);
}

}  // namespace

TEST_CASE("the population is found from nodes, whatever their prior") {
  const std::vector<Object> objects = objects_of(5, 1500);
  for (const bool is_log_uniform : {true, false}) {
    const HierarchicalFit fit = fit_of(objects, is_log_uniform);
    INFO("log-uniform " << is_log_uniform);
    CHECK(fit.has_converged);
    CHECK(fit.y.slope[0] == Approx(-1.2).margin(2.5 * fit.y.slope_err[0]));
    CHECK(fit.y.scatter == Approx(0.35).margin(2.5 * fit.y.scatter_err));
    CHECK(fit.y.intercept + fit.y.slope[0] * (46 - fit.centre[0]) ==
          Approx(-3.8).margin(2.5 * fit.y.intercept_err));
    CHECK(fit.partner.intercept == Approx(5 / ln10).margin(2.5 * fit.partner.intercept_err));
    CHECK(fit.partner.slope[0] == Approx(0).margin(2.5 * fit.partner.slope_err[0]));
    CHECK(fit.partner.scatter == Approx(0.6 / ln10).margin(2.5 * fit.partner.scatter_err));
    CHECK(fit.correlation == Approx(0).margin(2.5 * fit.correlation_err));
    CHECK(fit.y.slope_err[0] < 0.03);
  }
}

TEST_CASE("errors of the population are those of a bootstrap") {
  const std::vector<Object> objects = objects_of(7, 300);
  const HierarchicalFit fit = fit_of(objects);
  std::mt19937 random(11);
  std::uniform_int_distribution<std::size_t> any(0, objects.size() - 1);
  std::vector<double> slopes, scatters;
  for (int sample = 0; sample < 150; ++sample) {
    std::vector<Object> drawn;
    for (std::size_t i = 0; i < objects.size(); ++i) drawn.push_back(objects[any(random)]);
    const HierarchicalFit again = fit_of(drawn);
    slopes.push_back(again.y.slope[0]);
    scatters.push_back(again.y.scatter);
  }
  const auto sd = [](const std::vector<double>& values) {
    double mean = 0, square = 0;
    for (const double v : values) mean += v / static_cast<double>(values.size());
    for (const double v : values) square += (v - mean) * (v - mean);
    return std::sqrt(square / static_cast<double>(values.size() - 1));
  };
  CHECK(fit.y.slope_err[0] / sd(slopes) == Approx(1).margin(0.2));
  CHECK(fit.y.scatter_err / sd(scatters) == Approx(1).margin(0.2));
}

TEST_CASE("a node stands for a cell that ends at the bounds of tau") {
  PosteriorNodes nodes(kLogTau, kLogD);
  const double low = kSetup.ln_tau_min;
  const std::vector<double> s{0, 0, 0}, t{low, low + 0.4, low + 1}, w{-1, -1, -1};
  REQUIRE(nodes.add(kSetup, s, t, w));
  CHECK_FALSE(nodes.add(kSetup, {}, {}, {}));
  CHECK(nodes.size() == 1);
  REQUIRE(nodes.of(0).size() == 3);
  const auto first = nodes.of(0)[0], middle = nodes.of(0)[1];
  CHECK(first.steps == 2);  // 0.2 wide
  CHECK(first.y == Approx((low + 0.05) / ln10));
  CHECK(middle.steps == 4);  // from 0.2 to 0.7
  CHECK(middle.y_step == Approx(0.125 / ln10));
  CHECK(middle.ln_weight == Approx(-1 - std::log(4)));
}

TEST_CASE("two identical bands of each object do not halve the errors") {
  const std::vector<Object> objects = objects_of(9, 200);
  PosteriorNodes once(kLogD, kLogTau), twice(kLogD, kLogTau);
  std::vector<double> x, y, t;
  std::vector<std::size_t> cluster;
  for (int band = 0; band < 2; ++band) {
    for (std::size_t i = 0; i < objects.size(); ++i) {
      const Nodes n = nodes_of(objects[i], 0);
      twice.add(kSetup, n.ln_sigma, n.ln_tau, n.ln_weight);
      if (band == 0) once.add(kSetup, n.ln_sigma, n.ln_tau, n.ln_weight);
      x.push_back(objects[i].x);
      y.push_back(objects[i].d / ln10);
      t.push_back(objects[i].t / ln10);
      cluster.push_back(i);
    }
  }
  const HierarchicalFit both = fit_population(twice, {x}, y, t, cluster);
  for (auto* values : {&x, &y, &t}) values->resize(objects.size());
  const HierarchicalFit single = fit_population(once, {x}, y, t);
  CHECK(both.y.slope[0] == Approx(single.y.slope[0]).margin(1e-3));
  CHECK(both.y.slope_err[0] == Approx(single.y.slope_err[0]).epsilon(0.02));
}
