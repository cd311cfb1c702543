// The likelihood against dense algebra on every instruction set, and its gradient against
// differences.
#include <hwy/targets.h>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>

#include "dense.hpp"
#include "dho_likelihood.hpp"
#include "simulate.hpp"

using dho::Mean;
using dho::Parameters;
using dho::Series;
using dho::Trial;
using dho::Want;
using simulate::logs;

namespace {

constexpr Mean kMeans[] = {Mean::Fixed, Mean::Profiled, Mean::Marginal};

const Parameters kOscillators[] = {
    logs(0.15, 0.02, 0.05, 3),     // weakly damped
    logs(0.15, 0.02, 0.6, 0.01),   //
    logs(0.2, 0.03, 0.9999, 2),    // on both sides of critical damping, and at it
    logs(0.2, 0.03, 1, 2),         //
    logs(0.2, 0.03, 1.0001, 200),  //
    logs(0.3, 0.01, 3, 20),        //
    logs(0.3, 0.05, 60, 400),      // two very different times
    logs(0.3, 0.3, 1000, 0.1),     //
    logs(0.1, 5, 0.3, 0.01),       // faster than the spacing of epochs
    logs(2, 0.0005, 1.5, 1e-4),    // slower than the light curve, and smooth
};

template <class Check>
void on_every_instruction_set(const Check& check) {
  for (const auto target : hwy::SupportedAndGeneratedTargets()) {
    INFO(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    check();
  }
  hwy::SetSupportedTargetsForTest(0);
}

std::vector<Trial> trials_near(double mean) {
  std::vector<Trial> out;
  for (const Parameters& at : kOscillators) out.push_back({at, mean});
  return out;
}

void check_dense(const Series& series) {
  for (const Mean mean : kMeans) {
    std::array<double, std::size(kOscillators)> expected{};
    for (std::size_t k = 0; k < expected.size(); ++k)
      expected[k] = dense::loglike(series, kOscillators[k], mean);
    // A guess of the mean makes no difference to the likelihood.
    const std::vector<Trial> trials = trials_near(mean == Mean::Fixed ? 0 : 0.05);
    on_every_instruction_set([&] {
      const auto values = dho::evaluate_all(series, trials, mean, Want::Value);
      const auto gradients = dho::evaluate_all(series, trials, mean, Want::Gradient);
      for (std::size_t k = 0; k < expected.size(); ++k) {
        INFO(series.size() << " epochs, ln parameters " << kOscillators[k].transpose());
        const double bound = 1e-9 * std::max(1.0, std::abs(expected[k]));
        CHECK(std::abs(values[k].loglike - expected[k]) < bound);
        CHECK(std::abs(gradients[k].loglike - expected[k]) < bound);
        CHECK(std::abs(values[k].mean - gradients[k].mean) < 1e-9);
      }
    });
  }
}

}  // namespace

TEST_CASE("the likelihood is that of dense algebra") {
  for (const std::size_t n : {5, 40, 120}) check_dense(simulate::series(n, 7 + n, kOscillators[5]));
}

TEST_CASE("the likelihood is right for repeated times, and for small and large errors") {
  Series series = simulate::series(60, 3, kOscillators[5]);
  for (std::size_t i = 5; i < 60; i += 7) series.dt[i] = 0;
  for (std::size_t i = 6; i < 60; i += 7) series.dt[i] = 2e-4;  // of one night
  for (const double scale : {1e-3, 1.0, 1e4}) {
    Series scaled = series;
    for (double& v : scaled.var) v *= scale;
    check_dense(scaled);
  }
}

// Twenty pairs of epochs; magnitudes of a pair differ by a few errors, all numbers are exact.
static Series pairs_of_epochs(double apart, double error) {
  Series series;
  double before = 0;
  for (int i = 0; i < 40; ++i) {
    const int pair = i / 2;
    const bool second = i % 2 == 1;
    const double time = 3 * pair + (pair * pair % 7) / 8.0 + (second ? apart : 0);
    series.dt.push_back(i == 0 ? 0 : time - before);
    series.y.push_back((pair * 37 % 64 - 32) / 256.0 +
                       (second ? (i * 29 % 16 - 8) / 8.0 * error : 0));
    series.var.push_back(error * error);
    before = time;
  }
  return series;
}

TEST_CASE("epochs at equal or near times keep their digits, however small their errors") {
  struct Case {
    Parameters at;
    double apart, error, loglike[3];
  };
  const Parameters under = logs(0.2, 0.05, 0.6, 2), critical = logs(0.2, 0.05, 1, 2),
                   over = logs(0.2, 0.05, 3, 20);
  // Dense algebra with 80 digits, by Python's mpmath.
  const Case cases[] = {
      {under, 0, 0x1p-17, {-516.197074552082256, -516.196548958781741, -517.264966636087826}},
      {under, 0, 0x1p-24, {-419.150969473040737, -419.150442100674429, -420.218859780883642}},
      {under, 0, 0x1p-30, {-335.97326169976948, -335.97273431360226, -337.04115199381165}},
      {under, 0x1p-13, 0x1p-17, {-553.91032205250496, -553.909796043215823, -554.978214613022599}},
      {under, 0x1p-13, 0x1p-30, {-553.671133263765229, -553.670605876097278, -554.739024463812846}},
      {critical, 0, 0x1p-17, {-212.963847305031087, -212.963554648609029, -213.914145445134009}},
      {critical, 0, 0x1p-24, {-115.919785719665477, -115.919492173611598, -116.870082971501336}},
      {critical, 0, 0x1p-30, {-32.7420959952764502, -32.7418024423220145, -33.692393240211836}},
      {critical,
       0x1p-13,
       0x1p-17,
       {-255.679325508558751, -255.679032641293422, -256.629624076817081}},
      {critical,
       0x1p-13,
       0x1p-30,
       {-255.53474551204165, -255.534451959409093, -256.485043402626019}},
      {over, 0, 0x1p-17, {224.504670980594292, 224.504815974439499, 223.440147401136939}},
      {over, 0, 0x1p-24, {321.545310451834757, 321.545455469662943, 320.480786896313467}},
      {over, 0, 0x1p-30, {404.722972383986943, 404.723117402001028, 403.658448828651549}},
      {over, 0x1p-13, 0x1p-17, {131.743689141660287, 131.743834143837843, 130.67916492166508}},
      {over, 0x1p-13, 0x1p-30, {131.744672265860428, 131.744817284204809, 130.680148061980475}},
  };
  for (const Case& c : cases) {
    INFO("epochs " << c.apart << " d apart, errors " << c.error << ", ln parameters "
                   << c.at.transpose());
    const Series series = pairs_of_epochs(c.apart, c.error);
    for (std::size_t k = 0; k < 3; ++k) {
      const double bound = 1e-9 * std::abs(c.loglike[k]);
      for (const Want want : {Want::Value, Want::Gradient}) {
        const dho::Evaluation e = dho::evaluate(series, {c.at}, kMeans[k], want);
        CHECK(std::abs(e.loglike - c.loglike[k]) < bound);
      }
    }
  }
}

TEST_CASE("the gradient agrees with finite differences") {
  const Series series = simulate::series(80, 5, kOscillators[2]);
  for (const Parameters& at : kOscillators) {
    for (const Mean mean : kMeans) {
      const Parameters gradient = dho::evaluate(series, {at}, mean, Want::Gradient).gradient;
      for (int i = 0; i < 4; ++i) {
        const auto value = [&](double by) {
          return dho::evaluate(series, {at + by * Parameters::Unit(i)}, mean, Want::Value).loglike;
        };
        const double h = 1e-3;  // by five-point differences
        const double slope =
            (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h);
        INFO("parameter " << i << " of " << at.transpose());
        CHECK(gradient[i] == Approx(slope).epsilon(1e-6).margin(1e-6));
      }
    }
  }
}

TEST_CASE("near critical damping the likelihood and its gradient are continuous") {
  const Series series = simulate::series(80, 5, kOscillators[2]);
  const auto at = [&](double ln_xi) {
    Parameters p = kOscillators[3];
    p[dho::kXi] = ln_xi;
    return dho::evaluate(series, {p}, Mean::Profiled, Want::Gradient);
  };
  const dho::Evaluation critical = at(0);
  for (const double ln_xi : {-1e-3, -1e-5, -1e-7, -1e-12, 1e-12, 1e-7, 1e-5, 1e-3}) {
    INFO("ln xi " << ln_xi);
    const dho::Evaluation e = at(ln_xi);
    const double slope = (e.gradient[dho::kXi] + critical.gradient[dho::kXi]) / 2;
    CHECK(e.loglike == Approx(critical.loglike + slope * ln_xi).epsilon(1e-11));
    CHECK((e.gradient - critical.gradient).norm() < 1e-8 + 1e3 * std::abs(ln_xi));
  }
}

TEST_CASE("the information predicts the scatter of the gradient") {
  // Of light curves of one process the gradient at its parameters has mean 0 and the information as
  // covariance.
  const Parameters truth = logs(0.2, 0.03, 0.5, 5);
  Eigen::Matrix4d scatter = Eigen::Matrix4d::Zero(), information = scatter;
  constexpr int kCurves = 600;
  for (std::uint64_t seed = 0; seed < kCurves; ++seed) {
    const Series s = simulate::series(60, seed, truth);
    const Trial trial{truth, 18 - s.reference};
    const dho::Evaluation e = dho::evaluate(s, trial, Mean::Profiled, Want::Gradient);
    scatter += e.gradient * e.gradient.transpose() / kCurves;
    information += e.information / kCurves;
  }
  for (int i = 0; i < 4; ++i) {
    INFO("parameter " << i);
    CHECK(scatter(i, i) == Approx(information(i, i)).epsilon(0.25));
  }
}
