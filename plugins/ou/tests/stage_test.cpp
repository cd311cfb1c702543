#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <qsohost/plugin.hpp>
#include <qsohost/testing.hpp>
#include <string>

#include "simulate.hpp"

using qsohost::Harness;
using qsohost::LightCurve;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

LightCurve fetched(const ou::Curve& c) {
  return {c.time, c.mag, c.mag_err};
}

// Not in time order, as an archive may send it.
LightCurve shuffled(const ou::Curve& c) {
  LightCurve out;
  for (std::size_t i = 0; i < c.size(); ++i) {
    const std::size_t k = i * 37 % c.size();
    out.time.push_back(58000 + c.time[k]);
    out.mag.push_back(c.mag[k]);
    out.mag_err.push_back(c.mag_err[k]);
  }
  return out;
}

void add_redshift(Harness& h, const std::vector<double>& z) {
  qsohost::Column& column = h.batch().objects().add({"z", qsohost::DType::F64, "", "redshift"});
  for (const double value : z) column.append(value);
}

double value(Harness& h, const std::string& column, std::size_t row) {
  return h.batch().objects().at("ou-loo.ztf.g." + column).number(row);
}

int flags(Harness& h, std::size_t row) {
  return static_cast<int>(value(h, "flags", row));
}

std::vector<int> kept(Harness& h, std::size_t row) {
  const qsohost::Group& g = h.batch().group("ztf.g");
  const auto all = g.at("keep").values<bool>();
  const auto s = g.slice(row);
  return {all.begin() + static_cast<long>(s.first),
          all.begin() + static_cast<long>(s.first + s.count)};
}

const std::vector<const char*> kParameters{"log_sigma_full", "log_tau_full",   "logD_full",
                                           "loglike_full",   "log_sigma_post", "log_tau_post",
                                           "logD_post",      "loglike_post"};

}  // namespace

TEST_CASE("the outlier is removed from an unsorted light curve that has it first") {
  LightCurve curve = shuffled(simulate::curve(60, 2));
  curve.mag[0] += 2;
  Harness h("ou-loo", {{"groups", R"(["ztf.g"])"}});
  h.light_curves("ztf.g", {fetched(simulate::curve(40, 8)), curve});
  // Ids like an archive's, not the index.
  for (auto& id : h.batch().group("ztf.g").at("epoch_id").values<std::int64_t>())
    id = 1000 + 3 * id;
  add_redshift(h, {1.0, 1.0});
  h.run();

  std::vector<int> expected(60, 1);
  expected[0] = 0;
  CHECK(kept(h, 1) == expected);
  CHECK(kept(h, 0) == std::vector<int>(40, 1));
  const qsohost::Group& arrays = h.batch().group("ou-loo.ztf.g");
  CHECK(arrays.info().band == "g");
  REQUIRE(arrays.slice(0).count == 0);
  REQUIRE(arrays.slice(1).count == 1);
  CHECK(arrays.at("removed_mjd").values<double>()[0] == curve.time[0]);
  CHECK(arrays.at("removed_epoch_id").values<std::int64_t>()[0] == 1000);
  CHECK(value(h, "n_epochs", 1) == 60);
  CHECK(value(h, "n_removed", 1) == 1);
  CHECK(value(h, "n_passes_done", 1) == 2);
  CHECK(flags(h, 1) == 0);
  CHECK(value(h, "z", 1) == 1.0);
  for (const char* name : kParameters) CHECK(std::isfinite(value(h, name, 1)));
  for (const char* name : {"err_log_sigma_post", "err_log_tau_post", "err_logD_post"})
    CHECK(value(h, name, 1) > 0);
  CHECK(value(h, "logD_post", 1) < value(h, "logD_full", 1) - 0.5);
  CHECK(value(h, "logD_post", 1) ==
        Approx(2 * value(h, "log_sigma_post", 1) - value(h, "log_tau_post", 1)));
  CHECK(h.count("ztf.g", "objects fitted") == 2);
  CHECK(h.count("ztf.g", "epochs removed") == 1);
}

TEST_CASE("rest frame: tau is shorter by 1 + z, sigma is the same") {
  const LightCurve curve = fetched(simulate::curve(80, 11));
  const auto fit = [&](std::vector<std::pair<std::string, std::string>> options, double z) {
    options.emplace_back("groups", R"(["ztf.g"])");
    Harness h("ou-loo", std::move(options));
    h.light_curves("ztf.g", {curve});
    add_redshift(h, {z});
    h.run();
    return std::pair{value(h, "log_sigma_full", 0), value(h, "log_tau_full", 0)};
  };
  const auto observed = fit({{"rest_frame", "false"}}, 2);
  const auto at_z2 = fit({}, 2);
  CHECK(at_z2.first == Approx(observed.first).margin(1e-5));
  CHECK(at_z2.second == Approx(observed.second - std::log(3)).margin(1e-5));
}

