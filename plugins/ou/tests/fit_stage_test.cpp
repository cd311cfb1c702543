// ou-fit equals the fit of all epochs in ou-loo.
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

std::vector<LightCurve> curves() {
  std::vector<LightCurve> out;
  for (const std::size_t n : {30, 60, 200, 8}) {
    const ou::Curve c = simulate::curve(n, 40 + n);
    LightCurve& curve = out.emplace_back();
    for (std::size_t i = 0; i < n; ++i) {  // not in time order
      const std::size_t k = i * 7 % n;
      curve.time.push_back(58000 + c.time[k]);
      curve.mag.push_back(c.mag[k]);
      curve.mag_err.push_back(c.mag_err[k]);
    }
  }
  out[1].mag[5] += 1.5;
  out[2].mag_err[9] = std::numeric_limits<double>::quiet_NaN();
  return out;
}

void run(Harness& h) {
  h.light_curves("ztf.g", curves());
  qsohost::Column& z = h.batch().objects().add({"z", qsohost::DType::F64, "", "redshift"});
  for (int i = 0; i < 4; ++i) z.append(0.3 * i);
  h.run();
}

}  // namespace

TEST_CASE("ou-fit equals the fit of all epochs of ou-loo, digit for digit") {
  for (const char* mean : {R"("median")", R"("profiled")"}) {
    const std::vector<std::pair<std::string, std::string>> options{{"groups", R"(["ztf.g"])"},
                                                                   {"mean", mean}};
    Harness fit("ou-fit", options), loo("ou-loo", options);
    run(fit);
    run(loo);
    int compared = 0;
    for (const qsohost::Column& column : fit.batch().objects()) {
      const std::string prefix = "ou-fit.ztf.g.";
      if (!column.name().starts_with(prefix)) continue;
      const std::string name = "ou-loo.ztf.g." + column.name().substr(prefix.size()) + "_full";
      const qsohost::Column* other = loo.batch().objects().find(name);
      if (other == nullptr) continue;
      ++compared;
      for (std::size_t row = 0; row < 4; ++row) {
        const double a = column.number(row), b = other->number(row);
        INFO(name << " of row " << row);
        CHECK((a == b || (std::isnan(a) && std::isnan(b))));
        if (row < 3 && name.ends_with("log_tau_full")) CHECK(std::isfinite(a));
      }
    }
    CHECK(compared == 15);
  }
}

TEST_CASE("ou-fit adds its result columns and leaves the epochs alone") {
  Harness h("ou-fit", {{"groups", R"(["ztf.g"])"}, {"rest_frame", "false"}});
  run(h);
  const auto value = [&](const char* name, std::size_t row) {
    return h.batch().objects().at(std::string("ou-fit.ztf.g.") + name).number(row);
  };
  CHECK(h.batch().group("ztf.g").find("keep") == nullptr);
  CHECK(h.batch().find_group("ou-fit.ztf.g") == nullptr);
  CHECK(value("n_epochs", 0) == 30);
  CHECK(value("n_epochs", 2) == 199);
  CHECK(value("n_parameters", 0) == 3);
  CHECK(value("aic", 0) == Approx(6 - 2 * value("loglike", 0)));
  CHECK(value("bic", 0) == Approx(3 * std::log(30) - 2 * value("loglike", 0)));
  CHECK(value("chi2", 0) == Approx(27 * value("chi2_red", 0)));
  CHECK(value("flags", 0) == 0);
  CHECK(value("flags", 2) == 4);
  CHECK(value("flags", 3) == 1);
  CHECK(std::isnan(value("loglike", 3)));
  CHECK(h.count("ztf.g", "objects fitted") == 3);
  CHECK(h.count("ztf.g", "objects too short") == 1);
}
