// The contract of both rules of cleaning: how many epochs stay, when passes count as used up, which
// mean belongs to which parameters, and that a refit is the fit of the other epochs.
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "fit_summary.hpp"
#include "ou_surface.hpp"
#include "predictive_rule.hpp"
#include "simulate.hpp"

using ou::Ending;
using ou::Mean;

namespace {

// A fraction of the epochs too bright by 1 to 3 mag, none too faint.
ou::Curve one_sided(double fraction, std::uint64_t seed, std::vector<std::uint8_t>& moved) {
  simulate::Truth truth;
  truth.sigma = 0.05;
  truth.tau = 3;
  truth.error_low = truth.error_high = 0.02;
  ou::Curve curve = simulate::curve(100, seed, truth);
  simulate::Random random(seed + 1);
  moved.assign(curve.size(), 0);
  for (std::size_t i = 0; i < curve.size(); ++i) {
    if (random.uniform() >= fraction) continue;
    moved[i] = 1;
    curve.mag[i] -= 1 + 2 * random.uniform();
  }
  return curve;
}

ou::Curve constant(std::size_t n, std::uint64_t seed) {
  simulate::Truth truth;
  truth.sigma = 1e-9;
  return simulate::curve(n, seed, truth);
}

ou::Cleaned by_influence(const ou::Curve& curve, const ou::Rule& rule) {
  return ou::clean(curve, rule);
}

// The highest maximum that climbs from a grid of starts reach.
double highest(const ou::Series& series, Mean mean) {
  const ou::Box box = ou::standard_box();
  std::vector<ou::Start> starts;
  for (double ln_tau = box.ln_tau_min; ln_tau < box.ln_tau_max; ln_tau += 0.9)
    for (double ln_sigma = box.ln_sigma_min; ln_sigma < 0.5; ln_sigma += 0.9)
      starts.push_back({{ln_sigma, ln_tau}});
  double best = -1e300;
  for (const ou::Summit<2>& s : ou::climb_all<2>(series, box, mean, starts, 1e-4))
    best = std::max(best, s.best.value.loglike);
  return best;
}

}  // namespace

TEST_CASE("outliers on one side do not move the mean by which good epochs are judged") {
  // The median of all epochs is that of the good ones only while outliers are few.
  const auto [mean, fraction] =
      GENERATE(table<Mean, double>({{Mean::Fixed, 0.08}, {Mean::Profiled, 0.35}}));
  ou::Rule rule;
  rule.mean = mean;
  rule.max_removed_fraction = 1;
  int lost = 0, missed = 0, unsettled = 0;
  constexpr int kCurves = 150;
  for (std::uint64_t seed = 0; seed < kCurves; ++seed) {
    std::vector<std::uint8_t> moved;
    const ou::Curve curve = one_sided(fraction, 100 * seed, moved);
    const ou::Cleaned cleaned = ou::clean_by_prediction(curve, rule);
    unsettled += cleaned.ending != Ending::Clean;
    std::vector<std::uint8_t> gone(curve.size());
    for (const std::size_t i : cleaned.removed) gone[i] = 1;
    for (std::size_t i = 0; i < curve.size(); ++i) {
      lost += gone[i] > moved[i];
      missed += gone[i] < moved[i];
    }
  }
  INFO(lost << " good epochs lost of " << kCurves << " light curves");
  CHECK(lost < 0.09 * kCurves);
  CHECK(missed == 0);
  CHECK(unsettled == 0);
}

TEST_CASE("residuals do not depend on the epochs that are ignored") {
  std::vector<std::uint8_t> moved;
  const ou::Curve curve = one_sided(0.4, 5, moved);
  std::vector<std::size_t> outlying;
  for (std::size_t i = 0; i < curve.size(); ++i)
    if (moved[i] != 0) outlying.push_back(i);
  const ou::Series all = ou::make_series(curve.time, curve.mag, curve.mag_err, 18);
  const ou::Series rest = ou::without(all, outlying);
  const ou::Box box = ou::standard_box();
  for (const Mean mean : {Mean::Fixed, Mean::Profiled}) {
    const ou::Fit fit = ou::fit_global(rest, box, mean, ou::look_along_tau(rest, box, mean));
    const ou::Parameters at = fit.parameters();
    const auto alone = ou::residuals_at(rest, at, mean, std::vector<std::uint8_t>(rest.size()));
    const auto among = ou::residuals_at(all, at, mean, moved);
    for (std::size_t i = 0, k = 0; i < curve.size(); ++i)
      if (moved[i] == 0) CHECK(among[i] == Approx(alone[k++]).margin(1e-7));
    CHECK(ou::outliers_at(all, at, mean, 4.0) == outlying);
  }
}