TEST_CASE("bad input is flagged with the reason and passes unchanged") {
  const ou::Curve good = simulate::curve(30, 4);
  std::vector<LightCurve> curves(9, fetched(good));
  std::vector<double> z(9, 0.5);
  curves[0] = {};                              // empty
  curves[1] = fetched(simulate::curve(9, 4));  // too short
  z[2] = -999;
  z[3] = kNaN;
  z[4] = -1;
  curves[5].time[3] = curves[5].mag[4] = curves[5].mag_err[5] = kNaN;
  curves[5].mag_err[6] = 0;
  curves[5].mag_err[7] = -0.1;
  curves[6].mag.assign(30, 18);
  curves[7].mag_err.assign(30, 0);
  for (std::size_t i = 0; i < 30; i += 2) curves[8].time[i + 1] = curves[8].time[i];

  Harness h("ou-loo", {{"groups", R"(["ztf.g"])"}});
  h.light_curves("ztf.g", curves);
  add_redshift(h, z);
  h.run();

  CHECK(flags(h, 0) == 1);
  CHECK(flags(h, 1) == 1);
  for (const std::size_t row : {2, 3, 4}) CHECK(flags(h, row) == 2);
  CHECK((flags(h, 5) & 15) == 4);
  CHECK(value(h, "n_epochs", 5) == 25);
  CHECK((flags(h, 6) & (64 | 1024)) == (64 | 1024));
  CHECK(flags(h, 7) == (1 | 4));
  CHECK((flags(h, 8) & 31) == 0);
  for (std::size_t row = 0; row < curves.size(); ++row) {
    INFO("row " << row);
    const bool fitted = (flags(h, row) & (1 | 2 | 8 | 16)) == 0;
    CHECK(fitted == (row >= 5 && row != 7));
    for (const char* name : kParameters) CHECK(std::isfinite(value(h, name, row)) == fitted);
    if (!fitted) CHECK(kept(h, row) == std::vector<int>(curves[row].size(), 1));
    for (const char* name : {"err_log_sigma_full", "err_logD_post"}) {
      if (fitted && std::isnan(value(h, name, row))) CHECK((flags(h, row) & 16384) != 0);
    }
  }
  for (const std::size_t i : {3, 4, 5, 6, 7}) CHECK(kept(h, 5)[i] == 1);
  CHECK(h.count("ztf.g", "objects too short") == 3);
  CHECK(h.count("ztf.g", "objects without valid redshift") == 3);
  CHECK(h.count("ztf.g", "epochs without part") == 5 + 30);
}

TEST_CASE("wrong options are reported before the run") {
  const auto refused = [](std::vector<std::pair<std::string, std::string>> options) {
    std::string message;
    try {
      Harness h("ou-loo", std::move(options));
      h.light_curves("ztf.g", {fetched(simulate::curve(20, 4))});
      add_redshift(h, {0.5});
      h.run();
    } catch (const qsohost::UsageError& e) {
      message = e.what();
    }
    return message;
  };
  using Catch::Contains;
  CHECK_THAT(refused({{"groups", R"(["ztf.q"])"}}), Contains("'ztf.q'"));
  CHECK_THAT(refused({{"groups", R"(["ztf.g", "ztf.g"])"}}), Contains("twice"));
  CHECK_THAT(refused({{"groups", "[]"}}), Contains("groups"));
  CHECK_THAT(refused({{"groups", R"(["ztf.g"])"}, {"redshift", R"("")"}}), Contains("rest_frame"));
  CHECK_THAT(refused({{"groups", R"(["ztf.g"])"}, {"redshift", R"("redshift")"}}),
             Contains("'redshift'"));
  CHECK_THAT(refused({{"groups", R"(["ztf.g"])"}, {"mean", R"("mode")"}}), Contains("profiled"));
  CHECK(refused({{"groups", R"(["ztf.g"])"}, {"mean", R"("profiled")"}}).empty());
}

