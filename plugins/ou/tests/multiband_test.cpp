// The multi-band likelihood against itself: with one band, left-out epochs, and differences.
#include <hwy/targets.h>
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "multiband_likelihood.hpp"
#include "multiband_simulate.hpp"

using namespace ou::multiband;

namespace {

constexpr double kNone = -std::numeric_limits<double>::infinity();
constexpr Mean kMeans[] = {Mean::Given, Mean::Profiled, Mean::Marginal};

// M or M2.
struct Model {
  Parameters at;
  Incoherent incoherent{};
  bool is_m2 = false;
  Evaluation evaluate(const Series& s, Mean mean, Want want) const {
    return is_m2 ? ou::multiband::evaluate(s, at, incoherent, mean, want)
                 : ou::multiband::evaluate(s, at, mean, want);
  }
  LeaveOneOut leave_one_out(const Series& s, Mean mean,
                            std::span<const std::uint8_t> ignored = {}) const {
    return is_m2 ? ou::multiband::leave_one_out(s, at, incoherent, mean, ignored)
                 : ou::multiband::leave_one_out(s, at, mean, ignored);
  }
};

simulate::BandsTruth small_truth() {
  simulate::BandsTruth truth;
  truth.epochs = {14, 12, 5, 5, 5};
  return truth;
}

Series small_series() {
  return simulate::series(simulate::bands(4, small_truth()), 5);
}

std::vector<Model> models() {
  Parameters plain = simulate::parameters({});
  Parameters full = plain;
  full.lag = {0, 2.5, 0, -1.25, 0.75};
  for (std::size_t b = 0; b < 5; ++b)
    full.ln_jitter[b] = std::log(0.01 + 0.005 * static_cast<double>(b));
  Incoherent incoherent{std::log(20.0), {}};
  for (std::size_t b = 0; b < 5; ++b)
    incoherent.ln_ratio[b] = std::log(0.2 + 0.1 * static_cast<double>(b));
  return {{plain}, {full}, {plain, incoherent, true}, {full, incoherent, true}};
}

template <class Check>
void on_every_target(const Check& check) {
  for (const auto target : hwy::SupportedAndGeneratedTargets()) {
    INFO(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    check();
  }
  hwy::SetSupportedTargetsForTest(0);
}

void check_gradient(const Gradient& a, const Gradient& b, double precision) {
  CHECK(std::abs(a.ln_tau - b.ln_tau) < precision);
  CHECK(std::abs(a.incoherent.ln_tau - b.incoherent.ln_tau) < precision);
  for (std::size_t k = 0; k < kMostBands; ++k) {
    INFO("band " << k);
    CHECK(std::abs(a.ln_sigma[k] - b.ln_sigma[k]) < precision);
    CHECK(std::abs(a.lag[k] - b.lag[k]) < precision);
    CHECK(std::abs(a.ln_jitter[k] - b.ln_jitter[k]) < precision);
    CHECK(std::abs(a.incoherent.ln_ratio[k] - b.incoherent.ln_ratio[k]) < precision);
  }
}

}  // namespace

TEST_CASE("one band is the likelihood of a single band") {
  const ou::Curve curve = simulate::curve(150, 2);
  const ou::Series one = ou::make_series(curve.time, curve.mag, curve.mag_err, 18.1);
  const std::vector<std::uint8_t> band(curve.size(), 0);
  const Series s = make_series(1, curve.time, band, curve.mag, curve.mag_err, {18.1}).series;
  const ou::Mean same[] = {ou::Mean::Fixed, ou::Mean::Profiled, ou::Mean::Marginal};
  for (const double jitter : {0.0, 0.02}) {
    for (int k = 0; k < 3; ++k) {
      INFO("jitter " << jitter << ", mean " << k);
      const ou::Parameters p{std::log(0.17), std::log(90.0), std::log(jitter)};
      Parameters all;
      all.ln_tau = p.ln_tau;
      all.ln_sigma[0] = p.ln_sigma;
      all.ln_jitter[0] = p.ln_jitter;
      const auto want = jitter > 0 ? ou::Want::GradientWithJitter : ou::Want::Gradient;
      const ou::Evaluation a = ou::evaluate(one, p, same[k], want);
      const Evaluation b = evaluate(s, all, kMeans[k], Want::Gradient);
      CHECK(b.loglike == Approx(a.loglike).epsilon(1e-10));
      CHECK(b.mean[0] == Approx(a.mean).epsilon(1e-10));
      CHECK(b.chi2 == Approx(a.chi2).epsilon(1e-10));
      CHECK(b.gradient.ln_sigma[0] == Approx(a.gradient[0]).epsilon(1e-10));
      CHECK(b.gradient.ln_tau == Approx(a.gradient[1]).epsilon(1e-10));
      if (jitter > 0) CHECK(b.gradient.ln_jitter[0] == Approx(a.gradient[2]).epsilon(1e-10));
      if (jitter == 0) CHECK(b.gradient.ln_jitter[0] == 0);

      std::vector<std::uint8_t> ignored(curve.size(), 0);
      ignored[3] = ignored[70] = 1;
      const ou::LeaveOneOut first = ou::leave_one_out(one, p, same[k], ignored);
      const LeaveOneOut second = leave_one_out(s, all, kMeans[k], ignored);
      CHECK(second.loglike == Approx(first.loglike).epsilon(1e-10));
      for (std::size_t i = 0; i < curve.size(); ++i) {
        CHECK(second.mean[i] == Approx(first.mean[i]).epsilon(1e-10));
        CHECK(second.var[i] == Approx(first.var[i]).epsilon(1e-10));
        CHECK(second.logpdf[i] == Approx(first.logpdf[i]).epsilon(1e-10).margin(1e-10));
      }
      std::vector<double> times, since;
      for (int i = -3; i < 30; ++i) times.push_back(curve.time[0] + 70.0 * i);
      for (const double t : times) since.push_back(t - curve.time[0]);
      const ou::Predicted curve_of_one = ou::predict_at(one, ignored, since, p, same[k]);
      const Predicted curve_of_all = predict_at(s, ignored, times, 0, all, kMeans[k]);
      for (std::size_t i = 0; i < times.size(); ++i) {
        CHECK(curve_of_all.mean[i] == Approx(curve_of_one.mean[i]).epsilon(1e-10));
        CHECK(curve_of_all.var[i] == Approx(curve_of_one.var[i]).epsilon(1e-10));
      }
    }
  }
}

TEST_CASE("epochs in any order give the same bits, ties included") {
  simulate::Bands b = simulate::bands(4, small_truth());
  for (std::size_t i = 1; i < b.time.size(); i += 3) b.time[i] = b.time[i - 1];
  for (const Model& m : models()) {
    const Evaluation expected =
        m.evaluate(simulate::series(b, 5), Mean::Marginal, Want::GradientWithLags);
    simulate::Random random(3);
    for (int round = 0; round < 5; ++round) {
      simulate::Bands mixed;
      std::vector<std::size_t> order(b.time.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      for (std::size_t i = order.size(); i-- > 1;)
        std::swap(order[i],
                  order[static_cast<std::size_t>(random.uniform() * static_cast<double>(i + 1))]);
      for (const std::size_t i : order) {
        mixed.time.push_back(b.time[i]);
        mixed.band.push_back(b.band[i]);
        mixed.mag.push_back(b.mag[i]);
        mixed.mag_err.push_back(b.mag_err[i]);
      }
      const Evaluation e =
          m.evaluate(simulate::series(mixed, 5), Mean::Marginal, Want::GradientWithLags);
      CHECK(e.loglike == expected.loglike);
      CHECK(e.gradient.lag == expected.gradient.lag);
      CHECK(e.gradient.ln_sigma == expected.gradient.ln_sigma);
    }
  }
}

TEST_CASE("leave-one-out is leaving out, with means of each kind") {
  const Series s = small_series();
  int which = 0;
  for (const Model& m : models()) {
    for (const Mean mean : kMeans) {
      INFO("model " << which << ", mean " << static_cast<int>(mean));
      const LeaveOneOut loo = m.leave_one_out(s, mean);
      CHECK(loo.loglike == Approx(m.evaluate(s, mean, Want::Value).loglike).epsilon(1e-12));
      for (std::size_t i = 0; i < s.size(); ++i) {
        std::vector<std::uint8_t> ignored(s.size(), 0);
        ignored[i] = 1;
        const double rest = m.evaluate(without(s, ignored), mean, Want::Value).loglike;
        CHECK(loo.loglike_without[i] == Approx(rest).epsilon(1e-10));
        const LeaveOneOut unused = m.leave_one_out(s, mean, ignored);
        CHECK(unused.loglike == Approx(rest).epsilon(1e-10));
        CHECK(unused.mean[i] == Approx(loo.mean[i]).epsilon(1e-10));
        CHECK(unused.var[i] == Approx(loo.var[i]).epsilon(1e-9));
        CHECK(unused.logpdf[i] == Approx(loo.logpdf[i]).epsilon(1e-9).margin(1e-9));
        CHECK(unused.loglike_without[i] == unused.loglike);
      }
    }
    ++which;
  }
}

TEST_CASE("gradients are those of differences, for each kind of mean") {
  const Series s = small_series();
  constexpr double kStep = 1e-4;
  for (const Model& m : models()) {
    for (const Mean mean : kMeans) {
      const auto slope = [&](const auto& member) {
        const auto at = [&](double by) {
          Model moved = m;
          member(moved) += by;
          return moved.evaluate(s, mean, Want::Value).loglike;
        };
        return (8 * (at(kStep) - at(-kStep)) - (at(2 * kStep) - at(-2 * kStep))) / (12 * kStep);
      };
      Gradient expected;
      expected.ln_tau = slope([](Model& x) -> double& { return x.at.ln_tau; });
      for (std::size_t b = 0; b < 5; ++b) {
        expected.ln_sigma[b] = slope([&](Model& x) -> double& { return x.at.ln_sigma[b]; });
        expected.lag[b] = slope([&](Model& x) -> double& { return x.at.lag[b]; });
        if (m.at.ln_jitter[b] != kNone)
          expected.ln_jitter[b] = slope([&](Model& x) -> double& { return x.at.ln_jitter[b]; });
        if (m.is_m2)
          expected.incoherent.ln_ratio[b] =
              slope([&](Model& x) -> double& { return x.incoherent.ln_ratio[b]; });
      }
      if (m.is_m2)
        expected.incoherent.ln_tau = slope([](Model& x) -> double& { return x.incoherent.ln_tau; });
      check_gradient(m.evaluate(s, mean, Want::GradientWithLags).gradient, expected, 1e-7);
    }
  }
}

TEST_CASE("all bands: lanes agree with one evaluation after another on every instruction set") {
  const Series s = small_series();
  std::vector<Parameters> trials;
  std::vector<Incoherent> incoherent;
  for (const double sigma : {0.001, 0.1, 3.0, 100.0}) {
    for (const double tau : {0.1, 8.0, 300.0, 1e4}) {
      for (const double lag : {0.0, 0.0, 3.0}) {
        Parameters p;
        p.ln_tau = std::log(tau);
        p.ln_sigma.fill(std::log(sigma));
        p.lag[1] = lag;
        trials.push_back(p);
        incoherent.push_back({std::log(10.0), {}});
      }
    }
  }
  for (const Mean mean : kMeans) {
    for (const bool m2 : {false, true}) {
      std::vector<Evaluation> expected;
      for (std::size_t k = 0; k < trials.size(); ++k)
        expected.push_back(
            Model{trials[k], incoherent[k], m2}.evaluate(s, mean, Want::GradientWithLags));
      on_every_target([&] {
        const auto found = m2 ? evaluate_all(s, trials, incoherent, mean, Want::GradientWithLags)
                              : evaluate_all(s, trials, mean, Want::GradientWithLags);
        for (std::size_t k = 0; k < trials.size(); ++k) {
          INFO("trial " << k << ", mean " << static_cast<int>(mean) << ", M2 " << m2);
          const double scale = 1 + std::abs(expected[k].loglike) + expected[k].chi2;
          // Where sigma is thousands of times the errors, M2 and the information on the means
          // lose digits.
          const bool extreme = trials[k].ln_sigma[0] > 4;
          const double precision = (!extreme ? 1e-11 : m2 ? 1e-7 : 1e-10) * scale;
          CHECK(std::abs(found[k].loglike - expected[k].loglike) < precision);
          if (!m2 || !extreme)
            check_gradient(found[k].gradient, expected[k].gradient, 100 * precision);
        }
      });
    }
  }
}

TEST_CASE("bands without epochs or with a single one are harmless") {
  simulate::BandsTruth truth = small_truth();
  truth.epochs = {14, 0, 1, 1, 0};
  truth.sigma.push_back(0.1);
  const Series s = simulate::series(simulate::bands(4, truth), 6);
  for (Model m : models()) {
    for (const Mean mean : kMeans) {
      const Evaluation e = m.evaluate(s, mean, Want::GradientWithLags);
      CHECK(std::isfinite(e.loglike));
      for (const std::size_t b : {1, 4, 5}) {
        CHECK(e.mean[b] == s.reference[b]);
        CHECK(e.mean_var[b] == (mean == Mean::Given ? 0 : std::numeric_limits<double>::infinity()));
        CHECK(e.gradient.ln_sigma[b] == 0);
        CHECK(e.gradient.ln_jitter[b] == 0);
        CHECK(e.gradient.lag[b] == 0);
        CHECK(e.gradient.incoherent.ln_ratio[b] == 0);
      }
      const LeaveOneOut loo = m.leave_one_out(s, mean);
      for (std::size_t i = 0; i < s.size(); ++i) {
        const bool known = mean == Mean::Given || s.band[i] == 0;
        CHECK(std::isfinite(loo.mean[i]) == known);
        CHECK(std::isfinite(loo.var[i]) == known);
        CHECK(std::isfinite(loo.logpdf[i]) == known);
        std::vector<std::uint8_t> ignored(s.size(), 0);
        ignored[i] = 1;
        CHECK(loo.loglike_without[i] ==
              Approx(m.evaluate(without(s, ignored), mean, Want::Value).loglike).epsilon(1e-10));
      }
      // The band's parameters do not act.
      m.at.ln_sigma[1] = 7;
      CHECK(m.evaluate(s, mean, Want::Value).loglike == Approx(e.loglike).epsilon(1e-13));
    }
  }
}

TEST_CASE("M2 without ratios is M, and with one damping time a sum of variances") {
  const Series s = small_series();
  for (const Mean mean : kMeans) {
    Model m{simulate::parameters({}), {std::log(5.0), {}}, true};
    m.incoherent.ln_ratio.fill(kNone);
    const Evaluation coherent = evaluate(s, m.at, mean, Want::Gradient);
    const Evaluation e = m.evaluate(s, mean, Want::Gradient);
    CHECK(e.loglike == Approx(coherent.loglike).epsilon(1e-11));
    check_gradient(e.gradient, coherent.gradient, 1e-8);
  }
  const ou::Curve c = simulate::curve(60, 2);
  const Series one =
      make_series(1, c.time, std::vector<std::uint8_t>(60, 0), c.mag, c.mag_err, {18.0}).series;
  Model m{{}, {std::log(90.0), {std::log(0.75)}}, true};
  m.at.ln_tau = std::log(90.0);
  m.at.ln_sigma[0] = std::log(0.2);
  Parameters all = m.at;
  all.ln_sigma[0] = std::log(0.25);
  for (const Mean mean : kMeans)
    CHECK(m.evaluate(one, mean, Want::Value).loglike ==
          Approx(evaluate(one, all, mean, Want::Value).loglike).epsilon(1e-11));
}

TEST_CASE("the prediction of a band at the time of an epoch is that of the epoch less its noise") {
  const Series s = small_series();
  for (const Model& m : models()) {
    for (const Mean mean : kMeans) {
      for (const std::size_t i : {std::size_t{0}, std::size_t{7}, s.size() - 1}) {
        std::vector<std::uint8_t> ignored(s.size(), 0);
        ignored[i] = 1;
        const std::size_t b = s.band[i];
        const LeaveOneOut loo = m.leave_one_out(s, mean);
        const std::vector<double> time{s.time[i]};
        const Predicted p = m.is_m2 ? predict_at(s, ignored, time, b, m.at, m.incoherent, mean)
                                    : predict_at(s, ignored, time, b, m.at, mean);
        CHECK(p.mean[0] == Approx(loo.mean[i]).epsilon(1e-10));
        const double noise = s.var[i] + std::exp(2 * m.at.ln_jitter[b]);
        CHECK(p.var[0] == Approx(loo.var[i] - noise).epsilon(1e-8));
      }
    }
  }
}
