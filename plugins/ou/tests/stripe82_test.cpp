// Real light curves of quasars in Stripe 82 (Burke et al. 2021), against independent fits by dense
// algebra with a free mean, in the observer's frame.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <qsohost/io/text.hpp>
#include <qsohost/light_curve.hpp>
#include <sstream>

#include "loo_clean.hpp"
#include "predictive_rule.hpp"

namespace {

using Row = std::map<std::string, std::string>;

std::vector<Row> read(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  const std::string content = text.str();
  qsohost::TableReader reader(content, qsohost::TableOrigin::User);
  std::vector<Row> rows;
  std::vector<std::string_view> cells;
  while (reader.next(cells)) {
    Row row;
    for (std::size_t i = 0; i < cells.size(); ++i) row[reader.columns()[i]] = cells[i];
    rows.push_back(std::move(row));
  }
  return rows;
}

double number(const Row& row, const char* column) {
  return qsohost::parse_double(row.at(column)).value_or(std::nan(""));
}

}  // namespace

TEST_CASE("quasars of Stripe 82 are fitted as by independent dense algebra", "[.data]") {
  const char* data = std::getenv("QSO_SHARED_DATA");
  const auto folder = std::filesystem::path(data == nullptr ? "" : data) / "drw";
  if (!std::filesystem::exists(folder / "s82_reference_fits.csv")) {
    WARN("skipped: no light curves of Stripe 82 in " << folder);
    return;
  }
  std::map<std::string, ou::Curve> curves;
  for (const Row& row : read(folder / "burke2021_lightcurves.csv")) {
    ou::Curve& c = curves[row.at("row")];
    c.time.push_back(number(row, "time"));
    c.mag.push_back(number(row, "y"));
    c.mag_err.push_back(number(row, "yerr"));
  }
  // Theirs is at least as wide in every direction that matters.
  const ou::Box box{std::log(1e-4), std::log(100.0), std::log(1e-3), std::log(1e7)};
  int compared = 0, higher = 0;
  for (const Row& row : read(folder / "s82_reference_fits.csv")) {
    const ou::Curve& fetched = curves.at(row.at("row"));
    const qsohost::TimeOrder order(fetched.time);
    ou::Curve c{order.gather(fetched.time), order.gather(fetched.mag),
                order.gather(fetched.mag_err)};
    const ou::Series s = ou::series_of(c);
    const ou::Fit fit =
        ou::fit_global(s, box, ou::Mean::Profiled, ou::look_along_tau(s, box, ou::Mean::Profiled));
    INFO("row " << row.at("row") << ", " << c.size() << " epochs, ln sigma " << fit.ln_sigma
                << ", ln tau " << fit.ln_tau);
    CHECK(fit.converged);
    const double reference = number(row, "ml_lnL");
    CHECK(fit.loglike > reference - 1e-3);
    ++compared;
    higher += fit.loglike > reference + 1e-3;
    if (std::abs(fit.loglike - reference) < 1e-4 && number(row, "ml_tau") < 3000) {
      CHECK(fit.ln_sigma == Approx(std::log(number(row, "ml_sigma"))).margin(0.02));
      CHECK(fit.ln_tau == Approx(std::log(number(row, "ml_tau"))).margin(0.04));
    }
    for (const ou::Cleaned& cleaned : {ou::clean(c, {}), ou::clean_by_prediction(c, {})})
      CHECK(!cleaned.given_up());
  }
  INFO(higher << " of " << compared << " higher than the reference");
  CHECK(compared > 90);
  CHECK(higher < compared / 10);
}
