// How well errors of structure functions hold: median error over the scatter between light curves
// of the same damped random walk, in seasons, by number of epochs, tau and baseline.
#include <fmt/format.h>

#include "simulate.hpp"

int main() {
  const simulate::Walk walks[] = {
      {60, 20, 1800, 0.2, 0.02},   {60, 100, 1800, 0.2, 0.02},   {100, 100, 1800, 0.1, 0.1},
      {150, 200, 1800, 0.2, 0.02}, {300, 50, 2000, 0.2, 0.02},   {300, 200, 2000, 0.2, 0.02},
      {1000, 30, 2500, 0.2, 0.02}, {1000, 100, 2500, 0.2, 0.02}, {150, 400, 1800, 0.2, 0.02},
      {150, 200, 600, 0.2, 0.02},  {150, 1000, 1800, 0.2, 0.02}};
  fmt::print("{:>9}{:>6}{:>6}{:>9}{:>7}{:>7}   {:>12}{:>12}{:>12}{:>12}\n", "baseline", "tau", "N",
             "sigma", "error", "", "slope", "amplitude", "sf_inf", "ln tau");
  for (const auto& w : walks) {
    for (const auto estimator : {sf::Estimator::MeanSquare, sf::Estimator::Iqr}) {
      const auto r = simulate::compare(w, estimator, 1000, 1);
      fmt::print("{:9}{:6}{:6}{:9}{:7}{:>7}   {:12.2f}{:12.2f}{:12.2f}{:12.2f}\n", w.baseline,
                 w.tau, w.epochs, w.sigma, w.error, estimator == sf::Estimator::Iqr ? "iqr" : "",
                 r.slope.value(), r.amplitude.value(), r.sf_inf.value(), r.ln_tau.value());
    }
  }
}