TEST_CASE("after removals the mean is still the median of all epochs") {
  const auto clean = GENERATE(&by_influence, &ou::clean_by_prediction);
  std::vector<std::uint8_t> moved;
  const ou::Curve curve = one_sided(0.05, 9, moved);
  const ou::Cleaned cleaned = clean(curve, {});
  REQUIRE(!cleaned.removed.empty());
  CHECK(cleaned.full.mean == ou::median(curve.mag));
  CHECK(cleaned.post.mean == cleaned.full.mean);
  const ou::Series kept = ou::without(ou::series_of(curve), cleaned.removed);
  CHECK(ou::median(kept.y) != 0);  // a median taken anew would be another
  CHECK(
      cleaned.post.loglike ==
      Approx(ou::evaluate(kept, cleaned.post.parameters(), Mean::Fixed, ou::Want::Value).loglike));
}

TEST_CASE("a refit counts from the median of all epochs, removed or not") {
  std::vector<std::uint8_t> moved;
  const ou::Curve curve = one_sided(0.4, 9, moved);
  const ou::Series series = ou::series_of(curve);
  const ou::Box box = ou::standard_box();
  const ou::Ridge ridge = ou::look_along_tau(series, box, Mean::Fixed);
  const ou::Fit full = ou::fit_global(series, box, Mean::Fixed, ridge);
  std::vector<std::size_t> epochs(curve.size());
  std::iota(epochs.begin(), epochs.end(), std::size_t{0});
  const auto fits = ou::Refits(series, full, ridge, box, Mean::Fixed)(epochs);
  for (const std::size_t j : epochs) {
    CHECK(fits[j].mean == series.reference);
    const ou::Series s = ou::without(series, {j});
    CHECK(fits[j].loglike ==
          Approx(ou::evaluate(s, fits[j].parameters(), Mean::Fixed, ou::Want::Value).loglike));
  }
}

TEST_CASE("an epoch that takes no part is predicted as by a light curve without it") {
  ou::Curve curve = simulate::curve(40, 3);
  curve.time[8] = curve.time[7];
  // Far below the rounding error of mag^2 after adding and subtracting a large variance.
  curve.mag_err[7] = curve.mag_err[8] = 1e-8;
  curve.mag[8] = curve.mag[7] + 2e-8;
  const ou::Series series = ou::series_of(curve);
  const std::array at{ou::Parameters{std::log(0.1), std::log(80.0)}};
  for (const Mean mean : {Mean::Fixed, Mean::Profiled}) {
    for (const std::size_t j : {0, 8, 20, 39}) {
      std::vector<std::uint8_t> ignored(series.size());
      ignored[j] = 1;
      ou::LooTable some, all, less;
      ou::leave_one_out_all(series, at, mean, ou::LooWant::All, some, ignored);
      ou::leave_one_out_all(series, at, mean, ou::LooWant::All, all);
      ou::leave_one_out_all(ou::without(series, {j}), at, mean, ou::LooWant::All, less);
      CHECK(some.loglike[0] == Approx(less.loglike[0]).epsilon(1e-11));
      for (std::size_t i = 0; i < series.size(); ++i) {
        const ou::LooTable& expected = i == j ? all : less;
        const std::size_t k = (i > j ? i - 1 : i) * expected.stride;
        const double error = std::sqrt(expected.var[k]);
        CHECK(some.residual[i * some.stride] ==
              Approx(expected.residual[k]).epsilon(1e-6).margin(1e-6 * error));
        CHECK(some.var[i * some.stride] == Approx(expected.var[k]).epsilon(1e-6));
      }
    }
  }
}

