// Simulation-based calibration (Talts et al. 2018, arXiv:1804.06788): where the truth is drawn from
// the prior, its rank in the posterior is uniform. The mean needs no draw: with a flat prior the
// posterior of sigma and tau does not depend on it.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <vector>

#include "ou_posterior.hpp"
#include "simulate.hpp"

namespace {

constexpr int kCurves = 1000;
const ou::Box kBox{std::log(0.03), std::log(0.5), std::log(5.0), std::log(3000.0)};

// Of one quantity: the truth among the quantiles, and moments of the truth against those of the
// nodes.
struct Calibration {
  std::array<int, ou::kQuantiles.size() + 1> counts{};
  double off = 0, off2 = 0, variance = 0;

  void add(const std::array<double, 5>& quantiles, double truth) {
    const auto above = std::ranges::upper_bound(quantiles, truth);
    ++counts[static_cast<std::size_t>(above - quantiles.begin())];
  }
  void add(const ou::Posterior& posterior, double by_sigma, double by_tau, double truth) {
    double mean = 0, square = 0;
    for (const auto& node : posterior.nodes) {
      const double value = by_sigma * node.ln_sigma + by_tau * node.ln_tau;
      mean += std::exp(node.ln_weight) * value;
      square += std::exp(node.ln_weight) * value * value;
    }
    off += (truth - mean) / kCurves;
    off2 += (truth - mean) * (truth - mean) / kCurves;
    variance += (square - mean * mean) / kCurves;
  }
  double chi2() const {
    double sum = 0, below = 0;
    for (std::size_t k = 0; k < counts.size(); ++k) {
      const double upto = k < ou::kQuantiles.size() ? ou::kQuantiles[k] : 1;
      const double expected = kCurves * (upto - below);
      sum += (counts[k] - expected) * (counts[k] - expected) / expected;
      below = upto;
    }
    return sum;
  }
};

void check(const Calibration& c, const char* what) {
  INFO(what << ": below 2.5 % " << c.counts[0] << ", 16 % " << c.counts[1] << ", 50 % "
            << c.counts[2] << ", 84 % " << c.counts[3] << ", 97.5 % " << c.counts[4] << ", above "
            << c.counts[5] << ", chi^2 " << c.chi2() << "; truth - mean " << c.off
            << ", its variance " << c.off2 << ", of the nodes " << c.variance);
  CHECK(c.chi2() < 20.5);  // of 5 degrees of freedom: p = 0.001
  CHECK(std::abs(c.off) < 3.3 * std::sqrt(c.off2 / kCurves));
  CHECK(c.off2 == Approx(c.variance).epsilon(0.2));
}

}  // namespace

TEST_CASE("the posterior is calibrated: ranks of 1,000 truths drawn from the prior are uniform") {
  Calibration sigma, tau, d;
  simulate::Random random(1);
  for (int i = 0; i < kCurves; ++i) {
    const double ln_sigma =
        kBox.ln_sigma_min + (kBox.ln_sigma_max - kBox.ln_sigma_min) * random.uniform();
    const double ln_tau = kBox.ln_tau_min + (kBox.ln_tau_max - kBox.ln_tau_min) * random.uniform();
    const std::size_t n = 60 + static_cast<std::size_t>(i % 41);
    const ou::Series series = ou::series_of(simulate::curve(
        n, static_cast<std::uint64_t>(i), {.sigma = std::exp(ln_sigma), .tau = std::exp(ln_tau)}));
    const ou::Posterior posterior =
        ou::posterior_of(series, kBox, ou::Prior::LogUniform, ou::Parameters{}.ln_jitter);
    sigma.add(posterior.ln_sigma, ln_sigma);
    sigma.add(posterior, 1, 0, ln_sigma);
    tau.add(posterior.ln_tau, ln_tau);
    tau.add(posterior, 0, 1, ln_tau);
    d.add(posterior.ln_d, 2 * ln_sigma - ln_tau);
    d.add(posterior, 2, -1, 2 * ln_sigma - ln_tau);
  }
  check(sigma, "ln sigma");
  check(tau, "ln tau");
  check(d, "ln D");
}

namespace {

// Of a member in a population whose ln tau is normal, up to a constant: the sum over nodes of
// weight times the population's density, over that of the prior, which is flat. Nodes are far apart
// (about 0.4 in ln tau), so that the density is averaged over the cell of each.
double ln_likelihood(const ou::Posterior& member, double mean, double sd) {
  std::map<double, double> weights;  // by ln tau, as four nodes share it
  for (const auto& node : member.nodes) weights[node.ln_tau] += std::exp(node.ln_weight);
  std::vector<double> at;
  for (const auto& [ln_tau, weight] : weights) at.push_back(ln_tau);
  const auto below = [&](double ln_tau) {
    return 0.5 * std::erfc((mean - ln_tau) / (sd * std::sqrt(2.0)));
  };
  double sum = 0;
  for (std::size_t k = 0; k < at.size(); ++k) {
    const double before = k > 0 ? at[k] - at[k - 1] : at[1] - at[0];
    const double after = k + 1 < at.size() ? at[k + 1] - at[k] : before;
    const double in_cell = below(at[k] + after / 2) - below(at[k] - before / 2);
    sum += weights[at[k]] * in_cell / ((before + after) / 2);
  }
  // cppcheck-suppress invalidFunctionArg  // ln 0 is meant to be -inf
  return std::log(sum);
}

}  // namespace

TEST_CASE("a population is found from the nodes of its members") {
  constexpr double kMean = 4.6, kSd = 0.5;
  std::vector<ou::Posterior> members;
  simulate::Random random(2);
  for (std::uint64_t i = 0; i < 300; ++i) {
    const simulate::Truth truth{.sigma = 0.15 * std::exp(0.3 * random.normal()),
                                .tau = std::exp(kMean + kSd * random.normal())};
    members.push_back(ou::posterior_of(ou::series_of(simulate::curve(80, i, truth)), kBox,
                                       ou::Prior::LogUniform, ou::Parameters{}.ln_jitter));
  }
  const auto of_all = [&](double mean, double sd) {
    double sum = 0;
    for (const ou::Posterior& member : members) sum += ln_likelihood(member, mean, sd);
    return sum;
  };
  double best = -1e300, found_mean = 0, found_sd = 0;
  for (double mean = 4.2; mean < 5; mean += 0.04) {
    for (double sd = 0.2; sd < 0.8; sd += 0.04) {
      const double here = of_all(mean, sd);
      if (here <= best) continue;
      best = here;
      found_mean = mean;
      found_sd = sd;
    }
  }
  INFO("mean " << found_mean << ", standard deviation " << found_sd);
  CHECK(found_mean == Approx(kMean).margin(0.12));
  CHECK(found_sd == Approx(kSd).margin(0.1));
  CHECK(best - of_all(kMean, kSd) < 4.6);  // 1 % by chance
}
