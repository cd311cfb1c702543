// The sweeps in SIMD lanes equal those one by one, on every available instruction set.
#include <hwy/targets.h>
#include <catch2/catch.hpp>
#include <cmath>

#include "ou_likelihood.hpp"
#include "simulate.hpp"

using ou::Mean;
using ou::Want;

namespace {

// Runs `check` once for each instruction set; returns their number.
template <class Check>
int on_every_target(const Check& check) {
  int count = 0;
  for (const auto target : hwy::SupportedAndGeneratedTargets()) {
    INFO(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    check();
    ++count;
  }
  hwy::SetSupportedTargetsForTest(0);
  return count;
}

ou::Series hard_series() {
  ou::Curve c = simulate::curve(301, 3);
  for (std::size_t i = 0; i < 20; ++i) c.time[10 * i + 1] = c.time[10 * i];
  for (std::size_t i = 200; i < 301; ++i) c.time[i] += 1e6;
  c.mag_err[7] = 1e-4;
  c.mag_err[8] = 1;
  return ou::series_of(c);
}

std::vector<ou::Trial> trials(const ou::Series& s) {
  std::vector<ou::Trial> out;
  for (const double sigma : {0.001, 0.1, 3.0, 100.0})
    for (const double tau : {0.1, 8.0, 300.0, 1e4})
      out.push_back({{std::log(sigma), std::log(tau)}});
  for (const std::size_t j : {std::size_t{0}, std::size_t{7}, s.size() - 1})
    out.push_back({{std::log(0.2), std::log(50)}, j});
  return out;
}

void check_same(const ou::Evaluation& a, const ou::Evaluation& b) {
  // Terms of the sums may cancel.
  const double scale = 1 + std::abs(b.loglike) + std::abs(b.gradient[0]) + b.chi2;
  CHECK(std::abs(a.loglike - b.loglike) < 1e-12 * scale);
  CHECK(std::abs(a.mean - b.mean) < 1e-12 * std::abs(b.mean));
  for (std::size_t k = 0; k < 3; ++k) {
    CHECK(std::abs(a.gradient[k] - b.gradient[k]) < 1e-12 * scale);
    CHECK(std::abs(a.information[k] - b.information[k]) < 1e-12 * (scale + b.information[k]));
  }
}

}  // namespace

TEST_CASE("lanes agree with one evaluation after another on every instruction set") {
  const ou::Series s = hard_series();
  const std::vector<ou::Trial> all = trials(s);
  for (const Mean mean : {Mean::Fixed, Mean::Profiled}) {
    std::vector<ou::Evaluation> reference;
    for (const ou::Trial& t : all)
      reference.push_back(
          ou::evaluate(t.omitted ? ou::without(s, {*t.omitted}) : s, t.at, mean, Want::Gradient));
    const int targets = on_every_target([&] {
      const auto with_gradient = ou::evaluate_all(s, all, mean, Want::Gradient);
      const auto values = ou::evaluate_all(s, all, mean, Want::Value);
      for (std::size_t k = 0; k < all.size(); ++k) {
        INFO("trial " << k);
        check_same(with_gradient[k], reference[k]);
        CHECK(values[k].loglike == Approx(reference[k].loglike).epsilon(1e-12));
        if (!all[k].omitted)
          check_same(ou::evaluate(s, all[k].at, mean, Want::Gradient), reference[k]);
      }
    });
    CHECK(targets >= 1);
  }
}

TEST_CASE("gradients without information are the same, of one tau, two or many") {
  const ou::Series s = hard_series();
  for (const double ratio : {1.0, 1.00001, 3.0}) {
    std::vector<ou::Trial> few = trials(s);
    for (std::size_t k = 0; k < few.size(); ++k)
      few[k].at.ln_tau = std::log(k % 2 == 0 ? 60 : 60 * ratio);
    for (const std::size_t count : {1, 2, 3, 19}) {
      few.resize(std::min(count, few.size()));
      on_every_target([&] {
        const auto plain = ou::evaluate_all(s, few, Mean::Fixed, Want::PlainGradient);
        const auto informed = ou::evaluate_all(s, few, Mean::Fixed, Want::Gradient);
        for (std::size_t k = 0; k < few.size(); ++k) {
          const auto one = ou::evaluate(few[k].omitted ? ou::without(s, {*few[k].omitted}) : s,
                                        few[k].at, Mean::Fixed, Want::Gradient);
          check_same(informed[k], one);
          ou::Evaluation expected = one;
          expected.information = {};
          check_same(plain[k], expected);
        }
      });
    }
  }
}

TEST_CASE("single precision is close, and left where its range ends") {
  const ou::Series s = hard_series();
  const std::vector<ou::Trial> all = trials(s);
  for (const Mean mean : {Mean::Fixed, Mean::Profiled}) {
    const auto exact = ou::evaluate_all(s, all, mean, Want::Gradient);
    on_every_target([&] {
      const auto single = ou::evaluate_all(s, all, mean, Want::Gradient, ou::Digits::Single);
      const auto values = ou::evaluate_all(s, all, mean, Want::Value, ou::Digits::Single);
      for (std::size_t k = 0; k < all.size(); ++k) {
        INFO("trial " << k);
        const double scale = 1 + std::abs(exact[k].loglike) + exact[k].chi2;
        CHECK(std::abs(single[k].loglike - exact[k].loglike) < 1e-5 * scale);
        CHECK(std::abs(values[k].loglike - exact[k].loglike) < 1e-5 * scale);
        for (const std::size_t p : {0, 1})
          CHECK(std::abs(single[k].gradient[p] - exact[k].gradient[p]) < 1e-4 * scale);
      }
      std::vector<ou::Parameters> at;
      for (const ou::Trial& t : all) at.push_back(t.at);
      ou::LooTable table, rough;
      ou::leave_one_out_all(s, at, mean, ou::LooWant::All, table);
      ou::leave_one_out_all(s, at, mean, ou::LooWant::All, rough, {}, ou::Digits::Single);
      for (std::size_t j = 0; j < s.size(); ++j) {
        for (std::size_t k = 0; k < at.size(); ++k) {
          const double expected = table.logpdf[j * table.stride + k];
          CHECK(std::abs(rough.logpdf[j * rough.stride + k] - expected) <
                1e-4 * (1 + std::abs(expected)));
        }
      }
    });
  }
  ou::Series tiny = s;
  tiny.var[3] = 1e-30;
  const auto exact = ou::evaluate_all(tiny, all, Mean::Fixed, Want::Value);
  const auto single = ou::evaluate_all(tiny, all, Mean::Fixed, Want::Value, ou::Digits::Single);
  for (std::size_t k = 0; k < all.size(); ++k) CHECK(single[k].loglike == exact[k].loglike);
}

TEST_CASE("leave-one-out predictions agree on every instruction set") {
  const ou::Series s = hard_series();
  const ou::Parameters p{std::log(0.2), std::log(50)};
  const ou::LeaveOneOut reference = ou::leave_one_out(s, p, Mean::Profiled);
  on_every_target([&] {
    const ou::LeaveOneOut loo = ou::leave_one_out(s, p, Mean::Profiled);
    CHECK(loo.loglike == Approx(reference.loglike).epsilon(1e-12));
    for (std::size_t j = 0; j < s.size(); ++j) {
      CHECK(loo.mean[j] == Approx(reference.mean[j]).epsilon(1e-12));
      CHECK(loo.var[j] == Approx(reference.var[j]).epsilon(1e-12));
      CHECK(loo.logpdf[j] == Approx(reference.logpdf[j]).epsilon(1e-11).margin(1e-12));
    }
  });
}

TEST_CASE("the highest likelihood without each epoch passes over trials that are left out") {
  const ou::Series s = hard_series();
  std::vector<ou::Parameters> at;
  for (int k = 0; k < 19; ++k) at.push_back({std::log(0.05 + 0.02 * k), std::log(20 + 10 * k)});
  on_every_target([&] {
    ou::LooTable table;
    ou::leave_one_out_all(s, at, Mean::Fixed, ou::LooWant::Densities, table);
    std::vector<double> some = table.loglike;
    for (const std::size_t k : {2, 3, 18}) some[k] = -INFINITY;
    const std::vector<double> highest = ou::highest_without_each(table, some);
    REQUIRE(highest.size() == s.size());
    for (std::size_t j = 0; j < s.size(); ++j) {
      double expected = -INFINITY;
      for (std::size_t k = 0; k < at.size(); ++k)
        expected = std::max(expected, some[k] - table.logpdf[j * table.stride + k]);
      CHECK(highest[j] == expected);
    }
  });
}

TEST_CASE("the capped likelihood passes over what is beyond the cap") {
  ou::Curve c = simulate::curve(80, 6);
  const ou::Series clean = ou::series_of(c);
  ou::Series spoilt = clean;
  spoilt.y[40] += 30;
  const ou::Parameters p{std::log(0.15), std::log(120)};
  const double cap = 1e3;  // only the outlier is beyond
  const auto capped =
      ou::evaluate_all(spoilt, std::vector{ou::Trial{p, {}, cap}}, Mean::Fixed, Want::Value);
  const auto omitted =
      ou::evaluate_all(clean, std::vector{ou::Trial{p, 40}}, Mean::Fixed, Want::Value);
  const auto untouched =
      ou::evaluate_all(clean, std::vector{ou::Trial{p, {}, cap}}, Mean::Fixed, Want::Value);
  CHECK(untouched[0].loglike ==
        ou::evaluate_all(clean, std::vector{ou::Trial{p}}, Mean::Fixed, Want::Value)[0].loglike);
  CHECK(capped[0].chi2 == Approx(omitted[0].chi2 + cap));
}