TEST_CASE("the critical residual is Student's quantile, for few epochs and small rates too") {
  constexpr double kRates[] = {0.05, 1e-3, 1e-6};
  // sqrt(nu (1 - x) / x) with x = scipy.special.betaincinv(nu / 2, 1 / 2, rate / n), nu = n - 3,
  // SciPy 1.10.1; its stats.t.isf gives the same to nine digits only.
  const std::pair<std::size_t, std::array<double, 3>> expected[] = {
      {4, {50.923036636485534, 2546.478958570631, 2546479.0894701956}},
      {5, {9.924843200918293, 70.70007107496428, 2236.0676420895793}},
      {6, {6.231543473366495, 23.60156378880828, 236.5182641011948}},
      {10, {4.029337177642485, 7.884584262416603, 22.039705084799756}},
      {20, {3.5429488216481424, 5.378799762819412, 9.222805392994992}},
      {100, {3.6020881783973424, 4.661920596812639, 6.270297514472463}}};
  for (const auto& [n, values] : expected) {
    for (std::size_t k = 0; k < 3; ++k)
      CHECK(ou::critical_residual(n, kRates[k]) == Approx(values[k]).epsilon(1e-10));
  }
  CHECK(ou::critical_residual(4, 10) == 0);
}

TEST_CASE("both rules leave at least min_points epochs, never fewer than four") {
  const auto clean = GENERATE(&by_influence, &ou::clean_by_prediction);
  ou::Rule rule;
  rule.mode = GENERATE(ou::Mode::Screened, ou::Mode::Exact);
  rule.min_points = GENERATE(2, 4, 11);
  rule.min_abs_delta_ln_d = 0;
  rule.only_if_d_decreases = false;
  rule.max_passes = 50;
  rule.false_alarms_per_curve = 10;
  rule.max_removed_fraction = 1;
  const std::size_t least = std::max<std::size_t>(rule.min_points, 4);
  int stopped = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::size_t n = least + seed % 3;
    const ou::Curve curve = simulate::curve(n, seed);
    const ou::Cleaned cleaned = clean(curve, rule);
    CHECK(cleaned.removed.size() + least <= n);
    stopped += cleaned.ending == Ending::AtFewest || cleaned.ending == Ending::TooFewLeft;
  }
  CHECK(stopped > 0);
}

TEST_CASE("a light curve that would lose too many epochs is given up, and loses none") {
  const auto clean = GENERATE(&by_influence, &ou::clean_by_prediction);
  ou::Rule rule;
  rule.max_passes = 50;
  // Each gross compared with those before, so that none hides another.
  ou::Curve curve = simulate::curve(60, 60);
  for (std::size_t k = 0; k < 6; ++k) curve.mag[5 + 9 * k] += std::pow(2.0, k);
  SECTION("as many as may go") {
    const ou::Cleaned cleaned = clean(curve, rule);
    CHECK(cleaned.ending == Ending::Clean);
    CHECK(cleaned.removed.size() == 6);
  }
  SECTION("one more") {
    curve.mag[9] += 64;
    const ou::Cleaned cleaned = clean(curve, rule);
    CHECK(cleaned.ending == Ending::TooManyRemoved);
    CHECK(cleaned.given_up());
    CHECK(cleaned.full.converged);
    CHECK(cleaned.removed.empty());
    rule.max_removed_fraction = 7.0 / 60;
    CHECK(clean(curve, rule).removed.size() == 7);
  }
}

TEST_CASE("prediction gives up a light curve of many outliers, or of two sources") {
  ou::Curve curve;
  SECTION("30 % outliers") {
    std::vector<std::uint8_t> moved;
    curve = one_sided(0.3, 4, moved);
  }
  SECTION("two sources at equal times") {
    const ou::Curve one = simulate::curve(100, 3), other = simulate::curve(100, 4);
    for (std::size_t i = 0; i < one.size(); ++i) {
      curve.time.insert(curve.time.end(), 2, one.time[i]);
      curve.mag.insert(curve.mag.end(), {one.mag[i], other.mag[i] + 1.3});
      curve.mag_err.insert(curve.mag_err.end(), 2, one.mag_err[i]);
    }
  }
  const ou::Cleaned cleaned = ou::clean_by_prediction(curve, {});
  CHECK(cleaned.ending == Ending::TooManyRemoved);
  CHECK(cleaned.removed.empty());
}

