// Maxima that fits of the damped harmonic oscillator miss against many climbs from random starts: a
// table, not a timing.
//   dho_study SIMULATED CLIMBS [MEAN [FILE.csv]]
// SIMULATED light curves of any kind, 30 to 300 epochs each, and the real ones of FILE.csv, which
// has columns row (the light curve's name), time, y and yerr. MEAN: median, profiled, marginal.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <qsohost/io/text.hpp>
#include <qsohost/light_curve.hpp>
#include <sstream>
#include <string_view>

#include "dho_fit.hpp"
#include "dho_starts.hpp"
#include "simulate.hpp"

namespace {

struct Named {
  std::string name;
  dho::Series series;
};

std::vector<Named> simulated(std::size_t count) {
  constexpr std::size_t kSizes[] = {30, 60, 100, 150, 300};
  std::vector<Named> out;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t n = kSizes[i % std::size(kSizes)];
    const simulate::Curve c = simulate::any_curve(n, i);
    out.push_back({fmt::format("simulated {}", i), simulate::series_of(c)});
  }
  return out;
}

std::vector<Named> real(const char* file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  const std::string content = text.str();
  qsohost::TableReader reader(content, qsohost::TableOrigin::User);
  const auto column = [&](std::string_view name) {
    const auto found = std::ranges::find(reader.columns(), name);
    if (found != reader.columns().end())
      return static_cast<std::size_t>(found - reader.columns().begin());
    fmt::print(stderr, "{}: no column '{}'\n", file, name);
    std::exit(2);
  };
  const std::size_t row = column("row"), time = column("time"), y = column("y"),
                    yerr = column("yerr");
  std::map<std::string, simulate::Curve, std::less<>> curves;
  std::vector<std::string_view> cells;
  const auto number = [&](std::size_t i) { return qsohost::parse_double(cells[i]).value(); };
  while (reader.next(cells)) {
    simulate::Curve& c = curves[std::string(cells[row])];
    c.time.push_back(number(time));
    c.mag.push_back(number(y));
    c.mag_err.push_back(number(yerr));
  }
  std::vector<Named> out;
  for (const auto& [name, c] : curves) {
    const qsohost::TimeOrder order(c.time);
    out.push_back({name, dho::make_series(order.gather(c.time), order.gather(c.mag),
                                          order.gather(c.mag_err))});
  }
  return out;
}

// The highest of climbs from all over the box, then from the best of them to full precision.
double by_many_climbs(const dho::Series& series, std::size_t climbs, dho::Mean mean,
                      std::uint64_t seed) {
  const dho::Space all{dho::standard_box()};
  const dho::Extent extent = dho::extent_of(series);
  simulate::Random random(seed);
  std::vector<dho::Climb> running;
  double best = -1e300;
  for (std::size_t i = 0; i < climbs; ++i) {
    const double omega = random.ratio(std::max(0.2 / extent.baseline, 1e-5), 100);
    const double xi = random.ratio(i % 4 == 0 ? 0.5 : 0.01, 200);
    const double sigma = std::sqrt(extent.variance) * random.ratio(0.7, 4);
    const dho::Parameters at = simulate::logs(sigma, omega, xi, random.ratio(0.003, 300) / omega);
    running.emplace_back(dho::Start{&all, {at}, 1e-4});
    if (running.size() < 64 && i + 1 < climbs) continue;
    dho::run(series, mean, running);
    if (const dho::Climb* top = dho::highest(running, &all); top != nullptr)
      best = std::max(best, top->value().loglike);
    running.clear();
  }
  return best;
}

int study(const std::vector<Named>& curves, std::size_t climbs, dho::Mean mean) {
  std::size_t missed = 0, missed_much = 0, failed = 0, below_walk = 0;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const auto& [name, series] = curves[i];
    const dho::Fit fit = dho::fit_global(series, dho::standard_box(), mean);
    const double most = by_many_climbs(series, climbs, mean, i);
    failed += !fit.converged;
    below_walk += fit.loglike < fit.loglike_walk;
    missed += most > fit.loglike + 0.01;
    missed_much += most > fit.loglike + 0.1;
    if (most > fit.loglike + 0.01)
      fmt::print("{}, {} epochs: {:.3f} instead of {:.3f}\n", name, series.size(), fit.loglike,
                 most);
  }
  const auto part = [&](std::size_t count) {
    return 100.0 * static_cast<double>(count) / static_cast<double>(curves.size());
  };
  fmt::print(
      "{} light curves: {:.2f} % missed by more than 0.01, {:.2f} % by more than 0.1; {} not "
      "converged, {} below the best damped random walk\n",
      curves.size(), part(missed), part(missed_much), failed, below_walk);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::map<std::string_view, dho::Mean> means{{"median", dho::Mean::Fixed},
                                                    {"profiled", dho::Mean::Profiled},
                                                    {"marginal", dho::Mean::Marginal}};
  const auto mean = means.find(count > 3 ? arguments[3] : "profiled");
  if (count < 3 || mean == means.end()) {
    fmt::print(stderr, "usage: dho_study SIMULATED CLIMBS [median|profiled|marginal [FILE.csv]]\n");
    return 2;
  }
  std::vector<Named> curves = simulated(std::strtoul(arguments[1], nullptr, 10));
  if (count > 4) {
    for (Named& c : real(arguments[4])) curves.push_back(std::move(c));
  }
  return study(curves, std::strtoul(arguments[2], nullptr, 10), mean->second);
}
