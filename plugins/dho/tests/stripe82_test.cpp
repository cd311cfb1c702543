// Real light curves of quasars in Stripe 82 (Burke et al. 2021), in the observer's frame.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <qsohost/io/text.hpp>
#include <qsohost/light_curve.hpp>
#include <sstream>

#include "dho_fit.hpp"
#include "simulate.hpp"

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

std::map<std::string, dho::Series> light_curves(const std::filesystem::path& file) {
  std::map<std::string, simulate::Curve> fetched;
  for (const Row& row : read(file)) {
    simulate::Curve& c = fetched[row.at("row")];
    c.time.push_back(number(row, "time"));
    c.mag.push_back(number(row, "y"));
    c.mag_err.push_back(number(row, "yerr"));
  }
  std::map<std::string, dho::Series> out;
  for (const auto& [name, c] : fetched) {
    const qsohost::TimeOrder order(c.time);
    out[name] =
        dho::make_series(order.gather(c.time), order.gather(c.mag), order.gather(c.mag_err));
  }
  return out;
}

}  // namespace

TEST_CASE("fits of quasars of Stripe 82 converge, whatever the mean", "[.data]") {
  const char* data = std::getenv("QSO_SHARED_DATA");
  const auto folder = std::filesystem::path(data == nullptr ? "" : data) / "drw";
  if (!std::filesystem::exists(folder / "s82_reference_fits.csv")) {
    WARN("skipped: no light curves of Stripe 82 in " << folder);
    return;
  }
  const auto curves = light_curves(folder / "burke2021_lightcurves.csv");
  for (const auto& [name, series] : curves) {
    for (const auto mean : {dho::Mean::Fixed, dho::Mean::Profiled, dho::Mean::Marginal}) {
      INFO("row " << name << ", mean " << static_cast<int>(mean));
      const dho::Fit fit = dho::fit_global(series, dho::standard_box(), mean);
      CHECK(fit.converged);
      CHECK(fit.loglike >= fit.loglike_walk);
    }
  }
  int same = 0;
  // Independent fits of damped random walks, by dense algebra with a free mean.
  for (const Row& row : read(folder / "s82_reference_fits.csv")) {
    const dho::Fit fit =
        dho::fit_global(curves.at(row.at("row")), dho::standard_box(), dho::Mean::Profiled);
    INFO("row " << row.at("row"));
    const double reference = number(row, "ml_lnL");
    CHECK(fit.loglike_walk > reference - 1e-3);
    same += std::abs(fit.loglike_walk - reference) < 1e-3;
  }
  CHECK(curves.size() > 90);
  CHECK(same > 85);
}