TEST_CASE("the result columns of a fit") {
  Harness h("ou-loo", {{"groups", R"(["ztf.g"])"}, {"rest_frame", "false"}});
  const ou::Curve curve = simulate::curve(120, 9);
  h.light_curves("ztf.g", {fetched(curve)});
  add_redshift(h, {0.5});
  h.run();
  const double n = 120, loglike = value(h, "loglike_full", 0);
  CHECK(value(h, "aic_full", 0) == Approx(6 - 2 * loglike));
  CHECK(value(h, "bic_full", 0) == Approx(3 * std::log(n) - 2 * loglike));
  CHECK(value(h, "sf_inf_full", 0) ==
        Approx(std::sqrt(2) * std::exp(value(h, "log_sigma_full", 0))));
  CHECK(value(h, "loglike_const_full", 0) < loglike - 100);
  CHECK(value(h, "bic_const_full", 0) ==
        Approx(std::log(n) - 2 * value(h, "loglike_const_full", 0)));
  CHECK(value(h, "chi2_red_full", 0) == Approx(1).margin(0.4));
  CHECK(value(h, "baseline", 0) == Approx(curve.time.back() - curve.time.front()));
  CHECK(value(h, "median_cadence", 0) > 0);
  CHECK(value(h, "mean_full", 0) == Approx(18).margin(0.5));
  const double s = value(h, "err_log_sigma_full", 0), t = value(h, "err_log_tau_full", 0),
               c = value(h, "cov_log_sigma_log_tau_full", 0);
  CHECK(value(h, "err_logD_full", 0) == Approx(std::sqrt(4 * s * s + t * t - 4 * c)));
}

TEST_CASE("the rule of prediction finds outliers that hide one another") {
  ou::Curve curve = simulate::curve(500, 21);
  std::vector<int> expected(500, 1);
  for (std::size_t i = 20; i < 500; i += 40) {
    curve.mag[i] += i % 80 == 20 ? 1.0 : -0.8;
    expected[i] = 0;
  }
  const auto run = [&](const char* rule) {
    Harness h("ou-loo", {{"groups", R"(["ztf.g"])"}, {"rule", rule}});
    h.light_curves("ztf.g", {fetched(curve)});
    add_redshift(h, {0.5});
    h.run();
    return kept(h, 0);
  };
  CHECK(run(R"("predictive")") == expected);
  CHECK(run(R"("influence")") != expected);
}

TEST_CASE("more than max_removed_fraction: flagged, and no epoch is removed") {
  ou::Curve curve = simulate::curve(100, 21);
  for (std::size_t i = 0; i < 100; i += 8) curve.mag[i] += i % 16 == 0 ? 1.0 : -0.8;
  const auto run = [&](const char* most) {
    Harness h(
        "ou-loo",
        {{"groups", R"(["ztf.g"])"}, {"rule", R"("predictive")"}, {"max_removed_fraction", most}});
    h.light_curves("ztf.g", {fetched(curve)});
    add_redshift(h, {0.5});
    h.run();
    CHECK(std::isfinite(value(h, "logD_full", 0)));
    const bool given_up = (flags(h, 0) & 1 << 24) != 0;
    CHECK(std::isnan(value(h, "logD_post", 0)) == given_up);
    const std::vector<int> keep = kept(h, 0);
    CHECK(std::count(keep.begin(), keep.end(), 0) == value(h, "n_removed", 0));
    return std::pair{value(h, "n_removed", 0), given_up};
  };
  CHECK(run("0.1") == std::pair{0.0, true});
  CHECK(run("0.13") == std::pair{13.0, false});
}

// As a fetcher of Gaia's epochs provides them: other names, float magnitudes, another time system.
TEST_CASE("all three Gaia bands are fitted") {
  Harness h("ou-loo", {{"groups", R"(["gaia.g", "gaia.bp", "gaia.rp"])"}});
  h.targets({{1, 10, 20}, {2, 11, 21}});
  for (const std::string band : {"g", "bp", "rp"}) {
    qsohost::Group& group =
        h.batch().add_group({"gaia." + band, "gaia", band, band + "_time", band + "_mag",
                             band + "_mag_err", qsohost::kGaiaTime});
    auto& time = group.add({band + "_time", qsohost::DType::F64, "d", "time"});
    auto& mag = group.add({band + "_mag", qsohost::DType::F64, "mag", "magnitude"});
    auto& error = group.add({band + "_mag_err", qsohost::DType::F32, "mag", "error"});
    for (const std::size_t n : {45, 20}) {
      ou::Curve c = simulate::curve(n, n + band.size());
      c.mag[7] += n == 45 ? 1.5 : 0;
      for (std::size_t i = 0; i < n; ++i) {
        time.append(1700 + c.time[i]);
        mag.append(c.mag[i]);
        const double flux = 1000, flux_error = flux * c.mag_err[i] * std::log(10.0) / 2.5;
        error.append(static_cast<float>(2.5 / std::log(10.0) * flux_error / flux));
      }
      group.close_row();
    }
  }
  add_redshift(h, {1.5, 2});
  h.run();
  for (const std::string band : {"g", "bp", "rp"}) {
    const auto& objects = h.batch().objects();
    const std::string prefix = "ou-loo.gaia." + band + ".";
    CHECK(objects.at(prefix + "n_epochs").number(0) == 45);
    CHECK(objects.at(prefix + "n_removed").number(0) == 1);
    CHECK(h.batch().group("gaia." + band).at("keep").values<bool>()[7] == 0);
    CHECK(std::isfinite(objects.at(prefix + "logD_post").number(1)));
  }
}
