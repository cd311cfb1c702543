// The stage ou-multiband. tests/chains/multiband_test.py checks its numbers.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <qsohost/plugin.hpp>
#include <qsohost/testing.hpp>
#include <string>
#include <vector>

#include "multiband_simulate.hpp"

using qsohost::Harness;

namespace {

using Options = std::vector<std::pair<std::string, std::string>>;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
const std::vector<std::string> kGroups{"ztf.g", "ztf.r", "gaia.g", "gaia.bp", "gaia.rp"};
const Options kAllGroups{{"groups", R"(["ztf.g", "ztf.r", "gaia.g", "gaia.bp", "gaia.rp"])"}};
const Options kZtf{{"groups", R"(["ztf.g", "ztf.r"])"}};

Options with(Options options, const Options& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

// Object k is curves[k], in a group per band. `gaia_times`: kMjdUtc, or Gaia's, which have a zero
// of their own, or none.
void add_curves(Harness& h, const std::vector<simulate::Bands>& curves,
                const qsohost::TimeSystem& gaia_times = qsohost::kMjdUtc) {
  std::vector<qsohost::Target> targets;
  for (std::size_t k = 0; k < curves.size(); ++k)
    targets.push_back({static_cast<std::int64_t>(k + 1), 10.0 + static_cast<double>(k), 20});
  h.targets(targets);
  for (std::size_t b = 0; b < kGroups.size(); ++b) {
    const std::string survey = kGroups[b].substr(0, kGroups[b].find('.'));
    qsohost::Group& group =
        h.batch().add_group({kGroups[b], survey, kGroups[b].substr(survey.size() + 1), "t", "mag",
                             "err", b < 2 ? qsohost::kMjdUtc : gaia_times});
    qsohost::Column& time = group.add({"t", qsohost::DType::F64, "d", "time"});
    qsohost::Column& mag = group.add({"mag", qsohost::DType::F64, "mag", "magnitude"});
    qsohost::Column& error = group.add({"err", qsohost::DType::F64, "mag", "error"});
    for (const simulate::Bands& c : curves) {
      for (std::size_t i = 0; i < c.time.size(); ++i) {
        if (c.band[i] != b) continue;
        time.append((b > 1 && gaia_times == qsohost::kGaiaTime ? 1803 : 57000) + c.time[i]);
        mag.append(c.mag[i]);
        error.append(c.mag_err[i]);
      }
      group.close_row();
    }
  }
  qsohost::Column& z = h.batch().objects().add({"z", qsohost::DType::F64, "", "redshift"});
  for (std::size_t k = 0; k < curves.size(); ++k) z.append(0.5);
}

double value(Harness& h, const std::string& column, std::size_t row) {
  return h.batch().objects().at("ou-multiband." + column).number(row);
}

int flags(Harness& h, std::size_t row) {
  return static_cast<int>(value(h, "flags", row));
}

simulate::Bands reversed(simulate::Bands b) {
  std::reverse(b.time.begin(), b.time.end());
  std::reverse(b.mag.begin(), b.mag.end());
  std::reverse(b.mag_err.begin(), b.mag_err.end());
  std::reverse(b.band.begin(), b.band.end());
  return b;
}

// All but the first `kept` epochs of a band are taken out.
simulate::Bands shortened(const simulate::Bands& b, std::size_t band, std::size_t kept) {
  simulate::Bands out;
  for (std::size_t i = 0; i < b.time.size(); ++i) {
    if (b.band[i] == band && kept == 0) continue;
    kept -= b.band[i] == band ? 1 : 0;
    out.time.push_back(b.time[i]);
    out.mag.push_back(b.mag[i]);
    out.mag_err.push_back(b.mag_err[i]);
    out.band.push_back(b.band[i]);
  }
  return out;
}

// Of the epochs of `band`, in the order in which they were given.
std::vector<std::uint8_t> kept(Harness& h, std::size_t band, std::size_t row) {
  const qsohost::Group& group = h.batch().group(kGroups[band]);
  const auto all = group.at("keep").values<bool>();
  const auto slice = group.slice(row);
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i < slice.count; ++i) out.push_back(all[slice.first + i] != 0 ? 1 : 0);
  return out;
}

std::string refused(const Options& options, const qsohost::TimeSystem& gaia_times) {
  try {
    Harness h("ou-multiband", options);
    add_curves(h, {simulate::bands(3)}, gaia_times);
    h.run();
  } catch (const qsohost::UsageError& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("one light curve: ou-multiband equals ou-fit") {
  for (const char* mean : {R"("profiled")", R"("marginal")"}) {
    for (const char* jitter : {R"("none")", R"("fit")"}) {
      INFO("mean " << mean << " jitter " << jitter);
      const Options options{{"groups", R"(["ztf.r"])"}, {"mean", mean}, {"jitter", jitter}};
      Harness h("ou-multiband", options), one("ou-fit", options);
      for (Harness* each : {&h, &one}) {
        add_curves(*each, {simulate::bands(1), reversed(simulate::bands(2))});
        each->run();
      }
      const auto expected = [&](const std::string& name, std::size_t row) {
        return one.batch().objects().at("ou-fit.ztf.r." + name).number(row);
      };
      for (const std::size_t row : {0, 1}) {
        for (const char* name : {"loglike", "log_tau", "err_log_tau", "aic", "bic", "n_parameters"})
          CHECK(value(h, name, row) == Approx(expected(name, row)).epsilon(1e-6).margin(1e-6));
        for (const char* name : {"log_sigma", "err_log_sigma", "logD", "err_logD", "mean"})
          CHECK(value(h, std::string("ztf.r.") + name, row) ==
                Approx(expected(name, row)).epsilon(1e-6).margin(1e-6));
      }
    }
  }
}

TEST_CASE("all bands: epochs in any order give the same results, each epoch its own") {
  const simulate::Bands curve = simulate::bands(4);
  Harness h("ou-multiband", kAllGroups);
  add_curves(h, {curve, reversed(curve)});
  h.run();
  CHECK(flags(h, 0) == flags(h, 1));
  CHECK(value(h, "n_bands", 0) == 5);
  CHECK(value(h, "n_epochs", 0) == static_cast<double>(curve.time.size()));
  for (const char* name : {"loglike", "log_tau", "err_log_tau", "chi2"})
    CHECK(value(h, name, 0) == value(h, name, 1));
  for (const std::string& name : kGroups) {
    const qsohost::Group& group = h.batch().group(name);
    const auto mean = group.at("loo_mean").values<double>();
    const auto first = group.slice(0), second = group.slice(1);
    REQUIRE(first.count == second.count);
    for (std::size_t i = 0; i < first.count; ++i) {
      CHECK(std::isfinite(mean[first.first + i]));
      CHECK(mean[first.first + i] == mean[second.first + second.count - 1 - i]);
    }
  }
}

TEST_CASE("all bands: bad input is flagged, and what can be fitted is") {
  const simulate::Bands good = simulate::bands(5);
  std::vector<simulate::Bands> curves(9, good);
  curves[1] = shortened(good, 3, 0);
  curves[2] = shortened(good, 3, 1);
  for (std::size_t i = 0; i < good.time.size(); ++i) {
    if (good.band[i] == 3) curves[3].mag_err[i] = kNaN;
    curves[4].mag[i] = 18;
    if (good.band[i] == 2) curves[5].mag[i] = 18;
  }
  curves[6] = {};
  curves[8].mag[7] = kNaN;
  Harness h("ou-multiband", kAllGroups);
  add_curves(h, curves);
  h.batch().objects().at("z").values<double>()[7] = -999;
  h.run();

  constexpr int kNotFitted = 1 | 2 | 8;
  CHECK((flags(h, 0) & (kNotFitted | 4 | 16)) == 0);
  for (const std::size_t row : {1, 2, 3}) {
    INFO("row " << row);
    CHECK((flags(h, row) & 16) != 0);
    CHECK(((flags(h, row) & 4) != 0) == (row == 3));
    CHECK(value(h, "n_bands", row) == 4);
    CHECK(value(h, "gaia.bp.n_epochs", row) == (row == 2 ? 1 : 0));
    CHECK(std::isnan(value(h, "gaia.bp.logD", row)));
    CHECK(value(h, "log_tau", row) == value(h, "log_tau", 1));
    CHECK(value(h, "loglike", row) == value(h, "loglike", 1));
  }
  CHECK((flags(h, 4) & 128) != 0);
  CHECK((flags(h, 5) & 128) != 0);
  CHECK(value(h, "gaia.g.log_sigma", 5) == Approx(std::log(0.001)).margin(1e-3));
  CHECK((flags(h, 6) & kNotFitted) == 1);
  CHECK((flags(h, 7) & kNotFitted) == 2);
  CHECK((flags(h, 8) & (kNotFitted | 4 | 16)) == 4);
  CHECK(value(h, "n_epochs", 8) == value(h, "n_epochs", 0) - 1);
  for (std::size_t row = 0; row < curves.size(); ++row) {
    INFO("row " << row);
    const bool fitted = (flags(h, row) & kNotFitted) == 0;
    CHECK(fitted == (row != 6 && row != 7));
    for (const char* name : {"log_tau", "loglike", "bic", "ztf.g.logD", "ztf.g.mean"})
      CHECK(std::isfinite(value(h, name, row)) == fitted);
  }
}

TEST_CASE("all bands: wrong options are reported before the run") {
  using Catch::Contains;
  const auto of_groups = [](const char* groups) {
    return refused({{"groups", groups}}, qsohost::kMjdUtc);
  };
  CHECK_THAT(of_groups(R"(["ztf.g", "ztf.g"])"), Contains("'ztf.g' twice"));
  CHECK_THAT(of_groups(R"(["ztf.g", "ztf.q"])"), Contains("'ztf.q'"));
  CHECK_THAT(of_groups("[]"), Contains("groups is empty"));
  CHECK_THAT(of_groups(R"(["a.1", "a.2", "a.3", "a.4", "a.5", "a.6", "a.7", "a.8", "a.9"])"),
             Contains("9 light curves; at most 8"));
  CHECK_THAT(refused(with(kZtf, {{"tau_bounds", "[10, 1]"}}), qsohost::kMjdUtc),
             Contains("tau_bounds"));
  CHECK_THAT(refused(with(kZtf, {{"sigma_bounds", "[0, 1]"}}), qsohost::kMjdUtc),
             Contains("sigma_bounds"));
  CHECK_THAT(refused(kAllGroups, {}), Contains("'gaia.g'") && Contains("time system is not known"));
  CHECK_THAT(refused(with(kAllGroups, {{"ra", R"("alpha")"}}), qsohost::kGaiaTime),
             Contains("position"));
  // Nothing to be combined.
  CHECK(refused(kZtf, {}).empty());
  CHECK(refused(with(kAllGroups, {{"ra", R"("alpha")"}}), qsohost::kMjdUtc).empty());
}

TEST_CASE("all bands: an object without position is flagged where times need one") {
  Harness h("ou-multiband", kAllGroups);
  add_curves(h, {simulate::bands(6), simulate::bands(6)}, qsohost::kGaiaTime);
  h.batch().objects().at("ra").values<double>()[0] = kNaN;
  h.run();
  CHECK((flags(h, 0) & 1 << 26) != 0);
  CHECK(std::isnan(value(h, "log_tau", 0)));
  CHECK((flags(h, 1) & 1 << 26) == 0);
  CHECK(std::isfinite(value(h, "log_tau", 1)));
  CHECK(h.count("ou-multiband", "objects not fitted") == 1);
}

TEST_CASE("all bands: jitter is found where there is some, and flagged where there is none") {
  const simulate::BandsTruth truth;
  std::vector<double> sd = truth.error;
  for (double& s : sd) s *= 2;
  sd[1] = 0;
  std::vector<simulate::Bands> curves;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    curves.push_back(simulate::bands(seed));
    simulate::Random random(seed + 100);
    simulate::add_noise(curves.back(), sd, random);
  }
  Harness h("ou-multiband", with(kAllGroups, {{"jitter", R"("fit")"}}));
  add_curves(h, curves);
  h.run();
  int at_bound = 0;
  for (std::size_t row = 0; row < curves.size(); ++row) {
    CHECK(value(h, "n_parameters", row) == 16);
    for (std::size_t b = 0; b < kGroups.size(); ++b) {
      INFO("row " << row << ", " << kGroups[b]);
      const double found = std::exp(value(h, kGroups[b] + ".log_jitter", row));
      const double error = value(h, kGroups[b] + ".err_log_jitter", row);
      // Of Gaia's 40 epochs in G jitter can hardly be told from the process.
      if (b == 1) CHECK(found < truth.error[b]);
      if (b != 1 && b != 2) CHECK(std::abs(std::log(found / sd[b])) < 5 * error);
      if (!std::isnan(error)) continue;
      CHECK(found == Approx(1e-6));
      CHECK((flags(h, row) & 1 << 16) != 0);
      ++at_bound;
    }
  }
  CHECK(at_bound > 0);
}

TEST_CASE("all bands: the Bayesian criterion tells M from M2") {
  std::vector<simulate::Bands> curves;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    curves.push_back(simulate::bands(seed));
    if (seed % 2 == 0) continue;
    const simulate::BandsTruth truth;
    simulate::Random random(seed + 200);
    simulate::add_own_processes(curves.back(), truth, 0.6, truth.tau / 8, random);
  }
  Harness h("ou-multiband", with(kAllGroups, {{"incoherent", R"("fit")"}}));
  add_curves(h, curves);
  h.run();
  for (std::size_t row = 0; row < curves.size(); ++row) {
    INFO("row " << row);
    const bool has_own = row % 2 == 1;
    CHECK(((flags(h, row) & 1 << 25) != 0) == has_own);
    CHECK((value(h, "bic_incoherent", row) < value(h, "bic", row)) == has_own);
    // M is a case of M2.
    CHECK(value(h, "loglike_incoherent", row) > value(h, "loglike", row) - 0.01);
    if (!has_own) continue;
    CHECK(value(h, "ztf.g.log_ratio_own", row) == Approx(std::log(0.6)).margin(0.7));
  }
}

TEST_CASE("all bands: the rule finds outliers, and gives up where there are too many") {
  simulate::Bands some = simulate::bands(7), many = some;
  std::vector<std::vector<std::uint8_t>> expected(kGroups.size());
  for (std::size_t i = 0; i < some.time.size(); ++i) {
    auto& of_band = expected[some.band[i]];
    const bool is_moved = of_band.size() % 19 == 5;
    if (is_moved) some.mag[i] += of_band.size() % 2 == 0 ? 1.2 : -0.9;
    if (of_band.size() % 6 == 5) many.mag[i] += of_band.size() % 4 == 1 ? 1.2 : -0.9;
    of_band.push_back(is_moved ? 0 : 1);
  }
  Harness h("ou-multiband", with(kAllGroups, {{"rule", R"("predictive")"}}));
  add_curves(h, {some, many, simulate::bands(7)});
  h.run();
  CHECK((flags(h, 0) & 1 << 24) == 0);
  double removed = 0;
  for (std::size_t b = 0; b < kGroups.size(); ++b) {
    INFO(kGroups[b]);
    CHECK(kept(h, b, 0) == expected[b]);
    const auto gone = static_cast<double>(std::count(expected[b].begin(), expected[b].end(), 0));
    CHECK(value(h, kGroups[b] + ".n_removed", 0) == gone);
    CHECK(h.count(kGroups[b], "epochs removed") == static_cast<std::int64_t>(gone));
    removed += gone;
    const std::vector<std::uint8_t> all(expected[b].size(), 1);
    CHECK(kept(h, b, 1) == all);
    CHECK(kept(h, b, 2) == all);
  }
  CHECK(value(h, "n_removed", 0) == removed);
  CHECK((flags(h, 1) & 1 << 24) != 0);
  CHECK(value(h, "n_removed", 1) == 0);
  // Without its outliers it is fitted as if they had never been moved, but for their loss.
  CHECK(value(h, "log_tau", 0) == Approx(value(h, "log_tau", 2)).margin(0.3));
}