TEST_CASE("there is no chi^2 per degree of freedom where there is none") {
  const ou::Curve curve = simulate::curve(3, 4);
  const ou::Series series = ou::series_of(curve);
  const ou::Box box = ou::standard_box();
  const ou::Fit fit =
      ou::fit_global(series, box, Mean::Fixed, ou::look_along_tau(series, box, Mean::Fixed));
  CHECK(std::isnan(ou::summarise(series, fit, Mean::Fixed, box).chi2_reduced));
}

TEST_CASE("passes are used up only if one more would change something") {
  const auto clean = GENERATE(&by_influence, &ou::clean_by_prediction);
  ou::Rule rule;
  SECTION("nothing to remove") {
    rule.max_passes = GENERATE(0, 1);
    const ou::Cleaned cleaned = clean(simulate::curve(60, 60), rule);
    CHECK(cleaned.removed.empty());
    CHECK(cleaned.ending == Ending::Clean);
    CHECK(cleaned.passes == rule.max_passes);
  }
  SECTION("one gross outlier") {
    ou::Curve curve = simulate::curve(60, 60);
    curve.mag[20] += 2;
    rule.max_passes = 1;
    CHECK(clean(curve, rule).removed == std::vector<std::size_t>{20});
    CHECK(clean(curve, rule).ending == Ending::Clean);
    rule.max_passes = 0;
    CHECK(clean(curve, rule).removed.empty());
    CHECK(clean(curve, rule).ending == Ending::PassesUsedUp);
  }
}

TEST_CASE("refits reach the highest of many maxima") {
  const auto mean = GENERATE(Mean::Fixed, Mean::Profiled);
  const ou::Box box = ou::standard_box();
  int refits = 0, missed = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const ou::Curve curve = constant(40 + seed, seed);
    const ou::Series series = ou::series_of(curve);
    const ou::Ridge ridge = ou::look_along_tau(series, box, mean);
    const ou::Fit full = ou::fit_global(series, box, mean, ridge);
    std::vector<std::size_t> epochs(curve.size());
    std::iota(epochs.begin(), epochs.end(), std::size_t{0});
    const auto fits = ou::Refits(series, full, ridge, box, mean)(epochs);
    for (const std::size_t j : epochs) {
      ++refits;
      missed += fits[j].loglike < highest(ou::without(series, {j}), mean) - 1e-3;
    }
  }
  INFO(missed << " of " << refits);
  CHECK(missed <= 0.003 * refits);
}

TEST_CASE("screened and exact passes agree on objects that do not vary") {
  const auto mean = GENERATE(Mean::Fixed, Mean::Profiled);
  int differ = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const ou::Curve curve = constant(40 + 2 * seed, 1000 + seed);
    ou::Rule rule;
    rule.mean = mean;
    const ou::Cleaned screened = ou::clean(curve, rule);
    rule.mode = ou::Mode::Exact;
    const ou::Cleaned exact = ou::clean(curve, rule);
    differ += screened.removed != exact.removed || screened.ending != exact.ending;
  }
  CHECK(differ == 0);
}

TEST_CASE("a NaN is below every number, in sorts and in maxima") {
  const double nan = std::nan("");
  std::vector<double> v{nan, 2, nan, 3, -INFINITY, 1};
  CHECK(*std::max_element(v.begin(), v.end(), &ou::is_lower) == 3);
  std::sort(v.begin(), v.end(), &ou::is_lower);
  CHECK(std::isnan(v[1]));
  CHECK(std::vector(v.begin() + 2, v.end()) == std::vector<double>{-INFINITY, 1, 2, 3});
  ou::Fit none, some;
  none.loglike = nan;
  CHECK(&ou::better(none, some) == &some);
  CHECK(&ou::better(some, none) == &some);
}
